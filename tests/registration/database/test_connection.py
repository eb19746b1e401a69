"""Connections to PostgreSQL that are kept: which are asked whether they still are one, before they are used again.

And writers on SQLite, who wait for each other.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import text
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.exc import OperationalError

from registration.database import connection
from registration.database.connection import PING_AFTER, Database


class Moment:
    """The clock of connections, and when one was asked."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.asked: list[float] = []

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def moment(monkeypatch: pytest.MonkeyPatch) -> Moment:
    moment, ping = Moment(), PGDialect_psycopg.do_ping
    monkeypatch.setattr(connection, "time", moment)
    monkeypatch.setattr(PGDialect_psycopg, "do_ping", lambda *of: moment.asked.append(moment.now) or ping(*of))
    return moment


@pytest.fixture
def database(moment: Moment, postgres_url: str) -> Iterator[Database]:
    with closing(Database(postgres_url, 1)) as database:
        yield database


def process(database: Database) -> int:
    """The server's process behind the connection."""
    with database.read() as transaction:
        return int(transaction.execute(text("SELECT pg_backend_pid()")).scalar_one())


def test_a_connection_is_asked_when_nobody_has_taken_it_for_a_while(database: Database, moment: Moment) -> None:
    first = process(database)
    assert process(database) == first
    moment.asked.clear()
    moment.now += PING_AFTER - 1
    assert process(database) == first
    assert moment.asked == []
    moment.now += PING_AFTER
    assert process(database) == first
    assert moment.asked == [moment.now]


def test_a_connection_that_the_server_has_ended_is_replaced_at_once(
    database: Database, moment: Moment, postgres_url: str
) -> None:
    first = process(database)
    assert process(database) == first
    moment.asked.clear()
    with closing(Database(postgres_url, 1)) as other, other.read() as transaction:
        assert transaction.scalar(text("SELECT pg_terminate_backend(:process, 5000)"), {"process": first})
    assert process(database) != first
    assert moment.asked == [moment.now]


def test_what_is_read_begins_no_transaction_whose_end_forgets_prepared_statements(database: Database) -> None:
    for _ in range(8):
        process(database)
    with database.read() as transaction:
        assert transaction.scalar(text("SELECT count(*) FROM pg_prepared_statements")) == 1


def test_writers_of_a_process_wait_for_each_other_and_not_for_sqlite(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite refuses at once whoever would have to wait, so that only those get through who never asked it to."""
    with monkeypatch.context() as patch:
        patch.setattr(connection, "WAIT", 0)
        database = Database(f"sqlite:///{tmp_path / 'turns.sqlite'}")
    with closing(database), database.write() as transaction:
        transaction.execute(text("CREATE TABLE counted (number INTEGER)"))
        transaction.execute(text("INSERT INTO counted VALUES (0)"))
    together = Barrier(8)

    def count(_: int) -> None:
        together.wait()
        for _ in range(10):
            with database.write() as transaction:
                transaction.execute(text("UPDATE counted SET number = number + 1"))

    with closing(database), ThreadPoolExecutor(8) as pool:
        list(pool.map(count, range(8)))
        with database.read() as transaction:
            assert transaction.execute(text("SELECT number FROM counted")).scalar_one() == 80


def test_a_writer_that_waits_too_long_for_another_goes_to_sqlite_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "WAIT", 0)
    with (
        closing(Database(f"sqlite:///{tmp_path / 'turns.sqlite'}")) as database,
        database.write(),
        pytest.raises(OperationalError, match="locked"),
        database.write(),
    ):
        pass
