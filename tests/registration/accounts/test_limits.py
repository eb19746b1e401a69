"""Tries on PostgreSQL, where two people are at work at once: nobody waits for somebody who waits for them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any, cast

import pytest
from sqlalchemy import Connection, select, text
from sqlalchemy.exc import OperationalError

from registration.accounts import limits
from registration.accounts.limits import Limit
from registration.database import migrate
from registration.database.connection import Database
from registration.database.models import Tries
from registration.service import Service
from registration.tidy import tidy

NOW = 1_790_000_000


@pytest.fixture
def database(postgres_url: str) -> Iterator[Database]:
    """With two rows, of which the later one by name lies first."""
    opened = Database(postgres_url, 4)
    migrate.upgrade(opened)
    for name in ("b", "a"):
        with opened.write() as transaction:
            transaction.add(Tries(id=name, count=0, until=NOW + 60))
    yield opened
    opened.close()


def lock(connection: Connection, name: str) -> bool:
    """Take a row, unless somebody has it."""
    try:
        if connection.get_transaction() is None:
            connection.exec_driver_sql("BEGIN")
        connection.execute(select(Tries).where(Tries.id == name).with_for_update(nowait=True))
    except OperationalError:
        return False
    return True


def wait_until_one_waits(database: Database) -> None:
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    with database.engine.connect() as connection:
        while connection.execute(waiting).scalar() == 0:
            connection.rollback()


def test_what_is_counted_together_is_locked_in_one_order(database: Database) -> None:
    reached: list[dict[str, int]] = []

    def take() -> None:
        with database.write() as transaction:
            reached.append(limits.take_all(transaction, {"b": Limit(9, 60), "a": Limit(9, 60)}, NOW))

    taker = threading.Thread(target=take)
    with database.engine.connect() as connection:
        assert lock(connection, "b")
        taker.start()
        wait_until_one_waits(database)
        assert not lock(connection, "a"), "a comes before b, whatever order they were given in"
        connection.rollback()
    taker.join()
    assert reached == [{}]


def test_tidying_leaves_what_somebody_is_at_work_on(database: Database) -> None:
    class Later:
        now = NOW + 61

    Later.database = database  # type: ignore[attr-defined]
    with database.engine.connect() as connection:
        assert lock(connection, "b")
        tidy(cast(Service, cast(Any, Later)))
        left = connection.execute(select(Tries.id)).scalars().all()
    assert left == ["b"]
