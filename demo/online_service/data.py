"""Made-up consumption, contracts and invoices: the same for a customer number whenever it is asked for."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

MONTHS = 12
INVOICES = 6
WINTER = (1.5, 1.45, 1.3, 1.0, 0.8, 0.65, 0.6, 0.65, 0.8, 1.0, 1.2, 1.4)
"""How much is used in each month, in relation to the year's average."""
CENTS_PER_KWH = 9.4
FEE = 24.9


@dataclass(frozen=True, slots=True)
class Month:
    """What was used in a month. kwh: kilowatt hours."""

    first_day: date
    kwh: int


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract for one place of delivery."""

    customer_number: str
    number: str
    since: date


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice. euros: its sum."""

    customer_number: str
    number: str
    sent: date
    due: date
    euros: float
    paid: bool


def consumption(customer_numbers: Sequence[str], today: date) -> list[Month]:
    """The last twelve whole months, the latest first, all customer numbers together."""
    months = [_month_before(today, back) for back in range(1, MONTHS + 1)]
    return [Month(month, sum(_kwh(number, month) for number in customer_numbers)) for month in months]


def contracts(customer_numbers: Sequence[str]) -> list[Contract]:
    """One or two for each customer number."""
    made = []
    for number in customer_numbers:
        chance = _pseudorandom(number, "contracts")
        for index in range(chance.randint(1, 2)):
            since = date(chance.randint(2012, 2024), chance.randint(1, 12), 1)
            made.append(Contract(number, f"{chance.randint(100_000, 999_999)}-{index + 1}", since))
    return made


def invoices(customer_numbers: Sequence[str], today: date) -> list[Invoice]:
    """The last six of each customer number, the latest first; the latest is not paid yet."""
    made = []
    for number in customer_numbers:
        for back in range(1, INVOICES + 1):
            month = _month_before(today, back)
            sent = _month_before(today, back - 1) + timedelta(days=4)
            euros = round(_kwh(number, month) * CENTS_PER_KWH / 100 + FEE, 2)
            name = f"{month:%y%m}{_pseudorandom(number, 'invoice').randint(1000, 9999)}"
            made.append(Invoice(number, name, sent, sent + timedelta(days=14), euros, paid=back > 1))
    return sorted(made, key=lambda invoice: (-invoice.sent.toordinal(), invoice.customer_number))


def _kwh(customer_number: str, month: date) -> int:
    size = _pseudorandom(customer_number, "size").randint(1500, 9000)
    return round(size * WINTER[month.month - 1] * _pseudorandom(customer_number, month.isoformat()).uniform(0.9, 1.1))


def _month_before(today: date, back: int) -> date:
    """The first day of the month that many months ago."""
    months = today.year * 12 + today.month - 1 - back
    return date(months // 12, months % 12 + 1, 1)


def _pseudorandom(*what: str) -> random.Random:
    return random.Random("/".join(what))  # noqa: S311 - made-up figures, no secret
