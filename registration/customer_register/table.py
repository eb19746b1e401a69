"""The customer register as a table of our own database, or the service that the configuration names instead."""

from __future__ import annotations

from dataclasses import fields

from sqlalchemy import bindparam, select

from registration.customer_register import Customer, CustomerRegister
from registration.customer_register.http import HttpRegister
from registration.database import models
from registration.database.connection import Database
from registration.settings import Settings

_ROW = models.Customer
_FIND = select(*(getattr(_ROW, field.name) for field in fields(Customer))).where(
    _ROW.customer_number == bindparam("number"), _ROW.fo_nummer == bindparam("fo_nummer")
)


class TableRegister:
    """The table `customer`, filled by `tunnus-registration customers import`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, customer_number: str, fo_nummer: str) -> Customer | None:
        """See CustomerRegister; one query, whatever is wrong."""
        with self._database.read() as session:
            asked = {"number": customer_number, "fo_nummer": fo_nummer}
            found = session.connection().execute(_FIND, asked).one_or_none()
        return Customer(*found) if found else None


def create_register(settings: Settings, database: Database) -> CustomerRegister:
    """The register that the configuration names."""
    chosen = settings.customer_register
    if chosen.adapter == "http" and chosen.url is not None:
        return HttpRegister(chosen.url, chosen.token, chosen.timeout)
    return TableRegister(database)
