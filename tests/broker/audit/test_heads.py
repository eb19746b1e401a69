"""What was kept elsewhere shows what a chain cannot: `tunnus audit verify --heads` against heads that were signed."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import tomli_w
from click.testing import CliRunner, Result

from broker.audit import AuditTrail
from broker.cli import main
from broker.keys import KeyRing, rotation_of
from kit.audit.collector import Collector
from kit.audit.transport import Signed, syslog_message
from kit.keys.files import write_private
from tests.broker.conftest import NOW, Data
from tests.harness.keys import DAY, Clock


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW + 1)


@pytest.fixture
def keys(made_keys: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made_keys, tmp_path / "keys"))


class Kept:
    """A trail, and the file that a collector keeps of its heads."""

    def __init__(self, folder: Path, keys: Path, clock: Clock) -> None:
        self.folder, self.file = folder / "audit", folder / "collected.log"
        self.collector = Collector(KeyRing(keys, clock), self._keep, clock)
        self.trail = AuditTrail(self.folder, clock, head=self.collector.offer)

    def _keep(self, heads: Sequence[Signed]) -> None:
        with self.file.open("ab") as file:
            for head in heads:
                file.write(syslog_message(head, host="h", app="tunnus", enterprise=1) + b"\n")

    def record(self, *references: str) -> None:
        for txn in references:
            self.trail.record("identified", txn=txn)
        self.trail.log_head()
        self.collector.send_waiting()

    def close(self) -> None:
        self.trail.close()
        self.collector.send_waiting()

    @property
    def path(self) -> Path:
        (path,) = self.folder.glob("*.jsonl")
        return path


@pytest.fixture
def kept(tmp_path: Path, keys: Path, clock: Clock) -> Kept:
    kept = Kept(tmp_path, keys, clock)
    kept.record("K1", "K2")
    kept.record("K3", "K4")
    kept.close()
    return kept


@pytest.fixture
def public(keys: Path, clock: Clock, tmp_path: Path) -> Path:
    path = tmp_path / "audit.jwks.json"
    path.write_text(json.dumps({"keys": KeyRing(keys, clock).public_set("audit-sig")}))
    return path


@pytest.fixture
def verified(kept: Kept, public: Path) -> Callable[[], Result]:
    def verify() -> Result:
        where = ["--dir", str(kept.folder), "--heads", str(kept.file), "--keys", str(public)]
        return CliRunner().invoke(main, ["audit", "verify", *where])

    return verify


def test_a_whole_trail_has_every_head(verified: Callable[[], Result]) -> None:
    done = verified()
    assert (done.exit_code, done.output) == (0, "6 records in 1 files, 3 heads compared, 0 findings\n")


def test_an_end_that_was_cut_off_is_found(kept: Kept, verified: Callable[[], Result]) -> None:
    kept.path.write_text("".join(kept.path.read_text().splitlines(keepends=True)[:4]))
    done = verified()
    assert done.exit_code == 1
    assert "is missing; its hash was kept" in done.stderr


def test_a_file_that_was_written_anew_is_found(kept: Kept, tmp_path: Path, verified: Callable[[], Result]) -> None:
    forged = AuditTrail(tmp_path / "forged", lambda: NOW)
    for txn in ("K1", "XX", "K3", "K4"):
        forged.record("identified", txn=txn)
    forged.close()
    (anew,) = (tmp_path / "forged").glob("*.jsonl")
    kept.path.write_text(anew.read_text())
    done = verified()
    assert done.exit_code == 1
    assert done.stderr.count("is not the record whose hash was kept") == 3


def test_a_removed_file_is_found(kept: Kept, verified: Callable[[], Result]) -> None:
    kept.path.unlink()
    done = verified()
    assert done.exit_code == 1
    assert "the file is not there, but its head was kept" in done.stderr


def test_a_head_that_we_have_not_signed_is_told(kept: Kept, tmp_path: Path, verified: Callable[[], Result]) -> None:
    rotation_of(tmp_path / "others", 2048).init(NOW)
    other = Kept(tmp_path / "elsewhere", tmp_path / "others", Clock(NOW + 1))
    other.record("X1")
    kept.file.write_text(kept.file.read_text() + other.file.read_text())
    done = verified()
    assert done.exit_code == 1
    assert "1 statements are signed by no key that is known" in done.stderr


def test_what_holds_no_head_is_refused(kept: Kept, verified: Callable[[], Result]) -> None:
    kept.file.write_text("nothing of ours\n")
    done = verified()
    assert (done.exit_code, "holds no head" in done.stderr) == (1, True)


def test_heads_of_years_are_read_with_the_keys_of_today(
    kept: Kept, keys: Path, clock: Clock, data: Data, tmp_path: Path
) -> None:
    for number in range(3):
        rotation_of(keys).rotate(["audit-sig"], int(clock()))
        kept.trail = AuditTrail(kept.folder, clock, head=kept.collector.offer)
        clock.now += 40
        kept.record(f"A{number}")
        clock.now += 2 * DAY
        kept.record(f"B{number}")
        kept.close()
        clock.now += 365 * DAY
    rotation_of(keys).retire(int(clock()))
    today = tmp_path / "today.jwks.json"
    write_private(today, json.dumps({"keys": KeyRing(keys, clock).public_set("audit-sig")}))
    where = ["--dir", str(kept.folder), "--heads", str(kept.file)]
    done = CliRunner().invoke(main, ["audit", "verify", *where, "--keys", str(today)])
    assert (done.exit_code, done.output) == (0, "18 records in 4 files, 12 heads compared, 0 findings\n")


def test_the_keys_are_those_of_the_configuration_unless_named(
    kept: Kept, keys: Path, data: Data, tmp_path: Path
) -> None:
    config = tmp_path / "tunnus.toml"
    config.write_text(tomli_w.dumps(data | {"keys": {"dir": str(keys)}, "audit": {"dir": str(kept.folder)}}))
    run = ["audit", "verify", "--config", str(config), "--heads", str(kept.file)]
    assert CliRunner().invoke(main, run).exit_code == 0
    others = tmp_path / "none"
    rotation_of(others, 2048).init(NOW)
    config.write_text(tomli_w.dumps(data | {"keys": {"dir": str(others)}, "audit": {"dir": str(kept.folder)}}))
    assert "no key that is known" in CliRunner().invoke(main, run).stderr


def test_a_message_is_short_enough_for_every_syslog_server(kept: Kept, keys: Path, clock: Clock) -> None:
    """RFC 5424 §6.1: receivers must take 480 octets and should take 2048; ours is longest in a rotation."""
    rotation_of(keys).rotate(["audit-sig"], int(clock()))
    clock.now += 40
    kept.trail = AuditTrail(kept.folder, clock, head=kept.collector.offer)
    kept.record("L1")
    longest = max(map(len, kept.file.read_bytes().splitlines()))
    assert longest + len(socket.gethostname()) < 2048
