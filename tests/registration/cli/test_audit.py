"""The audit trail of registration: chained, verified, found in and pruned, on both kinds of database."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from sqlalchemy import delete, select, text, update

from kit.audit.heads import Head, sign_head
from kit.audit.signed import Trust, claims_of, sign
from registration import audit
from registration.audit import chain, pruning
from registration.audit.reading import CHECKPOINT, snapshot, verify
from registration.database import migrate
from registration.database.connection import Database
from registration.database.models import AuditCheckpoint, AuditRecord, Company
from registration.keys import load_keys
from tests.harness.collector import audit_keys
from tests.harness.keys import Clock
from tests.harness.registration_commands import WHY, Commands
from tests.harness.registration_rights import FO, NOW, Harness

DAY = 86_400


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The commands' time."""
    moved = Clock(NOW)
    monkeypatch.setattr("time.time", moved)
    return moved


@pytest.fixture
def write(harness: Harness) -> Callable[..., None]:
    def record(*events: str, now: int = NOW, **more: str) -> None:
        for event in events:
            with harness.database.write() as tx:
                audit.record(tx, event, now=now, actor="nobody", **more)

    return record


def change(harness: Harness, *statements: Any) -> None:
    """What somebody does who can write the table."""
    with harness.database.write() as tx:
        for statement in statements:
            tx.execute(statement)


def of(*seqs: int) -> Any:
    return AuditRecord.seq.in_(seqs)


def ends(harness: Harness) -> list[Head]:
    with harness.database.read() as tx:
        rows = tx.execute(select(AuditRecord.seq, AuditRecord.hash).order_by(AuditRecord.seq))
        return [Head(chain.CHAIN, *row) for row in rows]


class TestVerify:
    @pytest.fixture(autouse=True)
    def five(self, write: Callable[..., None]) -> None:
        write("registered", "signed_in", "email_confirmed", "signed_in", "password_changed", terms="2026-11-01 ä€")

    def found(self, commands: Commands) -> list[str]:
        result = commands.run("audit", "verify")
        assert result.exit_code == (1 if result.stderr else 0)
        return result.stderr.splitlines()

    def test_an_untouched_trail_is_well(self, commands: Commands) -> None:
        assert commands.done("audit", "verify") == "5 records, 0 findings\n"

    @pytest.mark.parametrize("column", ["at", "event", "actor", "subject", "fo_nummer", "details"])
    def test_a_change_is_found(self, commands: Commands, harness: Harness, column: str) -> None:
        value: Any = {"at": 1, "details": {"terms": "x"}}.get(column, "x")
        change(harness, update(AuditRecord).where(of(3)).values({column: value}))
        assert self.found(commands) == [
            "record 3: was changed, or does not follow from the one before: its hash is another"
        ]

    def test_a_removed_record_is_found(self, commands: Commands, harness: Harness) -> None:
        change(harness, delete(AuditRecord).where(of(2, 3)))
        assert self.found(commands) == ["record 4: records before it were removed: 1 is followed by 4"]

    def test_the_first_one_too(self, commands: Commands, harness: Harness) -> None:
        change(harness, delete(AuditRecord).where(of(1)))
        assert self.found(commands) == ["record 2: records before it were removed: 0 is followed by 2"]

    def test_a_change_with_its_hash_made_anew_is_found(self, commands: Commands, harness: Harness) -> None:
        with harness.database.write() as tx:
            record = tx.scalars(select(AuditRecord).where(of(3))).one()
            record.actor = "somebody"
            record.hash = chain.digest(ends(harness)[1].hash, record)
        assert [line.partition(":")[0] for line in self.found(commands)] == ["record 4"]

    def test_records_that_changed_places_are_found(self, commands: Commands, harness: Harness) -> None:
        change(harness, *(update(AuditRecord).where(of(old)).values(seq=new) for old, new in ((2, 9), (3, 2), (9, 3))))
        assert [line.partition(":")[0] for line in self.found(commands)] == ["record 2", "record 3", "record 4"]

    def test_what_an_older_version_wrote_beside_this_one_is_told(self, commands: Commands, harness: Harness) -> None:
        with harness.database.write() as tx:
            tx.add(AuditRecord(at=NOW, event="signed_in", actor="nobody", details={}))
        result = commands.run("audit", "verify")
        assert (result.exit_code, result.stderr) == (3, "")
        assert "1 records are not chained" in result.output

    @pytest.fixture
    def kept(self, commands: Commands, harness: Harness, tmp_path: Path) -> Callable[..., Result]:
        """Verify with the heads of records that were kept elsewhere."""
        keys = load_keys(commands.folder / "keys")
        file = tmp_path / "collected.log"
        lines = [f'<109>1 - jws="{sign_head(keys, head, NOW)}"\n' for head in ends(harness)]

        def verify(*chosen: int) -> Result:
            file.write_text("".join(lines[number - 1] for number in chosen))
            return commands.run("audit", "verify", "--heads", str(file))

        return verify

    def test_heads_that_were_kept_are_in_it(self, kept: Callable[..., Result]) -> None:
        done = kept(2, 4, 5)
        assert (done.exit_code, done.output) == (0, "5 records, 3 heads compared, 0 findings\n")

    def test_an_end_that_was_cut_off_is_found_by_them(self, kept: Callable[..., Result], harness: Harness) -> None:
        change(harness, delete(AuditRecord).where(of(4, 5)))
        assert kept(3).exit_code == 0
        assert kept(3, 5).stderr == "record 5: is missing; its hash was kept\n"

    def test_a_chain_that_was_written_anew_is_found_by_them(
        self, kept: Callable[..., Result], commands: Commands, harness: Harness, write: Callable[..., None]
    ) -> None:
        change(harness, delete(AuditRecord))
        write("registered", "signed_in", "signed_in", "signed_in", "password_changed")
        assert commands.run("audit", "verify").exit_code == 0
        assert kept(5).stderr == "record 5: is not the record whose hash was kept\n"

    def test_a_head_of_another_trail_or_signature_is_told(
        self, commands: Commands, kept: Callable[..., Result], tmp_path: Path
    ) -> None:
        file = tmp_path / "others.log"
        broker = sign_head(load_keys(commands.folder / "keys"), Head("audit-x.jsonl", 1, "0" * 64), NOW)
        file.write_text(broker)
        assert "1 heads are of another trail" in commands.run("audit", "verify", "--heads", str(file)).stderr
        file.write_text(broker[:-8] + "AAAAAAAA")
        assert "signed by no key that is known" in commands.run("audit", "verify", "--heads", str(file)).stderr


