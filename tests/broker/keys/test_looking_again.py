"""A folder that changes under a running ring."""

from __future__ import annotations

import json
import logging
import threading
from pathlib import Path

import pytest

from broker.keys import PURPOSES, KeyRing, KeysUnusable, Timetable, rotation_of
from kit.keys.key_file import write_key
from kit.keys.rotation import new_key
from providers.model import KeyFailure, UnknownKey
from tests.broker.conftest import NOW
from tests.harness.keys import DAY, Clock, file_of, kid_of


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

    def test_a_key_whose_file_is_lost_goes_on_until_another_is_in_use(
        self, ring: KeyRing, folder: Path, clock: Clock
    ) -> None:
        (old,) = self.kids(ring)
        path = file_of(folder, "id-token-sig", "ES256")
        path.unlink()
        clock.now = NOW + 31
        assert self.kids(ring) == {old}
        assert kid_of(ring.sign("id-token-sig", {}, alg="ES256")) == old
        (problem,) = ring.problems
        assert (path.name in problem.key[0], "restore it" in str(problem.mend)) == (True, True)
        kid = self.add(folder)
        clock.now = NOW + DAY
        assert kid_of(ring.sign("id-token-sig", {}, alg="ES256")) == kid
        clock.now += 31
        assert self.kids(ring) == {kid}
        assert ring.problems == ()

    def test_a_key_that_was_lost_before_its_first_use_is_withdrawn(
        self, ring: KeyRing, folder: Path, clock: Clock
    ) -> None:
        kid = self.add(folder)
        clock.now = NOW + 31
        assert kid in self.kids(ring)
        (folder / f"id-token-sig-{kid}.json").unlink()
        clock.now = NOW + 62
        assert kid not in self.kids(ring)

    def test_what_was_sealed_under_a_lost_key_opens_as_long_as_it_may_live(
        self, ring: KeyRing, folder: Path, clock: Clock
    ) -> None:
        sealed = ring.seal("name", b"data")
        file_of(folder, "store").unlink()
        rotation_of(folder).init(NOW, ["store"])
        clock.now = NOW + 31
        assert ring.seal("name", b"data")[1:9] != sealed[1:9]
        assert ring.unseal("name", sealed) == b"data"
        clock.now += PURPOSES["store"].tail
        with pytest.raises(UnknownKey):
            ring.unseal("name", sealed)

    def test_an_emptied_folder_changes_nothing_for_who_runs(self, ring: KeyRing, folder: Path, clock: Clock) -> None:
        before = {(key.purpose, key.kid) for key in ring.status()}
        for path in folder.glob("*.json"):
            path.unlink()
        clock.now = NOW + 31
        assert {(key.purpose, key.kid) for key in ring.status()} == before
        assert len(ring.problems) == len(before)

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
