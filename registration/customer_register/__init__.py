"""The customer register: who the company's customers are. A narrow port with two adapters.

port       one question, `find(customer_number, fo_nummer)`, and `belongs_together`
table      a table of our own database; `importing` fills it from a file
http       a service of the company's (docs/openapi-customer-register.yaml)
"""

from __future__ import annotations

from registration.customer_register.http import HttpRegister
from registration.customer_register.port import (
    Customer,
    CustomerRegister,
    RegisterUnavailable,
    belongs_together,
)
from registration.customer_register.table import TableRegister
from registration.database.connection import Database
from registration.settings import Settings

__all__ = [
    "Customer",
    "CustomerRegister",
    "RegisterUnavailable",
    "belongs_together",
    "create_register",
]


def create_register(settings: Settings, database: Database) -> CustomerRegister:
    """The register that the configuration names."""
    chosen = settings.customer_register
    if chosen.adapter == "http" and chosen.url is not None:
        return HttpRegister(chosen.url, chosen.token, chosen.timeout)
    return TableRegister(database)