class TestFind:
    def test_by_user_name_account_company_and_operator(
        self, commands: Commands, harness: Harness, write: Callable[..., None]
    ) -> None:
        aino = harness.person("aino")
        write("signed_in", subject=aino.id)
        write("rights_changed", fo_nummer=FO)
        with harness.database.write() as tx:
            audit.record(tx, "listed", now=NOW, actor="operator:maija", reason="asked by phone")
        for who, event in (
            ("aino", "signed_in"),
            (aino.id[:8], "signed_in"),
            (FO, "rights_changed"),
            ("maija", "listed"),
        ):
            (line,) = commands.done("audit", "find", who, "--json").splitlines()
            assert json.loads(line)["event"] == event
        assert "2026-09-21 14:13:20  3  listed  " in commands.done("audit", "find", "maija")
        assert commands.refused("audit", "find", "nobody-there") == "nothing found\n"
        assert commands.refused("audit", "find", "%") == "nothing found\n"

    def test_since_a_time(self, commands: Commands, write: Callable[..., None], clock: Clock) -> None:
        write("signed_in", now=NOW - 40 * DAY)
        write("password_changed", now=NOW - 20 * DAY)
        assert len(commands.done("audit", "find", "nobody").splitlines()) == 2
        assert "password_changed" in commands.done("audit", "find", "nobody", "--since", "30d")
        assert "signed_in" not in commands.done("audit", "find", "nobody", "--since", "30d")


