"""`tunnus audit prune`: what is too old goes, a signed checkpoint stays, and a crash at any moment loses nothing."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from click.testing import CliRunner, Result

from broker.audit import AuditTrail, Head, Verification, find, verify
from broker.audit import prune as pruning
from broker.audit.chain import moment
from broker.audit.prune import Pruned, Tampered, last_record, prune
from broker.cli import main
from broker.keys import KeyRing
from demo.runner.processes import free_port
from kit.audit.signed import Trust
from kit.keys.watch import WatchedKeys
from tests.broker.conftest import NOW, Data
from tests.harness.collector import SyslogServer, audit_keys, rotate
from tests.harness.keys import DAY, Clock

YEAR = 365 * DAY


class Kept:
    """A trail of several files, and the key of whoever prunes it."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock(NOW)
        self.folder, self.key_folder = folder / "audit", folder / "prune-keys"
        self.keys: WatchedKeys = audit_keys(self.key_folder, self.clock)

    def write(self, txn: str, *, close: bool = True) -> AuditTrail:
        trail = AuditTrail(self.folder, self.clock)
        trail.record("identified", txn=txn)
        if close:
            trail.close()
        return trail

    @property
    def trust(self) -> Trust:
        return Trust(key.public_jwk() for key in self.keys.published("audit-sig"))

    def prune(self, days: int = 400) -> Pruned:
        trail = AuditTrail(self.folder, self.clock)
        older_than = moment(self.clock() - days * DAY)
        return prune(trail, self.folder, older_than, self.keys, self.trust, self.clock())

    def verify(self, *heads: Head) -> Verification:
        return verify(self.folder, heads, self.trust)

    def wrong(self, *heads: Head) -> list[str]:
        return [finding.wrong for finding in self.verify(*heads).findings]

    @property
    def files(self) -> list[Path]:
        return sorted(self.folder.glob("*.jsonl"))

    @property
    def checkpoints(self) -> list[Path]:
        return sorted(self.folder.glob("checkpoint-*.jws"))

    def records(self, event: str) -> list[dict[str, Any]]:
        lines = [json.loads(line) for path in self.files for line in path.read_text().splitlines()]
        return [line for line in lines if line["event"] == event]


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    """Two old files, and a year later one that is not."""
    made = Kept(tmp_path)
    made.write("OLD1")
    made.clock.now += 60
    made.write("OLD2")
    made.clock.now += YEAR
    made.write("NEW1")
    made.clock.now += 100 * DAY
    return made


def test_old_files_go_and_a_checkpoint_stands_for_them(kept: Kept) -> None:
    ends = [last_record(path) for path in kept.files[:2]]
    assert kept.prune() == Pruned(files=2, records=6, checkpoint="checkpoint-000001.jws", kept=0)
    assert find(kept.folder, "OLD1") == []
    assert len(find(kept.folder, "NEW1")) == 1
    seen = kept.verify(*(head for head, _ in filter(None, ends)))
    assert (seen.findings, seen.unclosed, seen.unfinished, seen.pruned) == ([], [], [], 6)


def test_the_trail_tells_of_it(kept: Kept) -> None:
    kept.prune()
    (told,) = kept.records("pruned")
    assert told["count"] == 6
    assert len(told["checkpoint"]) == 64


def test_what_is_young_enough_stays_and_nothing_is_told(kept: Kept) -> None:
    assert kept.prune(days=1000) == Pruned(0, 0, None, 0)
    assert len(kept.files) == 3
    assert kept.checkpoints == []


def test_a_file_that_is_still_written_to_stays(kept: Kept) -> None:
    kept.clock.now -= YEAR + 200 * DAY
    running = kept.write("IDLE", close=False)
    kept.clock.now += YEAR + 200 * DAY
    assert kept.prune().kept == 1
    running.record("identified", txn="LATE")
    running.close()
    assert kept.wrong() == []
    assert len(find(kept.folder, "LATE")) == 1


def test_a_file_that_a_killed_broker_left_goes(kept: Kept) -> None:
    path = kept.files[0]
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]) + '{"torn')
    assert kept.prune().files == 2
    assert (kept.wrong(), kept.verify().unclosed) == ([], [])


