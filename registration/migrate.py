"""The database's schema, by Alembic: forwards, backwards, and whether it is the one we need."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from registration.database import Database

FOLDER = Path(__file__).parent / "migrations"


def upgrade(database: Database, revision: str = "head") -> None:
    """Bring the schema to a revision; what is there is kept."""
    with database.engine.connect().execution_options(writing=True) as connection, connection.begin():
        command.upgrade(_config(connection), revision)


def downgrade(database: Database, revision: str) -> None:
    """Take the schema back to an earlier revision, `base` for none; what newer tables and columns hold is lost."""
    with database.engine.connect().execution_options(writing=True) as connection, connection.begin():
        command.downgrade(_config(connection), revision)


def is_current(database: Database) -> bool:
    """Whether the schema is the one this version of registration needs."""
    with database.engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    return current == ScriptDirectory(str(FOLDER)).get_current_head()


def _config(connection: object) -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