class TestAppending:
    def test_a_transaction_that_is_rolled_back_leaves_no_gap(self, commands: Commands, harness: Harness) -> None:
        def fail() -> None:
            with harness.database.write() as tx:
                audit.record(tx, "signed_in", now=NOW, actor="nobody")
                tx.flush()
                raise KeyError

        with pytest.raises(KeyError):
            fail()
        with harness.database.write() as tx:
            audit.record(tx, "registered", now=NOW, actor="nobody")
            audit.record(tx, "signed_in", now=NOW, actor="nobody")
        assert [head.seq for head in ends(harness)] == [1, 2]
        assert commands.done("audit", "verify") == "2 records, 0 findings\n"

    def test_many_at_once_make_one_chain(self, commands: Commands, harness: Harness) -> None:
        """And none waits for another in a circle, whatever order they take rows in before."""
        with harness.database.write() as tx:
            tx.add(Company(fo_nummer=FO, key="k", name="x", founded_at=NOW))
        begin = threading.Barrier(8)

        def work(worker: int) -> None:
            begin.wait(60)
            for turn in range(5):
                with harness.database.write() as tx:
                    if worker % 2:
                        audit.record(tx, "signed_in", now=NOW, actor=f"w{worker}", turn=str(turn))
                    tx.execute(select(Company).where(Company.fo_nummer == FO).with_for_update())
                    audit.record(tx, "rights_changed", now=NOW, actor=f"w{worker}", fo_nummer=FO)

        with ThreadPoolExecutor(8) as pool:
            for done in [pool.submit(work, worker) for worker in range(8)]:
                done.result(120)
        assert commands.done("audit", "verify") == "60 records, 0 findings\n"

    def test_one_that_waits_for_the_end_holds_up_nobody_who_records_nothing(self, harness: Harness) -> None:
        """On PostgreSQL; SQLite has one writer at a time."""
        if harness.database.is_sqlite:
            return
        with harness.database.write() as holding:
            chain.hold_end(holding)
            with harness.database.write() as other:
                other.add(Company(fo_nummer="0000002-0", key="k", name="x", founded_at=NOW))


