"""`upgrade`: from the oldest schema there ever was, with rows in every table, to a newer one, and back."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from registration.database import migrate
from tests.harness.registration_machine import OLDEST, Machine

pytestmark = pytest.mark.smoke

WHY = ("--operator", "maija", "--reason", "back")
MIGRATION = """
from alembic import op
import sqlalchemy as sa

revision, down_revision = "9999", "{head}"


def upgrade():
    with op.batch_alter_table("account") as table:
        table.add_column(sa.Column("note", sa.String(8), server_default="new"))
    {more}


def downgrade():
    with op.batch_alter_table("account") as table:
        table.drop_column("note")
"""


@pytest.fixture
def newer_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes this the version after today's, with one more migration."""

    def make(more: str = "") -> None:
        head = migrate.revisions()[-1]
        folder = tmp_path / "migrations"
        shutil.copytree(migrate.FOLDER, folder, ignore=shutil.ignore_patterns("__pycache__"))
        (folder / "versions" / "9999_next.py").write_text(MIGRATION.format(head=head, more=more))
        monkeypatch.setattr(migrate, "FOLDER", folder)

    return make


def test_an_upgrade_keeps_what_was_there_and_leads_back(
    machine: Machine, newer_version: Callable[..., None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = machine.rows()
    assert before == machine.samples
    newer_version()
    done = machine.run("upgrade", "--to", tmp_path / "backups")
    assert done.exit_code == 0, done.output
    archive, keys, *said = done.stdout.splitlines()
    assert Path(keys).exists()
    assert f"schema: {OLDEST} before, 9999 now" in said
    assert machine.rows() == before
    assert "note" in machine.columns("account")
    # Back by the newer version: what was written since stays.
    assert f"migrate --down-to {OLDEST}" in "\n".join(said)
    assert machine.run("migrate", "--down-to", OLDEST, input="y\n").exit_code == 0
    assert "note" not in machine.columns("account")
    assert machine.rows() == before
    monkeypatch.undo()
    # Back by the older version, into an empty database: what was written since is lost, and sessions end.
    assert f"tunnus-registration restore {archive}" in "\n".join(said)
    machine.lose_the_database()
    restored = machine.run("restore", archive, "--without-erasures", *WHY)
    assert restored.exit_code == 0, restored.output
    after = machine.rows()
    assert after.pop("audit")[:1] == before.pop("audit")
    assert after == before | {"session": [], "attempt": []}


def test_an_upgrade_that_fails_leaves_all_as_it_was(
    machine: Machine, newer_version: Callable[..., None], tmp_path: Path
) -> None:
    newer_version("op.execute('INSERT INTO nothing VALUES (1)')")
    done = machine.run("upgrade", "--to", tmp_path / "backups")
    assert (done.exit_code, isinstance(done.exception, SystemExit)) == (1, True)
    assert "note" not in machine.columns("account")
    assert machine.rows() == machine.samples
    assert len(list((tmp_path / "backups").iterdir())) == 2


def test_an_upgrade_to_the_same_schema_says_so(machine: Machine, tmp_path: Path) -> None:
    head = migrate.revisions()[-1]
    assert machine.run("upgrade", "--to", tmp_path / "backups").exit_code == 0
    done = machine.run("upgrade", "--to", tmp_path / "others")
    assert (done.exit_code, f"schema: {head} before, {head} now" in done.output) == (0, True)
