"""The database: one engine per process, SQLite or PostgreSQL, and a transaction for each piece of work.

Neither driver begins a transaction by itself: who begins one says so. SQLite is in WAL mode, and a writing transaction
takes its lock at the start (`BEGIN IMMEDIATE`): one that began by reading and then wrote would fail instead of wait.
Writers of one process wait by a lock of ours: SQLite's own look again after pauses that grow, and some are passed by
for seconds. On PostgreSQL a row is locked where it matters (`with_for_update`, which SQLite does not need and
SQLAlchemy leaves out there). What only reads begins none there: each of its statements sees what is committed, as in
any transaction of READ COMMITTED, and the rollback at the end of one would make psycopg forget the statements that it
has prepared.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from math import inf
from pathlib import Path
from select import POLLIN, poll
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Table, create_engine, event, func, make_url, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlalchemy.pool import QueuePool
from sqlalchemy.sql.dml import ReturningInsert

WAIT = 30
"""Seconds that a writer waits for another one on SQLite."""
PING_AFTER = 5
"""Seconds after which a connection to PostgreSQL that nobody has taken is asked whether it still is one."""

LAST_ACT = "last act"
_Result = TypeVar("_Result")


class Database:
    """Transactions on one database. url: SQLAlchemy's. pool_size: connections kept open, at most twice as many."""

    def __init__(self, url: str, pool_size: int = 16) -> None:
        parsed = make_url(url)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        options: dict[str, Any] = {"connect_args": {"timeout": WAIT}} if self.is_sqlite else {"pool_pre_ping": True}
        options |= {"pool_size": pool_size, "max_overflow": pool_size}
        self.engine = create_engine(parsed, isolation_level="AUTOCOMMIT", **options)
        if self.is_sqlite:
            event.listen(self.engine, "connect", _prepare_sqlite)
        else:
            _look_before_ping(self.engine.dialect)
        self._writers = threading.Lock()
        self._to_read = "BEGIN" if self.is_sqlite else None
        self._to_write = "BEGIN IMMEDIATE" if self.is_sqlite else "BEGIN"
        self._pool_size = pool_size

    @contextmanager
    def _connected(self, begin: str | None) -> Iterator[Session]:
        # Not by the event `begin`: where one is listened for, each statement looks for listeners four times.
        with self.engine.connect() as connection:
            if begin is not None:
                connection.exec_driver_sql(begin)
            session = _OnConnection(connection)
            try:
                yield session
            finally:
                if session.in_transaction():
                    session.close()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Of a writer on SQLite. Who has waited for WAIT seconds goes on without, and SQLite refuses it if it must."""
        held = self.is_sqlite and self._writers.acquire(timeout=WAIT)
        try:
            yield
        finally:
            if held:
                self._writers.release()

    def begin(self, connection: Connection) -> None:
        """Begin a transaction that writes, on a connection of the engine."""
        connection.exec_driver_sql(self._to_write)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """For what only reads; what it read may be used after its end. Two statements may be of two moments."""
        with self._connected(self._to_read) as session:
            session.autoflush = False
            yield session

    def read_only(self, transaction: Session) -> str | None:
        """The mend if nothing can be written there, and None if something can; as far as can be seen without writing.

        transaction: one that reads.
        """
        if self.is_sqlite:
            file = Path(str(self.engine.url.database))
            writable = all(os.access(place, os.W_OK) for place in (file, file.parent))
            return None if writable else "mend its disk, or whose the file and folder are"
        standby = select(func.pg_is_in_recovery(), func.current_setting("default_transaction_read_only"))
        in_recovery, default = transaction.execute(standby).one()
        if in_recovery:
            return "it is a standby: name the primary, or promote it"
        return "it is set to default_transaction_read_only: see why, and unset it" if default == "on" else None

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A transaction that is committed at the end, or rolled back if an error leaves it.

        What it does as its last act before the commit is a function of it, in its `info` under LAST_ACT.
        """
        with self._turn(), self._connected(self._to_write) as session:
            yield session
            if (last := session.info.get(LAST_ACT)) is not None:
                last(session)
            session.flush()
            session.connection().commit()

    def tried(self, change: Callable[[Session], _Result]) -> _Result:
        """What a change gives that is taken back at once: it may be refused before anybody is asked about it."""
        with self._turn(), self._connected(self._to_write) as session:
            found = change(session)
            session.flush()
            return found

    @property
    def connections(self) -> int:
        """Connections in use now."""
        pool = self.engine.pool
        return pool.checkedout() if isinstance(pool, QueuePool) else 0

    @property
    def most_connections(self) -> int:
        """How many there may be."""
        return 2 * self._pool_size

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


class _OnConnection(Session):
    """A session of one connection, whose transaction it leaves to who has begun it.

    What is no object's goes by the connection itself, and the session costs nothing then.
    """

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection, expire_on_commit=False)
        self._its_connection = connection

    def connection(self, *_: Any, **__: Any) -> Connection:
        """For everybody: not looked for among the connections that a session may have."""
        return self._its_connection


def _look_before_ping(dialect: Any) -> None:
    """Spare a connection that was in use a moment ago the ping, a round trip, that each has before it is used again.

    A server that ends, or ends a connection, says so: then there is something to read. Who has vanished without a word
    may be a firewall that forgets what is not in use, so that the others are asked as ever.
    """
    ping, taken = dialect.do_ping, WeakKeyDictionary[Any, float]()

    def is_there(connection: Any) -> bool:
        before, now = taken.get(connection, -inf), time.monotonic()
        taken[connection] = now
        to_read = poll()
        to_read.register(connection.fileno(), POLLIN)
        return (now < before + PING_AFTER and not to_read.poll(0)) or ping(connection)

    dialect.do_ping = is_there


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    for name, value in (("journal_mode", "WAL"), ("synchronous", "FULL"), ("foreign_keys", "ON")):
        cursor.execute(f"PRAGMA {name}={value}")
    cursor.close()


def new_id() -> str:
    """128 random bits in hexadecimal: the id of a row."""
    return secrets.token_hex(16)


def new_token() -> str:
    """256 random bits for a cookie or a state."""
    return secrets.token_urlsafe(32)


def digest(*parts: str) -> str:
    """SHA-256 in hexadecimal: the name under which something secret is kept."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def insert(dialect: str, table: Any) -> postgresql.Insert | sqlite.Insert:
    """An INSERT of a dialect, by its name, which has `on_conflict_do_nothing` and `on_conflict_do_update`."""
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)


def insert_or_leave(session: Session, model: Any, **values: Any) -> bool:
    """Insert a row unless there is one with its primary key; returns whether it was inserted.

    Another transaction that inserts the same row at the moment is waited for. What the row refers to must be in the
    database: this is not the unit of work, which takes several times as long.
    """
    connection = session.connection()
    return connection.execute(_inserting(connection.dialect.name, model.__table__), values).first() is not None


@cache
def _inserting(dialect: str, table: Table) -> ReturningInsert[Any]:
    """Made once: that is most of the time that it takes."""
    key = list(table.primary_key)
    return insert(dialect, table).on_conflict_do_nothing(index_elements=key).returning(*key)
