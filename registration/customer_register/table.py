"""The customer register as a table of our own database."""

from __future__ import annotations

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
        query = select(row).where(row.customer_number == customer_number, row.fo_nummer == fo_nummer)
        with self._database.read() as session:
            found = session.execute(query).scalar_one_or_none()
        return Customer(found.customer_number, found.fo_nummer, found.company_name) if found else None
