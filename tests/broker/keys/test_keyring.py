"""The key ring: phases by the clock, a folder that changes, and what it refuses."""

from __future__ import annotations

import json
import logging
import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwe, jws
from joserfc.jwk import ECKey, OctKey, RSAKey, import_key

from broker.keys import PURPOSES, KeyRing, KeysUnusable, Phase, Timetable, generate_keys
from broker.keys.generate import new_key
from broker.keys.key_file import write_key
from providers.dialects import DIALECTS
from providers.model import DecryptionFailed, KeyFailure, UnknownKey
from tests.broker.conftest import NOW

DAY = 86_400
ALGORITHMS = ("RSA-OAEP", "A128CBC-HS256")


class Clock:
    """Time that a test moves."""

    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def full(made_keys: Path, tmp_path: Path) -> Path:
    """A folder with a key for every purpose, to change."""
    return Path(shutil.copytree(made_keys, tmp_path / "keys"))


@pytest.fixture
def folder(full: Path) -> Path:
    """The same without RSA keys, which take long to parse."""
    for path in full.iterdir():
        if json.loads(path.read_text())["jwk"]["kty"] == "RSA":
            path.unlink()
    return full


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ring(folder: Path, clock: Clock) -> KeyRing:
    """A ring over a folder that the test may change."""
    return KeyRing(folder, clock)


@pytest.fixture(scope="session")
def whole(made_keys: Path) -> KeyRing:
    """A ring over every key there is; nobody changes its folder."""
    return KeyRing(made_keys, Clock())


def file_of(folder: Path, purpose: str, alg: str | None = None) -> Path:
    """The file of the one key of a purpose."""
    found = [
        path for path in folder.glob(f"{purpose}-*.json") if alg in {None, json.loads(path.read_text())["jwk"]["alg"]}
    ]
    assert len(found) == 1
    return found[0]


def change(path: Path, **members: Any) -> None:
    """Change a key file's members in place."""
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | members))


def end(folder: Path, purpose: str, alg: str | None, use: int, publish: int, keep: int) -> None:
    """Give the one key of a purpose its end."""
    path = file_of(folder, purpose, alg)
    table = Timetable.from_json(json.loads(path.read_text())["timetable"])
    table = replace(table, use_until=use, publish_until=publish, keep_until=keep)
    change(path, timetable=table.to_json())


def kid_of(token: str) -> str:
    """The `kid` of a compact JWS."""
    return str(jws.extract_compact(token.encode()).headers()["kid"])


def sealed_to(
    jwk: dict[str, Any], data: bytes = b"a token", algorithms: tuple[str, ...] = ALGORITHMS, **header: Any
) -> str:
    """A JWE to a public key."""
    protected = {"alg": "RSA-OAEP", "enc": "A128CBC-HS256", "kid": jwk["kid"], **header}
    registry = jwe.JWERegistry(algorithms=[*algorithms, "DEF"], strict_check_header=False)
    key = RSAKey.import_key({"kty": "RSA", "n": jwk["n"], "e": jwk["e"]})
    return jwe.encrypt_compact(protected, data, key, registry=registry)


