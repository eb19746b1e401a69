"""Connections to PostgreSQL that are kept: which are asked whether they still are one, before they are used again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from sqlalchemy import text
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

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