def test_pruning_goes_on_from_the_checkpoint_before(kept: Kept) -> None:
    kept.prune()
    kept.clock.now += YEAR
    assert kept.prune().files == 1  # NEW1
    kept.clock.now += YEAR
    assert kept.prune().files == 1  # the first prune's own
    assert [path.name[-5] for path in kept.checkpoints] == ["1", "2", "3"]
    seen = kept.verify()
    assert (seen.findings, seen.unfinished, seen.pruned) == ([], [], 12)


def test_evidence_is_not_removed(kept: Kept) -> None:
    path = kept.files[0]
    path.write_text(path.read_text().replace("OLD1", "FAKE"))
    with pytest.raises(Tampered):
        kept.prune()
    assert len(kept.files) == 3
    assert kept.checkpoints == []


class Cut(BaseException):
    """The machine loses its power."""


class TestCutShort:
    """After a cut at each step the trail verifies, tells that there is something to finish, and the next call does."""

    def cut(self, kept: Kept, monkeypatch: pytest.MonkeyPatch, place: Any, name: str) -> Verification:
        def cut(*_: Any, **__: Any) -> None:
            raise Cut

        with monkeypatch.context() as patch:
            patch.setattr(place, name, cut)
            with pytest.raises(Cut):
                kept.prune()
        return kept.verify()

    def finish(self, kept: Kept) -> None:
        assert kept.prune().files
        seen = kept.verify()
        assert (seen.findings, seen.unfinished, seen.pruned) == ([], [], 6)
        assert len(kept.records("pruned")) == 1
        assert find(kept.folder, "OLD") == []

    def test_before_the_checkpoint_nothing_has_happened(self, kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
        seen = self.cut(kept, monkeypatch, pruning, "write_checkpoint")
        assert (seen.findings, seen.unfinished, seen.pruned) == ([], [], 0)
        self.finish(kept)

    def test_before_it_is_told(self, kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
        seen = self.cut(kept, monkeypatch, AuditTrail, "record")
        assert (seen.findings, len(seen.unfinished)) == ([], 3)
        self.finish(kept)

    def removing_stops_at(self, kept: Kept, monkeypatch: pytest.MonkeyPatch, number: int) -> Verification:
        real, removed = Path.unlink, []

        def unlink(path: Path, missing_ok: bool = False) -> None:
            if path.suffix == ".jsonl":
                removed.append(path)
                if len(removed) == number:
                    raise Cut
            real(path, missing_ok=missing_ok)

        with monkeypatch.context() as patch:
            patch.setattr(Path, "unlink", unlink)
            with pytest.raises(Cut):
                kept.prune()
        return kept.verify()

    @pytest.mark.parametrize(("number", "left"), [(1, 2), (2, 1)])
    def test_before_a_file_is_removed(
        self, kept: Kept, monkeypatch: pytest.MonkeyPatch, number: int, left: int
    ) -> None:
        seen = self.removing_stops_at(kept, monkeypatch, number)
        assert (seen.findings, len(seen.unfinished)) == ([], left)
        self.finish(kept)

    def test_a_file_changed_before_it_is_removed_stays(self, kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
        """The checkpoint knows its end: one that was written anew meanwhile is no file to finish with."""
        self.removing_stops_at(kept, monkeypatch, 1)
        anew = AuditTrail(kept.folder.parent / "anew", kept.clock)
        anew.record("identified", txn="FAKE")
        anew.close()
        (forged,) = (kept.folder.parent / "anew").glob("*.jsonl")
        kept.files[0].write_bytes(forged.read_bytes())
        assert kept.wrong() == ["is not the record whose hash was kept"]
        with pytest.raises(Tampered):
            kept.prune()


class TestTampering:
    def test_a_removed_checkpoint_is_found(self, kept: Kept) -> None:
        kept.prune()
        kept.checkpoints[0].unlink()
        assert kept.wrong() == ["is not there, but the trail tells of it"]

    def test_a_removed_or_changed_checkpoint_among_others_is_found(self, kept: Kept) -> None:
        kept.prune()
        kept.clock.now += YEAR
        kept.prune()
        second = kept.checkpoints[1].read_text()
        kept.checkpoints[0].write_text(second)
        assert "is not the checkpoint that the next one follows" in kept.wrong()
        kept.checkpoints[0].unlink()
        assert "a checkpoint before it was removed" in kept.wrong()

    def test_a_checkpoint_of_somebody_elses_key_is_none(self, kept: Kept, tmp_path: Path) -> None:
        ours, kept.keys = kept.keys, audit_keys(tmp_path / "others", kept.clock)
        kept.prune()
        kept.keys = ours
        assert "is signed by no key that is known; name it with --keys" in kept.wrong()

    def test_a_head_that_is_not_in_what_was_pruned_is_found(self, kept: Kept) -> None:
        (last, _), (other, _) = (last_record(path) or (Head("", 0, ""), "") for path in kept.files[:2])
        kept.prune()
        assert kept.wrong(Head(last.file, last.seq - 1, "0" * 64)) == []  # nothing is known of it any more
        for head in (Head(last.file, last.seq + 1, "0" * 64), Head(last.file, last.seq, other.hash)):
            assert kept.wrong(head) == ["is not in what the checkpoint stands for; its hash was kept"]

    def test_a_removed_file_that_no_checkpoint_stands_for_is_found(self, kept: Kept) -> None:
        kept.prune()
        (last, _) = last_record(kept.files[0]) or (Head("", 0, ""), "")
        kept.files[0].unlink()
        assert kept.wrong(last) == ["the file is not there, but its head was kept"]


def test_a_checkpoint_is_signed_anew_while_its_key_is_known(kept: Kept) -> None:
    """So that today's key is enough for all of them."""
    kept.prune()
    for _ in range(2):
        rotate(kept.key_folder, kept.clock)
        kept.clock.now += 20 * DAY
        assert kept.prune(days=2000).files == 0
    assert len(kept.checkpoints) == 3
    assert kept.wrong() == []


def test_a_group_that_may_read_the_folder_may_read_its_files(kept: Kept, tmp_path: Path) -> None:
    assert stat.S_IMODE(kept.files[0].stat().st_mode) == 0o600
    shared = Kept(tmp_path / "shared")
    shared.folder.mkdir()
    shared.folder.chmod(0o3770)
    shared.write("K1")
    assert stat.S_IMODE(shared.files[0].stat().st_mode) == 0o640


class TestCommand:
    @pytest.fixture
    def run(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
        clock = Clock(NOW)
        kept = Kept(tmp_path)
        kept.clock = clock
        kept.write("OLD1")
        clock.now += YEAR + 100 * DAY
        kept.write("NEW1")
        monkeypatch.setattr("time.time", clock)
        return lambda *arguments: CliRunner().invoke(main, ["audit", *map(str, arguments)])

    def test_the_role_needs_its_own_key_and_the_trail_only(self, run: Callable[..., Result], tmp_path: Path) -> None:
        where = ("--dir", tmp_path / "audit")
        done = run("prune", "--older-than", "400d", *where, "--key-dir", tmp_path / "prune-keys")
        assert (done.exit_code, done.output) == (
            0,
            "3 records in 1 files were removed; checkpoint-000001.jws stands for them\n",
        )
        public = tmp_path / "public.jwks.json"
        shown = CliRunner().invoke(main, ["audit-keys", "show-public", "--dir", str(tmp_path / "prune-keys")])
        public.write_text(shown.output)
        done = run("verify", *where, "--keys", public)
        assert (done.exit_code, done.output) == (0, "6 records in 2 files, 3 pruned, 0 findings\n")
        done = run("verify", *where)
        assert (done.exit_code, "signed by no key that is known" in done.stderr) == (1, True)

    def test_a_configuration_says_who_may_prune(
        self, run: Callable[..., Result], tmp_path: Path, data: Data, made_keys: Path
    ) -> None:
        config = tmp_path / "tunnus.toml"
        shown = CliRunner().invoke(main, ["audit-keys", "show-public", "--dir", str(tmp_path / "prune-keys")])
        (tmp_path / "checkpoints.jwks.json").write_text(shown.output)
        trail = {"dir": str(tmp_path / "audit"), "checkpoint_keys": "checkpoints.jwks.json"}
        config.write_text(tomli_w.dumps(data | {"keys": {"dir": str(made_keys)}, "audit": trail}))
        with_config = ("--config", config)
        done = run("prune", "--older-than", "400d", *with_config, "--key-dir", tmp_path / "prune-keys")
        assert done.exit_code == 0, done.output
        assert run("verify", *with_config).exit_code == 0
        (checkpoint,) = (tmp_path / "audit").glob("checkpoint-*.jws")
        checkpoint.unlink()
        brokers = KeyRing(made_keys, lambda: NOW + 1)
        pruning.write_checkpoint(tmp_path / "audit", brokers, [], [Head("audit-x.jsonl", 1, "0" * 64)], "x", NOW)
        assert "signed by no key that is known" in run("verify", *with_config).stderr

    def test_the_head_of_the_record_goes_to_the_collector(
        self, run: Callable[..., Result], tmp_path: Path, data: Data, made_keys: Path
    ) -> None:
        with SyslogServer() as server:
            config = self.config(tmp_path, data, made_keys, server.port)
            done = run("prune", "--older-than", "400d", "--config", config)
            assert done.exit_code == 0, done.output
            collected = tmp_path / "collected"
            collected.write_bytes(server.received.get(timeout=60))
        done = run("verify", "--config", config, "--heads", collected)
        assert (done.exit_code, "1 heads compared, 0 findings" in done.output) == (0, True), done.output

    def test_a_head_that_could_not_be_sent_is_told(
        self, run: Callable[..., Result], tmp_path: Path, data: Data, made_keys: Path
    ) -> None:
        config = self.config(tmp_path, data, made_keys, free_port())
        done = run("prune", "--older-than", "400d", "--config", config)
        assert (done.exit_code, "was not sent: it cannot be reached" in done.stderr) == (1, True)
        assert run("verify", "--config", config).exit_code == 0

    def config(self, folder: Path, data: Data, keys: Path, port: int) -> Path:
        path = folder / "tunnus.toml"
        trail = {"dir": str(folder / "audit"), "collector": {"url": f"syslog+tcp://127.0.0.1:{port}"}}
        path.write_text(tomli_w.dumps(data | {"keys": {"dir": str(keys)}, "audit": trail}))
        return path

    def test_what_is_tampered_with_is_told_and_stays(self, run: Callable[..., Result], tmp_path: Path) -> None:
        (path, *_) = sorted((tmp_path / "audit").glob("*.jsonl"))
        path.write_text(path.read_text().replace("OLD1", "FAKE"))
        where = ("--dir", tmp_path / "audit", "--key-dir", tmp_path / "prune-keys")
        done = run("prune", "--older-than", "400d", *where)
        assert (done.exit_code, "was changed" in done.stderr, "nothing was removed" in done.stderr) == (1, True, True)
        assert path.exists()

    def test_without_a_key_nothing_is_removed(self, run: Callable[..., Result], tmp_path: Path) -> None:
        for key in (tmp_path / "prune-keys").glob("*.json"):
            key.unlink()
        where = ("--dir", tmp_path / "audit", "--key-dir", tmp_path / "prune-keys")
        done = run("prune", "--older-than", "400d", *where)
        assert (done.exit_code, "no audit-sig key" in done.stderr) == (1, True)
        assert len(os.listdir(tmp_path / "audit")) == 3  # two files, and the lock

    def test_less_than_a_day_and_no_key_are_given_wrongly(self, run: Callable[..., Result], tmp_path: Path) -> None:
        where = ("--dir", tmp_path / "audit")
        assert run("prune", "--older-than", "2h", *where, "--key-dir", tmp_path / "prune-keys").exit_code == 2
        done = run("prune", "--older-than", "400d", *where)
        assert (done.exit_code, "--key-dir" in done.output) == (2, True)