class TestUse:
    def test_every_purpose_has_a_key_in_use_after_generating(self, whole: KeyRing) -> None:
        assert whole.missing() == []
        assert {status.purpose for status in whole.status()} == set(PURPOSES)

    @pytest.mark.parametrize(
        ("purpose", "alg"), [("rp-sig", "RS256"), ("id-token-sig", "RS256"), ("id-token-sig", "ES256")]
    )
    def test_a_signature_verifies_with_the_published_key(self, whole: KeyRing, purpose: str, alg: str) -> None:
        token = whole.sign(purpose, {"sub": "Å"}, alg=alg, typ="JWT")
        public = next(key for key in whole.public_set(purpose) if key["kid"] == kid_of(token))
        verified = jws.deserialize_compact(token, import_key(public), algorithms=[alg])
        assert json.loads(verified.payload or b"") == {"sub": "Å"}
        assert verified.headers() == {"alg": alg, "kid": public["kid"], "typ": "JWT"}

    def test_no_type_is_given_where_none_is_wanted(self, whole: KeyRing) -> None:
        assert "typ" not in jws.extract_compact(whole.sign("entity", {}, typ=None).encode()).headers()

    def test_an_algorithm_of_no_key_signs_nothing(self, whole: KeyRing) -> None:
        with pytest.raises(UnknownKey):
            whole.sign("rp-sig", {}, alg="ES256")

    @pytest.mark.parametrize("purpose", [name for name, held in PURPOSES.items() if held.role != "secret"])
    def test_no_private_member_is_published(self, whole: KeyRing, purpose: str) -> None:
        for key in whole.public_set(purpose):
            assert set(key) <= {"kty", "n", "e", "crv", "x", "y", "kid", "use", "alg"}
            assert key["use"] == PURPOSES[purpose].role

    def test_what_is_encrypted_to_us_may_be_so_in_every_way_that_a_dialect_allows(self, whole: KeyRing) -> None:
        assert all("alg" not in key for key in whole.public_set("rp-enc"))
        assert {key["alg"] for key in whole.public_set("rp-sig")} == {"RS256"}
        (jwk,) = whole.public_set("rp-enc")
        for dialect in DIALECTS.values():
            for alg in dialect.jwe_algorithms:
                algorithms = (alg, "A128CBC-HS256")
                token = sealed_to(jwk, algorithms=algorithms, alg=alg)
                assert whole.decrypt("rp-enc", token, algorithms=algorithms).payload == b"a token"

    @pytest.mark.parametrize("purpose", ["pairwise", "store"])
    def test_a_secret_key_has_no_public_part(self, whole: KeyRing, purpose: str) -> None:
        with pytest.raises(ValueError, match="no public part"):
            whole.public_set(purpose)

    def test_nothing_of_a_key_shows_in_the_ring_or_its_status(self, whole: KeyRing, made_keys: Path) -> None:
        secrets = [json.loads(path.read_text())["jwk"].get(name) for path in made_keys.iterdir() for name in ("d", "k")]
        shown = repr(whole.status()) + repr(whole._folder)
        assert not any(secret in shown for secret in secrets if secret)

    def test_the_pairwise_code_is_hmac_of_the_one_pairwise_key(self, whole: KeyRing, made_keys: Path) -> None:
        assert whole.pairwise(b"m") == KeyRing(made_keys, Clock()).pairwise(b"m") != whole.pairwise(b"n")
        assert len(whole.pairwise(b"m")) == 32


