"""A dump that cannot be made or loaded says why, and no password."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from kit.settings.report import ConfigurationError
from registration.database.dump import dump, load
from tests.harness.postgres import PostgresServer

NOWHERE = "postgresql+psycopg://someone:canary@/none?host=/nowhere"


def test_a_database_that_cannot_be_reached_is_told(postgres_server: PostgresServer, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as raised:
        dump(NOWHERE, tmp_path, postgres_server.programs)
    assert "failed: pg_dump: error: connection to server" in str(raised.value)
    assert "canary" not in str(raised.value)


def test_the_folder_of_the_programs_can_be_named(postgres_url: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"mend: install PostgreSQL's client programs, .* --pg-bin"):
        dump(postgres_url, tmp_path, tmp_path)


def test_a_file_that_is_no_dump_is_told(postgres_server: PostgresServer, postgres_url: str, tmp_path: Path) -> None:
    (tmp_path / "database.dump").write_text("no dump")
    with pytest.raises(ConfigurationError, match="failed: pg_restore: error"):
        load(postgres_url, tmp_path / "database.dump", postgres_server.programs)


def test_a_damaged_sqlite_file_makes_no_backup(tmp_path: Path) -> None:
    file = tmp_path / "a.sqlite"
    with sqlite3.connect(file) as database:
        database.execute("CREATE TABLE t (x)")
        database.executemany("INSERT INTO t VALUES (?)", [("x" * 3000,) for _ in range(50)])
    database.close()
    content = bytearray(file.read_bytes())
    content[20_000:24_000] = b"\xff" * 4000
    file.write_bytes(content)
    with pytest.raises(ConfigurationError, match="integrity_check failed"):
        dump(f"sqlite:///{file}", tmp_path)
