"""Registration's tables on a database of each kind, made once for a run and emptied for each test that takes them."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.exc import DBAPIError

from registration.database import migrate
from registration.database.connection import Database
from registration.database.models import Base


class Tables:
    """The tables on one kind of database. make: gives the SQLAlchemy URL of an empty one."""

    def __init__(self, make: Callable[[], str]) -> None:
        self._make = make
        self._database: Database | None = None
        self.url = ""

    def empty(self) -> str:
        """Their URL, with no row left in them. A database that has died is made anew."""
        if self._database is not None:
            try:
                return self._emptied(self._database)
            except DBAPIError:
                self.close()
        self.url = self._make()
        self._database = Database(self.url)
        migrate.upgrade(self._database)
        return self.url

    def _emptied(self, database: Database) -> str:
        with database.write() as transaction:
            for table in reversed(Base.metadata.sorted_tables):
                transaction.execute(table.delete())
        return self.url

    def close(self) -> None:
        """Close every connection."""
        if self._database is not None:
            self._database.close()
