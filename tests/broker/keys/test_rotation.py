"""Rotation by command: nobody who caches what we publish meets a key that they do not know, or one that is gone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import Key

from broker.keys import PURPOSES, KeyRing, KeysUnusable, Phase, Timetable, rotation_of
from broker.keys.purposes import BANK_CACHE, CLIENT_CACHE, STATEMENT_EXCHANGE, TOKEN_LIFETIME
from kit.keys import rotation
from kit.keys.folder import Folder, read_folder
from kit.keys.key_file import HeldKey
from kit.keys.rotation import Rotation, new_key
from kit.keys.timetable import ALL_LOOKED, AT_ONCE
from kit.keys.watch import status_of
from tests.broker.conftest import NOW
from tests.harness.keys import DAY, Clock

LATER = NOW + 100 * DAY
ROTATING = [name for name, purpose in PURPOSES.items() if purpose.rotates]
SIGNING = [("entity", 0), ("rp-sig", BANK_CACHE), ("id-token-sig", CLIENT_CACHE)]


@pytest.fixture(scope="session")
def rsa_keys() -> list[dict[str, Any]]:
    """RSA keys made beforehand: making one takes longer than any test here."""
    return [new_key("RS256").as_dict(private=True) for _ in range(8)]


@pytest.fixture
def commands(full: Path, rsa_keys: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> Rotation:
    """What the commands do to a folder that has all keys, in use since NOW."""
    left = iter(rsa_keys)

    def quickly(alg: str, *, rsa_bits: int = 2048) -> Key:
        if not alg.startswith("RS"):
            return new_key(alg)
        return rotation.import_key({**next(left), "alg": alg})

    monkeypatch.setattr(rotation, "new_key", quickly)
    return rotation_of(full)


_PARSED: dict[Path, Folder] = {}


def keys_of(folder: Path, purpose: str) -> list[HeldKey]:
    _PARSED[folder] = read_folder(folder, PURPOSES, _PARSED.get(folder))
    return _PARSED[folder].of(purpose)


def moments(keys: list[HeldKey], *around: int) -> Iterator[int]:
    """Just before, at and after each change of each key, and so many seconds later."""
    for key in keys:
        for at in key.timetable.to_json().values():
            if isinstance(at, int) and not isinstance(at, bool) and at >= LATER:
                yield from (at + more + off for more in (0, *around) for off in (-61, -1, 0, 1, 61))


class TestWhoCaches:
    """A cache that was filled at any moment serves for as long as it may be kept."""

    @pytest.mark.parametrize(("purpose", "cache"), SIGNING)
    def test_knows_each_key_that_signs_and_whatever_was_signed_lately(
        self, commands: Rotation, full: Path, purpose: str, cache: int
    ) -> None:
        commands.rotate([purpose], LATER)
        keys = keys_of(full, purpose)
        for alg in PURPOSES[purpose].algorithms:
            mine = [key for key in keys if key.alg == alg]
            assert len(mine) == 2
            for filled in {*moments(mine), *moments(mine, -cache, cache)}:
                known = {key.kid for key in mine if key.timetable.published(filled)}
                for used in (filled - min(cache, TOKEN_LIFETIME), filled, filled + cache):
                    in_use = [key for key in mine if key.timetable.phase(key.purpose, used) is Phase.IN_USE]
                    assert in_use
                    newest = max(in_use, key=lambda key: key.timetable.use_from)
                    assert newest.kid in known, (filled - LATER, used - LATER)

    def test_encrypts_to_a_key_that_opens_until_the_message_has_lapsed(self, commands: Rotation, full: Path) -> None:
        commands.rotate(["rp-enc"], LATER)
        keys = keys_of(full, "rp-enc")
        for filled in moments(keys):
            published = [key for key in keys if key.timetable.published(filled)]
            assert published
            for key in published:
                for sent in (filled, filled + BANK_CACHE + TOKEN_LIFETIME):
                    assert key.timetable.phase(key.purpose, sent) not in (Phase.FUTURE, Phase.GONE)

    def test_a_new_encryption_key_is_published_only_when_every_broker_has_looked(
        self, commands: Rotation, full: Path
    ) -> None:
        for emergency in (False, True):
            commands.rotate(["rp-enc"], LATER, emergency=emergency)
            newest = keys_of(full, "rp-enc")[-1].timetable
            assert newest.publish_from >= newest.created + ALL_LOOKED


def test_a_second_call_makes_nothing(commands: Rotation, full: Path) -> None:
    assert len(commands.rotate(ROTATING, LATER)) == len(ROTATING) + 1
    before = {path.name: path.read_bytes() for path in full.glob("*.json")}
    assert commands.rotate(ROTATING, LATER + 60) == []
    assert {path.name: path.read_bytes() for path in full.glob("*.json")} == before


def test_of_many_at_once_one_makes_a_key(commands: Rotation, full: Path) -> None:
    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(lambda _: rotation_of(full).rotate(["store", "id-token-sig"], LATER), range(6)))
    assert sorted(map(len, made)) == [0, 0, 0, 0, 0, 3]
    assert len(keys_of(full, "store")) == 2


def test_what_a_killed_command_left_is_finished_by_the_next(
    commands: Rotation, full: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(rotation, "write_timetable", killed)
        with pytest.raises(KeyboardInterrupt):
            commands.rotate(["store"], LATER)
    old, new = keys_of(full, "store")
    assert (old.timetable.use_until, new.timetable.created) == (None, LATER)
    assert commands.rotate(["store"], LATER + 60) == []
    assert keys_of(full, "store")[0].timetable == old.timetable.ended_by(old.purpose, new.timetable)


class TestEmergency:
    @pytest.mark.parametrize("purpose", ROTATING)
    def test_the_new_key_is_in_use_and_the_old_one_withdrawn_within_a_minute(
        self, commands: Rotation, full: Path, purpose: str
    ) -> None:
        commands.rotate([purpose], LATER - 60)
        commands.rotate([purpose], LATER, emergency=True)
        ring = KeyRing(full, Clock(LATER + AT_ONCE))
        found = [key for key in ring.status() if key.purpose == purpose]
        new = [key for key in found if key.phase is Phase.IN_USE]
        assert len(new) == len(PURPOSES[purpose].algorithms)
        assert all(key.use_from > LATER for key in new)
        assert {key.kid for key in found if key.published} <= {key.kid for key in new}

    def test_somebody_always_signs(self, commands: Rotation, full: Path) -> None:
        commands.rotate(ROTATING, LATER, emergency=True)
        clock = Clock(LATER)
        ring = KeyRing(full, clock)
        for second in range(AT_ONCE + 70):
            clock.now = LATER + second
            assert ring.missing() == []

    def test_what_was_encrypted_to_a_stolen_key_opens_and_what_it_sealed_does_not(
        self, commands: Rotation, full: Path
    ) -> None:
        commands.rotate(["rp-enc", "store"], LATER, emergency=True)
        for purpose, phase in (("rp-enc", Phase.TAIL), ("store", Phase.GONE)):
            old = keys_of(full, purpose)[0]
            assert old.timetable.phase(old.purpose, LATER + AT_ONCE + 1) is phase

    def test_an_encryption_key_is_replaced_together_with_the_key_that_makes_banks_fetch(
        self, commands: Rotation, full: Path
    ) -> None:
        commands.rotate(["rp-enc"], LATER, emergency=True)
        (encryption, signing) = (keys_of(full, name)[-1].timetable for name in ("rp-enc", "rp-sig"))
        assert encryption.publish_from == signing.publish_from < signing.use_from
        assert keys_of(full, "id-token-sig")[-1].timetable.created == NOW


class TestLost:
    def test_what_is_missing_is_in_use_within_a_minute(self, commands: Rotation, full: Path) -> None:
        for name in ("rp-enc", "entity"):
            (full / keys_of(full, name)[0].file).unlink()
        made = commands.init(LATER)
        assert sorted(path.name.rsplit("-", 1)[0][:6] for path in made)[:1] == ["entity"]
        assert len(made) == 3
        assert KeyRing(full, Clock(LATER + AT_ONCE)).missing() == []

    def test_a_bank_that_encrypts_to_a_lost_key_is_known_until_it_must_fetch(
        self, commands: Rotation, full: Path, rsa_keys: list[dict[str, Any]]
    ) -> None:
        (full / keys_of(full, "rp-enc")[0].file).unlink()
        commands.init(LATER, ["rp-enc"])  # alone, as before rotation knew better
        clock = Clock(LATER + 1)
        ring = KeyRing(full, clock)
        assert ring.lost_encryption_key() == LATER + BANK_CACHE
        clock.now = LATER + BANK_CACHE
        assert ring.lost_encryption_key() is None
        clock.now = LATER + 60
        commands.rotate(["rp-enc"], LATER + 60, emergency=True)
        clock.now += AT_ONCE
        assert ring.lost_encryption_key() is None

    def test_an_emptied_folder_is_no_first_start(self, commands: Rotation, full: Path) -> None:
        for path in full.glob("*.json"):
            path.unlink()
        with pytest.raises(KeysUnusable, match="lost its pairwise key"):
            commands.init(LATER)
        assert len(commands.init(LATER, without_backup=True)) == 8
        assert KeyRing(full, Clock(LATER + AT_ONCE)).missing() == []

    def test_a_first_start_that_was_cut_short_is_finished_by_the_next(
        self, commands: Rotation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        new, made = rotation_of(tmp_path / "new", 2048), []
        quickly = rotation.new_key

        def killed(alg: str, *, rsa_bits: int = 2048) -> Key:
            made.append(alg)
            if len(made) > 2:
                raise KeyboardInterrupt
            return quickly(alg, rsa_bits=rsa_bits)

        with monkeypatch.context() as patched:
            patched.setattr(rotation, "new_key", killed)
            with pytest.raises(KeyboardInterrupt):
                new.init(NOW)
        new.init(NOW)
        assert KeyRing(tmp_path / "new", Clock(NOW + AT_ONCE)).missing() == []

    def test_a_schedule_makes_no_key_that_was_lost(self, commands: Rotation, full: Path) -> None:
        (full / keys_of(full, "rp-enc")[0].file).unlink()
        assert commands.due({"rp-enc": 30, "rp-sig": 90}, LATER) == ["rp-sig"]
        with pytest.raises(KeysUnusable, match="keys init"):
            commands.rotate(["rp-enc"], LATER)
        assert keys_of(full, "rp-enc") == []

    def test_what_cannot_be_replaced_is_not_made_anew_by_itself(self, commands: Rotation, full: Path) -> None:
        (full / keys_of(full, "pairwise")[0].file).unlink()
        with pytest.raises(KeysUnusable, match="restore it from the backup"):
            commands.init(LATER)
        assert keys_of(full, "pairwise") == []
        assert len(commands.init(LATER, without_backup=True)) == 1


class TestDue:
    EVERY = {"rp-sig": 30, "store": 60}  # noqa: RUF012

    def test_it_is_due_so_early_that_the_warm_up_is_over_in_time(self, commands: Rotation, full: Path) -> None:
        by = NOW + 30 * DAY
        warm = BANK_CACHE + 3600
        assert commands.due(self.EVERY, by - warm - 1) == []
        assert commands.due(self.EVERY, by - warm) == ["rp-sig"]
        commands.rotate(["rp-sig"], by - warm)
        assert commands.due(self.EVERY, by - warm) == []
        assert keys_of(full, "rp-sig")[-1].timetable.use_from == by

    def test_a_key_with_an_end_and_no_successor_is_due(self, commands: Rotation, full: Path) -> None:
        path = full / keys_of(full, "store")[0].file
        table = Timetable(NOW, NOW, NOW, LATER, LATER, LATER + 10 * DAY)
        path.write_text(json.dumps(json.loads(path.read_text()) | {"timetable": table.to_json()}))
        assert commands.due({"store": 3650}, LATER - 3660) == ["store"]
        assert commands.due({"store": 3650}, LATER - 2 * DAY) == []

    def test_only_what_is_gone_is_removed(self, commands: Rotation, full: Path) -> None:
        commands.rotate(["rp-enc"], LATER)
        old, new = keys_of(full, "rp-enc")
        assert old.timetable.keep_until is not None
        assert commands.retire(old.timetable.keep_until - 1) == []
        assert commands.retire(old.timetable.keep_until) == [full / old.file]
        assert [key.kid for key in keys_of(full, "rp-enc")] == [new.kid]


def test_an_entity_key_that_a_bank_does_not_know_yet_is_put_off(commands: Rotation, full: Path) -> None:
    commands.rotate(["entity"], LATER)
    assert keys_of(full, "entity")[1].timetable.use_from == LATER + STATEMENT_EXCHANGE
    assert commands.postpone("entity", 14 * DAY, LATER + DAY) == 1
    old, new = keys_of(full, "entity")
    assert new.timetable.use_from == LATER + STATEMENT_EXCHANGE + 14 * DAY
    assert new.timetable.published(LATER)
    assert old.timetable == Timetable.from_now(NOW).ended_by(old.purpose, new.timetable)
    assert commands.postpone("rp-sig", DAY, LATER) == 0


@pytest.mark.parametrize("purpose", ROTATING)
def test_each_key_says_what_is_next(commands: Rotation, full: Path, purpose: str) -> None:
    commands.rotate([purpose], LATER)
    for key in keys_of(full, purpose):
        now = float(LATER)
        while (change := status_of(key, now).change) is not None:
            assert change[0] > now
            now = change[0]
        assert key.timetable.keep_until in (None, now)
