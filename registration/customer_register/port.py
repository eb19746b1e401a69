"""The port to the customer register: one question, and whether three details belong together."""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from typing import Protocol

from kit.typed_text import number
from registration.accounts.names import company_name_key

_CUSTOMER_NUMBER = re.compile(r"[A-Za-z0-9-]{1,64}")
LONGEST_NAME = 255
"""Characters of a company's name."""


class RegisterUnavailable(Exception):
    """The register gave no usable answer; nothing is known of the customer. The message is constant."""


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer as the register knows it. fo_nummer: as NNNNNNN-N."""

    customer_number: str
    fo_nummer: str
    company_name: str


class CustomerRegister(Protocol):
    """Who knows the customers."""

    def find(self, customer_number: str, fo_nummer: str) -> Customer | None:
        """The customer of that number and FO-nummer; None if there is none with both.

        customer_number: of normalise_customer_number. fo_nummer: as NNNNNNN-N. Raises RegisterUnavailable.
        """


def belongs_together(register: CustomerRegister, customer_number: str, fo_nummer: str, company_name: str) -> str | None:
    """The company's name as the register has it if all three details are of one customer, else None.

    Whichever detail is wrong, the work is the same: one question, one comparison of names. Raises
    RegisterUnavailable.
    """
    customer = register.find(customer_number, fo_nummer)
    known = customer or Customer(customer_number, fo_nummer, "")
    expected, given = company_name_key(known.company_name), company_name_key(company_name)
    fits = hmac.compare_digest(expected.encode(), given.encode())
    return known.company_name if fits and expected else None


def normalise_customer_number(text: str) -> str:
    """A customer number without spaces, with plain digits and hyphens. Raises ValueError if it cannot be one.

    What the company's numbers look like is not known, so any of 1 to 64 ASCII letters, digits and hyphens is taken.
    """
    found = number(text)
    if not _CUSTOMER_NUMBER.fullmatch(found):
        raise ValueError("not a customer number")
    return found
