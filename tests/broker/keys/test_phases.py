"""Each key at each moment of its timetable; one that would hurt someone is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import RSAKey

from broker.keys import PURPOSES, KeyRing, Phase, Timetable
from kit.keys.key_file import write_key
from kit.keys.rotation import new_key
from providers.model import UnknownKey
from tests.broker.conftest import NOW
from tests.harness.keys import ALGORITHMS, DAY, Clock, end, kid_of, sealed_to


class TestPhases:
    """Each key at each moment of its timetable: phase, published, used."""

    SIGNING = Timetable(100, 100, 200, 300, 400, 500)
    ENCRYPTION = Timetable(100, 200, 200, 300, 300, 500)

    @pytest.mark.parametrize(
        ("now", "phase", "published"),
        [
            (99, Phase.FUTURE, False),
            (100, Phase.WARM_UP, True),
            (199, Phase.WARM_UP, True),
            (200, Phase.IN_USE, True),
            (299, Phase.IN_USE, True),
            (300, Phase.COOLDOWN, True),
            (399, Phase.COOLDOWN, True),
            (400, Phase.TAIL, False),
            (499, Phase.TAIL, False),
            (500, Phase.GONE, False),
        ],
    )
    def test_of_a_signing_key(self, now: int, phase: Phase, published: bool) -> None:
        assert self.SIGNING.phase(PURPOSES["rp-sig"], now) is phase
        assert self.SIGNING.published(now) is published

    @pytest.mark.parametrize(
        ("now", "phase", "published"),
        [
            (100, Phase.WARM_UP, False),
            (199, Phase.WARM_UP, False),
            (200, Phase.IN_USE, True),
            (300, Phase.TAIL, False),
            (499, Phase.TAIL, False),
            (500, Phase.GONE, False),
        ],
    )
    def test_of_an_encryption_key(self, now: int, phase: Phase, published: bool) -> None:
        assert self.ENCRYPTION.phase(PURPOSES["rp-enc"], now) is phase
        assert self.ENCRYPTION.published(now) is published

    def test_signing_passes_to_the_next_key_without_a_gap(self, folder: Path, clock: Clock) -> None:
        end(folder, "id-token-sig", "ES256", NOW + 2 * DAY, NOW + 3 * DAY, NOW + 4 * DAY)
        key = new_key("ES256")
        write_key(folder, PURPOSES["id-token-sig"], key, Timetable(NOW + DAY, NOW + DAY, NOW + 2 * DAY - 60))
        ring = KeyRing(folder, clock)
        seen: list[tuple[bool, int]] = []
        for moment in (0, DAY, 2 * DAY - 61, 2 * DAY - 60, 2 * DAY, 3 * DAY - 1, 3 * DAY):
            clock.now = NOW + moment
            token = ring.sign("id-token-sig", {}, alg="ES256")
            published = [jwk["kid"] for jwk in ring.public_set("id-token-sig") if jwk["alg"] == "ES256"]
            assert kid_of(token) in published
            seen.append((kid_of(token) == key.kid, len(published)))
        assert seen == [(False, 1), (False, 2), (False, 2), (True, 2), (True, 2), (True, 2), (True, 1)]

    def test_a_decryption_key_opens_before_and_after_it_is_published(
        self, full: Path, clock: Clock, spare_rsa: RSAKey
    ) -> None:
        old = KeyRing(full, clock).public_set("rp-enc")[0]
        end(full, "rp-enc", None, NOW + 2 * DAY, NOW + 2 * DAY, NOW + 4 * DAY)
        use = NOW + 2 * DAY - 60
        write_key(full, PURPOSES["rp-enc"], spare_rsa, Timetable(NOW + DAY, use, use))
        new = {**spare_rsa.as_dict(private=False)}
        ring = KeyRing(full, clock)

        def opens(jwk: dict[str, Any]) -> bool:
            try:
                return ring.decrypt("rp-enc", sealed_to(jwk), algorithms=ALGORITHMS).payload == b"a token"
            except UnknownKey:
                return False

        seen = []
        for moment in (0, DAY, 2 * DAY - 60, 2 * DAY, 4 * DAY - 1, 4 * DAY):
            clock.now = NOW + moment
            published = {jwk["kid"] for jwk in ring.public_set("rp-enc")}
            seen.append((opens(old), old["kid"] in published, opens(new), new["kid"] in published))
        assert seen == [
            (True, True, False, False),
            (True, True, True, False),
            (True, True, True, True),
            (True, False, True, True),
            (True, False, True, True),
            (False, False, True, True),
        ]

    def test_without_a_key_in_use_nothing_is_signed_and_it_is_told(self, folder: Path, clock: Clock) -> None:
        end(folder, "id-token-sig", "ES256", NOW + DAY, NOW + 2 * DAY, NOW + 2 * DAY)
        ring = KeyRing(folder, clock)
        clock.now = NOW + DAY
        assert "id-token-sig ES256" in ring.missing()
        with pytest.raises(UnknownKey):
            ring.sign("id-token-sig", {}, alg="ES256")


TOO_SHORT = [
    ("rp-sig", Timetable(NOW, NOW, NOW + DAY - 1), False, "warm-up"),
    ("rp-enc", Timetable(NOW, NOW + 59, NOW + 59), False, "warm-up"),
    ("id-token-sig", Timetable(NOW, NOW, NOW + 3599), False, "warm-up"),
    ("store", Timetable(NOW, NOW + 59, NOW + 59), False, "warm-up"),
    ("rp-sig", Timetable(NOW, NOW, NOW, NOW + DAY, NOW + DAY + 599, NOW + 2 * DAY), True, "cooldown"),
    ("id-token-sig", Timetable(NOW, NOW, NOW, NOW + DAY, NOW + DAY + 599, NOW + 2 * DAY), True, "cooldown"),
    ("rp-enc", Timetable(NOW, NOW, NOW, NOW + DAY, NOW + DAY, NOW + 2 * DAY + 599), True, "tail"),
    ("store", Timetable(NOW, NOW, NOW, NOW + DAY, NOW + DAY, NOW + 2 * DAY), True, "tail"),
    ("pairwise", Timetable(NOW, NOW, NOW, NOW + DAY, NOW + DAY, NOW + DAY), True, "never rotated"),
    ("rp-sig", Timetable(NOW, NOW, NOW, NOW + DAY), True, "go together"),
    ("rp-sig", Timetable(NOW, NOW + 10, NOW), True, "not in order"),
    ("rp-sig", Timetable(NOW, NOW, NOW, NOW, NOW + DAY, NOW + DAY), True, "not in order"),
    ("rp-enc", Timetable(NOW, NOW, NOW + DAY), True, "exactly while it is in use"),
]


@pytest.mark.parametrize(("purpose", "table", "first", "wrong"), TOO_SHORT)
def test_a_timetable_that_would_hurt_someone_is_refused(
    purpose: str, table: Timetable, first: bool, wrong: str
) -> None:
    assert any(wrong in said for said in table.problems(PURPOSES[purpose], first=first))


@pytest.mark.parametrize("purpose", PURPOSES)
def test_the_first_key_of_its_kind_needs_no_warm_up(purpose: str) -> None:
    assert list(Timetable.from_now(NOW).problems(PURPOSES[purpose], first=True)) == []


@pytest.mark.parametrize("member", ["created", "publish_from", "use_from"])
@pytest.mark.parametrize("value", [..., None, "1", 1.5, True, -1])
def test_a_timetable_needs_whole_seconds(member: str, value: Any) -> None:
    table = Timetable.from_now(NOW).to_json()
    if value is ...:
        del table[member]
    else:
        table[member] = value
    with pytest.raises(ValueError, match=member):
        Timetable.from_json(table)
