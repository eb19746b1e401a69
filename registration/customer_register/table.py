"""The customer register as a table of our own database."""

from __future__ import annotations

from dataclasses import fields

from sqlalchemy import select

from registration.customer_register.port import Customer
from registration.database import models
from registration.database.connection import Database


class TableRegister:
    """The table `customer`, filled by `tunnus-registration customers import`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, customer_number: str, fo_nummer: str) -> Customer | None:
        """See CustomerRegister; one query, whatever is wrong."""
        row = models.Customer
        columns = [getattr(row, field.name) for field in fields(Customer)]
        query = select(*columns).where(row.customer_number == customer_number, row.fo_nummer == fo_nummer)
        with self._database.read() as session:
            found = session.execute(query).one_or_none()
        return Customer(*found) if found else None
