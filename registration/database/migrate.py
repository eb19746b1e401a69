"""The database's schema, by Alembic: forwards, backwards, and whether it is the one we need."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from registration.database.connection import Database

FOLDER = Path(__file__).parent / "migrations"


class NewerSchema(Exception):
    """The database has a revision that this version does not know: a newer one made it."""


def upgrade(database: Database, revision: str = "head") -> None:
    """Bring the schema to a revision; what is there is kept. Raises NewerSchema."""
    with _changing(database) as connection:
        command.upgrade(_config(connection), revision)


def downgrade(database: Database, revision: str) -> None:
    """Take the schema back to a revision of `revisions`; what newer tables and columns hold is lost.

    Raises NewerSchema.
    """
    with _changing(database) as connection:
        command.downgrade(_config(connection), revision)


def is_current(database: Database) -> bool:
    """Whether the schema is the one this version of registration needs. Raises NewerSchema."""
    return revision_of(database) == ScriptDirectory(str(FOLDER)).get_current_head()


def revision_of(database: Database) -> str | None:
    """The revision of a database's schema; None if it has none. Raises NewerSchema."""
    with database.engine.connect() as connection:
        return _current(connection)


def revisions() -> list[str]:
    """What a schema can be taken back to: `base`, which has no table, and every revision, the oldest first."""
    return ["base", *_known(FOLDER)]


@cache
def _known(folder: Path) -> list[str]:
    """The revisions of the scripts in a folder, the oldest first: each is a module that is executed to be read."""
    known = [script.revision for script in ScriptDirectory(str(folder)).walk_revisions()]
    return known[::-1]


@contextmanager
def _changing(database: Database) -> Iterator[Connection]:
    """A transaction in which the schema changes. Raises NewerSchema.

    SQLite changes a table by dropping it once its rows are copied, and with `foreign_keys` on that deletes every row of
    other tables that hangs on them. The pragma does nothing within a transaction (sqlite.org/foreignkeys.html §6), so
    it is off from before to after it.
    """
    with database.engine.connect() as connection:
        driver = connection.connection.driver_connection
        if database.is_sqlite and driver is not None:
            driver.execute("PRAGMA foreign_keys=OFF")
        try:
            with connection.begin():
                database.begin(connection)
                _current(connection)
                yield connection
                if database.is_sqlite and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
                    raise RuntimeError("a migration has left rows that hang on nothing")
        finally:
            if database.is_sqlite and driver is not None:
                driver.execute("PRAGMA foreign_keys=ON")


def _current(connection: Connection) -> str | None:
    """The revision of a database; None if it has none. Raises NewerSchema if it is not one of ours."""
    logging.getLogger("alembic").setLevel(logging.WARNING)  # below, it tells each look at the schema
    current = MigrationContext.configure(connection).get_current_revision()
    if current is not None and current not in _known(FOLDER):
        raise NewerSchema
    return current


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
