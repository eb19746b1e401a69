"""Archives that are not restored, and why."""

from __future__ import annotations

from pathlib import Path

import pytest

from kit.backup.archive import write_archive
from registration.database import migrate
from tests.harness.registration_machine import Machine

pytestmark = pytest.mark.smoke

WHY = ("--operator", "maija", "--reason", "disk lost", "--without-erasures")
NOW = 1_790_000_000


def refused(machine: Machine, *archives: Path) -> str:
    """The error of a restore into an empty database."""
    machine.lose_the_database()
    done = machine.run("restore", *archives, *WHY)
    assert (done.exit_code, isinstance(done.exception, SystemExit)) == (1, True), done.output
    return done.stderr


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """A file for archives that somebody else has made."""
    (tmp_path / "content").write_text("content")
    return tmp_path / "other.tar.gz"


def made(other: Path, kind: str, name: str, revision: str) -> Path:
    write_archive(other, kind, [(name, other.with_name("content"))], NOW, {"revision": revision})
    return other


def test_one_of_a_newer_schema(machine: Machine, other: Path) -> None:
    name = "database.dump" if machine.programs else "database.sqlite"
    assert "newer version" in refused(machine, made(other, "registration database", name, "9999"))


def test_one_of_the_other_kind_of_database(machine: Machine, other: Path) -> None:
    name = "database.sqlite" if machine.programs else "database.dump"
    revision = migrate.revisions()[-1]
    assert "another kind of database" in refused(machine, made(other, "registration database", name, revision))


def test_the_brokers(machine: Machine, other: Path) -> None:
    said = refused(machine, made(other, "broker keys", "keys/a.json", "0001"))
    assert "is an archive of broker keys: tunnus restore" in said


def test_two_of_a_kind(machine: Machine, tmp_path: Path) -> None:
    archives = [Path(machine.run("backup", "--to", tmp_path / to).stdout.split()[0]) for to in ("a", "b")]
    assert "is the second archive of registration database" in refused(machine, *archives)


def test_what_is_no_archive(machine: Machine, other: Path) -> None:
    other.write_text("text")
    assert "no archive of ours" in refused(machine, other)
    other.unlink()
    name = "database.dump" if machine.programs else "database.sqlite"
    said = refused(machine, made(other, "registration database", name, migrate.revisions()[-1]))
    assert ("pg_restore" if machine.programs else "is not a database") in said
