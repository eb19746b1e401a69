"""The customer register: who the company's customers are. A narrow port with two adapters.

here       one question, `find(customer_number, fo_nummer)`, and `belongs_together`
table      a table of our own database; `importing` fills it from a file
http       a service of the company's (docs/openapi-customer-register.yaml)
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from email_validator import validate_email

from registration.accounts.names import compared_company_name

LONGEST_NAME = 255
"""Characters of a company's name, and of its address."""
MOST_LINES = 5
"""Of a postal address."""


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

        customer_number: of kit.typed_text.customer_number. fo_nummer: as NNNNNNN-N. Raises RegisterUnavailable.
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
    expected, given = compared_company_name(known.company_name), compared_company_name(company_name)
    fits = hmac.compare_digest(expected.encode(), given.encode())
    return known if fits and expected else None


def further_details(row: Mapping[str, str]) -> dict[str, str | None]:
    """A customer's `email`, `postal_address` and `contract_ends`, each None if it is missing or empty.

    row: lines without control characters. Raises ValueError, which names the detail.
    """
    given = {name: row.get(name) or None for name in FURTHER}
    for name, text in given.items():
        check, wrong = FURTHER[name]
        if text is not None:
            try:
                given[name] = check(text)
            except ValueError as error:
                raise ValueError(f"{name}: {wrong}") from error
    return given


def _email(text: str) -> str:
    return validate_email(text, check_deliverability=False).normalized


def _address(text: str) -> str:
    lines = [part.strip() for part in text.split(",")]
    if len(text) > LONGEST_NAME or not 2 <= len(lines) <= MOST_LINES or not all(lines):
        raise ValueError
    return ", ".join(lines)


def _day(text: str) -> str:
    return date.fromisoformat(text).isoformat()


FURTHER: Mapping[str, tuple[Callable[[str], str], str]] = {
    "email": (_email, "is no e-mail address"),
    "postal_address": (_address, f"is not 2 to {MOST_LINES} lines, with commas between, of 255 characters in all"),
    "contract_ends": (_day, "is no day like 2027-12-31"),
}
"""How each further detail is read, and what is wrong with one that is not taken."""
