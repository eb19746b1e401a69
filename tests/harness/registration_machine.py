"""Registration on the oldest schema there ever was, with rows in every table, and its commands: no application runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tomli_w
from click.testing import CliRunner, Result
from sqlalchemy import MetaData, NullPool, create_engine, insert, select

from registration.cli import main
from registration.database import migrate
from registration.database.connection import Database
from tests.harness.registration_rights import config

SAMPLES = Path(__file__).parents[1] / "registration" / "database" / "samples"
OLDEST = migrate.revisions()[1]
Rows = dict[str, list[dict[str, Any]]]


class Machine:
    """Registration on the oldest schema, with rows in every table."""

    def __init__(self, folder: Path, new_url: Callable[[], str], programs: Path | None) -> None:
        self.folder, self.programs, self._new_url = folder, programs, new_url
        self.lose_the_database()
        self.samples: Rows = json.loads((SAMPLES / f"{OLDEST}.json").read_text())
        database = Database(self.url)
        migrate.upgrade(database, OLDEST)
        tables = self._tables()
        assert self.samples.keys() == tables.keys() - {"alembic_version"}
        with database.write() as tx:
            for name in (table.name for table in _metadata(self.url).sorted_tables if table.name in self.samples):
                tx.execute(insert(tables[name]), self.samples[name])
        database.close()

    def lose_the_database(self) -> None:
        """From now on the configuration names another one, which is empty."""
        self.url = self._new_url()
        self.file = self.folder / "registration.toml"
        self.file.write_text(tomli_w.dumps(config(self.folder, self.url)))

    def run(self, *arguments: str | Path, input: str | None = None) -> Result:
        """The outcome of a command."""
        programs = ["--pg-bin", str(self.programs)] if self.programs and arguments[0] != "migrate" else []
        words = [*map(str, arguments), *programs, "--config", str(self.file)]
        return CliRunner().invoke(main, words, input=input)

    def rows(self) -> Rows:
        """What stands in the columns that the samples have."""
        tables = self._tables()
        with create_engine(self.url, poolclass=NullPool).connect() as connection:
            return {
                name: [
                    {column: row[column] for column in samples[0]}
                    for row in connection.execute(select(tables[name]).order_by(*tables[name].primary_key)).mappings()
                ]
                for name, samples in self.samples.items()
            }

    def columns(self, table: str) -> set[str]:
        """The names of a table's columns."""
        return set(self._tables()[table].columns.keys())

    def _tables(self) -> dict[str, Any]:
        return dict(_metadata(self.url).tables)


def _metadata(url: str) -> MetaData:
    metadata = MetaData()
    metadata.reflect(create_engine(url, poolclass=NullPool))
    return metadata