class TestDecrypt:
    def test_a_message_to_the_published_key_opens(self, whole: KeyRing) -> None:
        jwk = whole.public_set("rp-enc")[0]
        opened = whole.decrypt("rp-enc", sealed_to(jwk, cty="JWT"), algorithms=ALGORITHMS)
        assert (opened.payload, opened.kid, opened.header["cty"]) == (b"a token", jwk["kid"], "JWT")

    def test_extra_header_members_are_tolerated(self, whole: KeyRing) -> None:
        token = sealed_to(whole.public_set("rp-enc")[0], iss="https://bank.fi", aud="tunnus")
        assert whole.decrypt("rp-enc", token, algorithms=ALGORITHMS).payload == b"a token"

    @pytest.mark.parametrize("allowed", [("RSA-OAEP-256", "A128CBC-HS256"), ("RSA-OAEP", "A256GCM")])
    def test_an_algorithm_that_is_not_allowed_does_not_open(self, whole: KeyRing, allowed: tuple[str, str]) -> None:
        with pytest.raises(DecryptionFailed):
            whole.decrypt("rp-enc", sealed_to(whole.public_set("rp-enc")[0]), algorithms=allowed)

    def test_a_compressed_message_is_not_opened(self, whole: KeyRing) -> None:
        token = sealed_to(whole.public_set("rp-enc")[0], zip="DEF")
        with pytest.raises(DecryptionFailed, match="compressed"):
            whole.decrypt("rp-enc", token, algorithms=[*ALGORITHMS, "DEF"])

    def test_an_unknown_or_missing_kid_is_told_apart_from_a_broken_message(self, whole: KeyRing) -> None:
        jwk = whole.public_set("rp-enc")[0]
        with pytest.raises(UnknownKey):
            whole.decrypt("rp-enc", sealed_to(jwk | {"kid": "other"}), algorithms=ALGORITHMS)
        with pytest.raises(UnknownKey, match="names no key"):
            whole.decrypt("rp-enc", "eyJraWQiOjF9.a.b.c.d", algorithms=ALGORITHMS)
        with pytest.raises(DecryptionFailed):
            whole.decrypt("rp-enc", sealed_to(jwk)[:-6] + "AAAAAA", algorithms=ALGORITHMS)

    def test_a_message_that_names_no_key_is_tried_with_each_newest_first(
        self, full: Path, clock: Clock, spare_rsa: RSAKey, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        old = KeyRing(full, clock).public_set("rp-enc")[0]
        write_key(full, PURPOSES["rp-enc"], spare_rsa, Timetable(NOW, NOW + 120, NOW + 120))
        clock.now = NOW + 120
        ring = KeyRing(full, clock)
        tried: list[str] = []
        plain = jwe.decrypt_compact
        monkeypatch.setattr(jwe, "decrypt_compact", lambda t, key, **o: tried.append(key.kid) or plain(t, key, **o))
        newest = next(jwk["kid"] for jwk in ring.public_set("rp-enc") if jwk["kid"] != old["kid"])
        token = sealed_to(old, kid="")
        opened = ring.decrypt("rp-enc", token, algorithms=ALGORITHMS, kid_required=False)
        assert (opened.payload, opened.kid, tried) == (b"a token", old["kid"], [newest, old["kid"]])
        with pytest.raises(UnknownKey, match="names no key"):
            ring.decrypt("rp-enc", token, algorithms=ALGORITHMS)
        token = sealed_to(ring.public_set("rp-sig")[0], kid="")
        with pytest.raises(DecryptionFailed):
            ring.decrypt("rp-enc", token, algorithms=ALGORITHMS, kid_required=False)

    @pytest.mark.parametrize("token", ["", "a.b.c.d.e", "W10.a.b.c.d", "åäö", "bnVsbA....", "{}"])
    def test_what_is_no_message_fails_as_one(self, whole: KeyRing, token: str) -> None:
        with pytest.raises(DecryptionFailed):
            whole.decrypt("rp-enc", token, algorithms=ALGORITHMS)

    def test_a_key_of_another_purpose_does_not_decrypt(self, whole: KeyRing) -> None:
        with pytest.raises(UnknownKey):
            whole.decrypt("rp-enc", sealed_to(whole.public_set("rp-sig")[0]), algorithms=ALGORITHMS)


class TestSeal:
    def test_what_was_sealed_opens_under_its_name(self, whole: KeyRing) -> None:
        assert whole.unseal("name", whole.seal("name", b"data")) == b"data"

    def test_it_does_not_open_under_another_name(self, whole: KeyRing) -> None:
        with pytest.raises(DecryptionFailed):
            whole.unseal("other", whole.seal("name", b"data"))

    @pytest.mark.parametrize("place", [0, 12, -1])
    def test_a_changed_byte_is_noticed(self, whole: KeyRing, place: int) -> None:
        sealed = bytearray(whole.seal("name", b"data"))
        sealed[place] ^= 1
        with pytest.raises(DecryptionFailed):
            whole.unseal("name", bytes(sealed))

    def test_the_key_id_is_a_part_of_what_is_protected(self, whole: KeyRing) -> None:
        sealed = bytearray(whole.seal("name", b"data"))
        sealed[3] ^= 1
        with pytest.raises(UnknownKey):
            whole.unseal("name", bytes(sealed))

    @pytest.mark.parametrize("value", [b"", b"\x01", b"\x02" + b"0" * 60])
    def test_another_format_is_refused(self, whole: KeyRing, value: bytes) -> None:
        with pytest.raises(DecryptionFailed):
            whole.unseal("name", value)

    def test_nothing_is_sealed_the_same_twice(self, whole: KeyRing) -> None:
        assert whole.seal("name", b"data") != whole.seal("name", b"data")

    def test_an_older_key_still_opens_until_its_tail_ends(self, folder: Path, clock: Clock) -> None:
        sealed = KeyRing(folder, clock).seal("name", b"data")
        keep = NOW + 3 * DAY
        end(folder, "store", None, NOW + DAY, NOW + DAY, keep)
        successor = Timetable(created=NOW + 10, publish_from=NOW + DAY - 5, use_from=NOW + DAY - 5)
        write_key(folder, PURPOSES["store"], new_key("A256GCM"), successor)
        ring = KeyRing(folder, clock)
        clock.now = NOW + DAY + 1
        newer = ring.seal("name", b"new")
        assert newer[1:9] != sealed[1:9]
        assert ring.unseal("name", sealed) == b"data"
        clock.now = keep
        assert ring.unseal("name", newer) == b"new"
        with pytest.raises(UnknownKey):
            ring.unseal("name", sealed)


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


def public_half(jwk: dict[str, Any]) -> dict[str, Any]:
    """A JWK without its private member."""
    return {name: value for name, value in jwk.items() if name != "d"}


BROKEN: list[tuple[str, Callable[[dict[str, Any]], Any]]] = [
    ("is no key file", lambda content: content | {"surprise": 1}),
    ("is no key file", lambda content: [content]),
    ("no known purpose", lambda content: content | {"purpose": "other"}),
    ("does not bear the name", lambda content: content | {"purpose": "rp-sig"}),
    ("does not bear the name", lambda content: content | {"jwk": content["jwk"] | {"kid": "other"}}),
    ("another algorithm", lambda content: content | {"jwk": content["jwk"] | {"alg": "HS256"}}),
    ("no usable JWK", lambda content: content | {"jwk": content["jwk"] | {"d": "AA", "x": "AA"}}),
    ("no private key", lambda content: content | {"jwk": public_half(content["jwk"])}),
    ("timetable", lambda content: content | {"timetable": {}}),
    ("timetable", lambda content: content | {"timetable": content["timetable"] | {"expires": 1}}),
]


class TestFolder:
    def test_it_is_made_for_its_owner_alone(self, tmp_path: Path) -> None:
        made = generate_keys(tmp_path / "a" / "keys", NOW, purposes=("store", "pairwise"))
        assert (tmp_path / "a" / "keys").stat().st_mode & 0o777 == 0o700
        assert [path.stat().st_mode & 0o777 for path in made] == [0o600, 0o600]

    def test_generating_twice_makes_no_second_key(self, full: Path) -> None:
        assert generate_keys(full, NOW + 1) == []

    @pytest.mark.parametrize("mode", [0o750, 0o705, 0o777])
    def test_an_open_folder_is_refused_with_the_mend(self, folder: Path, clock: Clock, mode: int) -> None:
        folder.chmod(mode)
        with pytest.raises(KeysUnusable, match=f"chmod 700 {folder}"):
            KeyRing(folder, clock)

    @pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
    def test_an_open_file_is_refused_with_the_mend(self, folder: Path, clock: Clock, mode: int) -> None:
        path = file_of(folder, "pairwise")
        path.chmod(mode)
        with pytest.raises(KeysUnusable, match=f"chmod 600 {path}"):
            KeyRing(folder, clock)

    def test_a_missing_folder_says_how_to_make_one(self, tmp_path: Path, clock: Clock) -> None:
        with pytest.raises(KeysUnusable, match="tunnus keys init"):
            KeyRing(tmp_path / "nowhere", clock)

    def test_every_problem_of_the_folder_is_told_at_once(self, folder: Path, clock: Clock) -> None:
        file_of(folder, "store").write_text("{")
        file_of(folder, "pairwise").chmod(0o644)
        end(folder, "id-token-sig", "ES256", NOW + DAY, NOW + DAY, NOW + DAY)
        with pytest.raises(KeysUnusable) as caught:
            KeyRing(folder, clock)
        assert len(caught.value.problems) == 3

    def test_a_second_pairwise_key_is_refused(self, folder: Path, clock: Clock) -> None:
        write_key(folder, PURPOSES["pairwise"], new_key("HS256"), Timetable.from_now(NOW + 1))
        with pytest.raises(KeysUnusable, match="second pairwise key"):
            KeyRing(folder, clock)

    def test_a_key_file_is_never_written_over(self, folder: Path) -> None:
        key = new_key("ES256")
        write_key(folder, PURPOSES["id-token-sig"], key, Timetable.from_now(NOW))
        with pytest.raises(FileExistsError):
            write_key(folder, PURPOSES["id-token-sig"], key, Timetable.from_now(NOW))

    @pytest.mark.parametrize(("wrong", "bend"), BROKEN)
    def test_a_broken_file_is_refused_without_showing_the_key(
        self, folder: Path, clock: Clock, wrong: str, bend: Callable[[dict[str, Any]], Any]
    ) -> None:
        path = file_of(folder, "id-token-sig", "ES256")
        content = json.loads(path.read_text())
        path.write_text(json.dumps(bend(content)))
        with pytest.raises(KeysUnusable, match=wrong) as caught:
            KeyRing(folder, clock)
        assert content["jwk"]["d"] not in str(caught.value)

    def test_a_store_key_of_another_size_is_refused(self, folder: Path, clock: Clock) -> None:
        path = file_of(folder, "store")
        jwk = json.loads(path.read_text())["jwk"]
        change(path, jwk=jwk | {"k": OctKey.generate_key(128).as_dict(private=True)["k"]})
        with pytest.raises(KeysUnusable, match="size"):
            KeyRing(folder, clock)

    def test_another_curve_is_refused(self, folder: Path, clock: Clock) -> None:
        path = file_of(folder, "id-token-sig", "ES256")
        jwk = json.loads(path.read_text())["jwk"]
        other = ECKey.generate_key("P-384").as_dict(private=True)
        change(path, jwk={**other, "alg": "ES256", "kid": jwk["kid"]})
        with pytest.raises(KeysUnusable, match="size"):
            KeyRing(folder, clock)


class TestLookingAgain:
    def add(self, folder: Path) -> str:
        key = new_key("ES256")
        table = Timetable(created=NOW + 1, publish_from=NOW + 1, use_from=NOW + DAY)
        write_key(folder, PURPOSES["id-token-sig"], key, table)
        return str(key.kid)

    def kids(self, ring: KeyRing) -> set[str]:
        return {jwk["kid"] for jwk in ring.public_set("id-token-sig")}

    def test_a_new_file_is_seen_within_30_seconds_and_not_before(
        self, ring: KeyRing, folder: Path, clock: Clock
    ) -> None:
        kid = self.add(folder)
        clock.now = NOW + 29
        assert kid not in self.kids(ring)
        clock.now = NOW + 30
        assert kid in self.kids(ring)

    def test_a_removed_file_is_gone(self, ring: KeyRing, folder: Path, clock: Clock) -> None:
        file_of(folder, "id-token-sig", "ES256").unlink()
        clock.now = NOW + 31
        assert self.kids(ring) == set()
        assert "id-token-sig ES256" in ring.missing()

    def test_only_what_changed_is_parsed_again(self, ring: KeyRing, folder: Path, clock: Clock) -> None:
        parsed = ring.parsed
        clock.now = NOW + 31
        ring.sign("id-token-sig", {}, alg="ES256")
        assert ring.parsed == parsed
        self.add(folder)
        clock.now = NOW + 62
        ring.sign("id-token-sig", {}, alg="ES256")
        assert ring.parsed == parsed + 1

    def test_a_broken_new_file_leaves_the_last_good_state_and_is_reported_once(
        self, ring: KeyRing, folder: Path, clock: Clock, caplog: pytest.LogCaptureFixture
    ) -> None:
        before = self.kids(ring)
        broken = folder / "id-token-sig-x.json"
        broken.write_text("{")
        broken.chmod(0o600)
        self.add(folder)
        for later in (31, 62):
            clock.now = NOW + later
            assert self.kids(ring) == before
            assert len(ring.problems) == 1
        assert [record.getMessage() for record in caplog.records] == ["keys_unusable"]
        broken.unlink()
        clock.now = NOW + 93
        assert len(self.kids(ring)) == len(before) + 1
        assert ring.problems == ()

    def test_a_folder_that_became_open_is_reported(self, ring: KeyRing, folder: Path, clock: Clock) -> None:
        folder.chmod(0o755)
        clock.now = NOW + 31
        assert "open to others" in ring.problems[0].wrong
        assert "store A256GCM" not in ring.missing()

    def test_a_file_that_became_open_is_reported(self, ring: KeyRing, folder: Path, clock: Clock) -> None:
        file_of(folder, "pairwise").chmod(0o644)
        clock.now = NOW + 31
        assert "open to others" in ring.problems[0].wrong

    def test_an_unfinished_file_is_not_read(self, ring: KeyRing, folder: Path, clock: Clock) -> None:
        (folder / ".id-token-sig-x.json").write_text("{")
        clock.now = NOW + 31
        assert ring.problems == ()

    def test_many_threads_sign_and_seal_while_keys_come(self, ring: KeyRing, folder: Path, clock: Clock) -> None:
        failed: list[Exception] = []

        def work() -> None:
            try:
                for _ in range(40):
                    clock.now += 1
                    ring.sign("id-token-sig", {}, alg="ES256")
                    assert ring.unseal("n", ring.seal("n", b"d")) == b"d"
            except (AssertionError, KeyFailure, KeysUnusable) as error:
                failed.append(error)

        threads = [threading.Thread(target=work) for _ in range(6)]
        for thread in threads:
            thread.start()
        self.add(folder)
        for thread in threads:
            thread.join()
        assert failed == []


@pytest.fixture(scope="session")
def spare_rsa() -> RSAKey:
    """One more encryption key."""
    key = new_key("RSA-OAEP")
    assert isinstance(key, RSAKey)
    return key


def test_key_problems_are_logged_without_any_key(
    ring: KeyRing, folder: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = json.loads(file_of(folder, "store").read_text())["jwk"]["k"]
    (folder / "store-x.json").write_text(json.dumps({"k": secret}))
    clock.now = NOW + 31
    assert ring.problems
    assert secret not in caplog.text
    assert secret not in str(ring.problems)


def test_a_message_with_a_long_header_decrypts(made_keys: Path) -> None:
    ring = KeyRing(made_keys, lambda: NOW + 1)
    key = RSAKey.import_key(ring.public_set("rp-enc")[0])
    header = {"alg": "RSA-OAEP", "enc": "A128GCM", "kid": key.kid, "x5c": ["A" * 3000]}

    class Registry(jwe.JWERegistry):
        max_protected_header_length = 8192

    registry = Registry(algorithms=["RSA-OAEP", "A128GCM"], strict_check_header=False)
    token = jwe.encrypt_compact(header, b"said", key, registry=registry)
    assert ring.decrypt("rp-enc", token, algorithms=["RSA-OAEP", "A128GCM"]).payload == b"said"
