"""The port to the customer register: one question, and whether three details belong together."""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from typing import Protocol

from registration.accounts.names import company_name_key
from registration.typed_text import number

_CUSTOMER_NUMBER = re.compile(r"[A-Za-z0-9-]{1,64}")
LONGEST_NAME = 255
"""Characters of a company's name."""


class RegisterUnavailable(Exception):
    """The register gave no usable answer; nothing is known of the customer. The message is constant."""


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer as the register knows it. fo_nummer: as NNNNNNN-N.

    email, postal_address: where a letter to the company goes, if known; the lines of the address stand between commas.
    contract_ends: the last day of the contract, as YYYY-MM-DD, if it is to end.
    """

    customer_number: str
    fo_nummer: str
    company_name: str
    email: str | None = None
    postal_address: str | None = None
    contract_ends: str | None = None


class CustomerRegister(Protocol):
    """Who knows the customers."""

    def find(self, customer_number: str, fo_nummer: str) -> Customer | None:
        """The customer of that number and FO-nummer; None if there is none with both.

        customer_number: of normalise_customer_number. fo_nummer: as NNNNNNN-N. Raises RegisterUnavailable.
        """


def belongs_together(
    register: CustomerRegister, customer_number: str, fo_nummer: str, company_name: str
) -> Customer | None:
    """The customer as the register has it if all three details are of one, else None.

    Whichever detail is wrong, the work is the same: one question, one comparison of names. Raises
    RegisterUnavailable.
    """
    customer = register.find(customer_number, fo_nummer)
    known = customer or Customer(customer_number, fo_nummer, "")
    expected, given = company_name_key(known.company_name), company_name_key(company_name)
    fits = hmac.compare_digest(expected.encode(), given.encode())
    return known if fits and expected else None


def normalise_customer_number(text: str) -> str:
    """A customer number without spaces, with plain digits and hyphens. Raises ValueError if it cannot be one.

    What the company's numbers look like is not known, so any of 1 to 64 ASCII letters, digits and hyphens is taken.
    """
    found = number(text)
    if not _CUSTOMER_NUMBER.fullmatch(found):
        raise ValueError("not a customer number")
    return found