class TestPrune:
    @pytest.fixture(autouse=True)
    def years(self, write: Callable[..., None], clock: Clock) -> None:
        """Three records of long ago, a young one, and one whose clock went back."""
        write("registered", "signed_in", "signed_in", now=NOW - 500 * DAY)
        write("signed_in", now=NOW - 10 * DAY)
        write("signed_in", now=NOW - 450 * DAY)

    def prune(self, commands: Commands, days: int = 400) -> str:
        return commands.done("audit", "prune", "--older-than", f"{days}d", *WHY)

    def test_the_oldest_go_and_a_checkpoint_stands_for_them(self, commands: Commands, harness: Harness) -> None:
        kept = ends(harness)
        assert self.prune(commands) == "3 records were removed\n"
        assert [head.seq for head in ends(harness)] == [4, 5, 6]
        assert commands.done("audit", "verify") == "3 records, 3 pruned, 0 findings\n"
        file = commands.folder / "log"
        log = [{"message": "audit_head", "file": head.file, "seq": head.seq, "head": head.hash} for head in kept]
        file.write_text("\n".join(map(json.dumps, log)))
        assert commands.run("audit", "verify", "--heads", str(file)).exit_code == 0
        file.write_text(json.dumps(log[2] | {"head": "0" * 64}))
        assert commands.run("audit", "verify", "--heads", str(file)).exit_code == 1

    def test_the_trail_tells_of_it(self, commands: Commands, harness: Harness) -> None:
        self.prune(commands)
        told = json.loads(commands.done("audit", "find", "maija", "--json"))
        assert (told["event"], told["details"]["records"], told["details"]["seq"]) == ("audit_pruned", "3", "3")
        assert told["details"]["reason"] == "asked by phone"

    def test_all_may_go_and_the_chain_goes_on(
        self, commands: Commands, write: Callable[..., None], clock: Clock
    ) -> None:
        clock.now += 1000 * DAY
        assert self.prune(commands) == "5 records were removed\n"
        write("signed_in", now=int(clock()))
        clock.now += 500 * DAY
        assert self.prune(commands) == "2 records were removed\n"
        assert commands.done("audit", "verify") == "1 records, 7 pruned, 0 findings\n"

    def test_nothing_old_is_nothing_done(self, commands: Commands, harness: Harness) -> None:
        assert self.prune(commands, 900) == "0 records were removed\n"
        assert len(ends(harness)) == 5

    def test_evidence_is_not_removed(self, commands: Commands, harness: Harness) -> None:
        change(harness, update(AuditRecord).where(of(2)).values(actor="x"))
        said = commands.refused("audit", "prune", "--older-than", "400d", *WHY)
        assert "record 2: was changed" in said
        assert "nothing was removed" in said

    def test_a_cut_before_the_commit_leaves_everything(
        self, commands: Commands, harness: Harness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def cut(*_: Any, **__: Any) -> None:
            raise KeyboardInterrupt

        before = commands.dump()
        with monkeypatch.context() as patch:
            patch.setattr(pruning.audit, "record", cut)
            commands.run("audit", "prune", "--older-than", "400d", *WHY)
        assert commands.dump() == before
        assert self.prune(commands) == "3 records were removed\n"

    @pytest.mark.parametrize(
        ("what", "wrong"),
        [
            (delete(AuditCheckpoint), "is not there, but the trail tells of it"),
            (update(AuditCheckpoint).values(hash="0" * 64), "says something else than was signed"),
            (update(AuditCheckpoint).values(statement="e.y.J"), "signed by no key that is known"),
        ],
    )
    def test_a_checkpoint_that_was_tampered_with_is_found(
        self, commands: Commands, harness: Harness, what: Any, wrong: str
    ) -> None:
        self.prune(commands)
        change(harness, what)
        done = commands.run("audit", "verify")
        assert done.exit_code == 1
        assert wrong in done.stderr

    def test_a_checkpoint_that_somebody_else_has_signed_is_none(
        self, commands: Commands, harness: Harness, tmp_path: Path, clock: Clock
    ) -> None:
        self.prune(commands)
        with harness.database.read() as tx:
            claims = claims_of(tx.scalars(select(AuditCheckpoint.statement)).one())
        assert claims is not None
        forged = sign(audit_keys(tmp_path / "others", clock), CHECKPOINT, claims)
        change(harness, update(AuditCheckpoint).values(statement=forged))
        assert "the checkpoint is signed by no key that is known" in commands.run("audit", "verify").stderr

    def test_a_removed_checkpoint_among_others_is_found(
        self, commands: Commands, harness: Harness, clock: Clock
    ) -> None:
        self.prune(commands)
        clock.now += 1000 * DAY
        self.prune(commands)
        change(harness, delete(AuditCheckpoint).where(AuditCheckpoint.seq == 3))
        assert "a checkpoint before it was removed" in commands.run("audit", "verify").stderr

    def test_a_record_that_came_back_is_found(self, commands: Commands, harness: Harness) -> None:
        self.prune(commands)
        change(harness, update(AuditRecord).where(of(4)).values(seq=2))
        assert "record 2: is there, though a checkpoint stands for it" in commands.run("audit", "verify").stderr

    def test_less_than_a_day_is_given_wrongly(self, commands: Commands) -> None:
        assert commands.run("audit", "prune", "--older-than", "23h", *WHY).exit_code == 2

    def test_without_a_key_nothing_is_removed(self, commands: Commands) -> None:
        (key,) = (commands.folder / "keys").glob("audit-sig-*.json")
        key.unlink()
        assert "no audit-sig key is in use" in commands.refused("audit", "prune", "--older-than", "400d", *WHY)


def test_rows_of_before_the_chain_are_chained_by_the_migration(database_url: str) -> None:
    database = Database(database_url)
    migrate.upgrade(database, "0001")
    with database.write() as tx:
        for number in range(1203):
            values = {"number": number, "details": json.dumps({"terms": "ä€", "reason": f"{number}"})}
            tx.execute(
                text(
                    "INSERT INTO audit (id, at, event, actor, subject, fo_nummer, details)"
                    " VALUES (:number * 2 + 5, 1700000000, 'registered', 'nobody', NULL, '1234567-1', :details)"
                ),
                values,
            )
        if not database.is_sqlite:
            tx.execute(text("SELECT setval('audit_id_seq', 9999)"))
    migrate.upgrade(database)
    with database.write() as tx:
        audit.record(tx, "signed_in", now=NOW, actor="nobody")
    with database.read() as tx:
        snapshot(tx)
        seen = verify(tx, (), Trust(()))
    assert (seen.records, seen.unchained, seen.findings) == (1204, 0, [])
    migrate.downgrade(database, "0001")
    migrate.upgrade(database)
    with database.read() as tx:
        snapshot(tx)
        assert verify(tx, (), Trust(())).findings == []
    database.close()
