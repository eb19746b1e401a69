"""Artificial personal identity codes: the range 900-999, which the population register never gives out.

Source: Finnish Decree 690/2022; the check character is a table looked up by the nine digits modulo 31.
"""

from __future__ import annotations

from datetime import date

_CHECK = "0123456789ABCDEFHJKLMNPRSTUVWXY"
_CENTURY = {18: "+", 19: "-", 20: "A"}
ARTIFICIAL = range(900, 1000)


def personal_identity_code(birthdate: date, individual: int, separator: str | None = None) -> str:
    """A code with the right check character; individual: its three digits; separator: else the century's first."""
    digits = f"{birthdate:%d%m}{birthdate.year % 100:02d}"
    mark = separator or _CENTURY[birthdate.year // 100]
    return f"{digits}{mark}{individual:03d}{_CHECK[int(f'{digits}{individual:03d}') % 31]}"


def spoil_check(code: str) -> str:
    """The same code with a wrong check character."""
    return code[:-1] + _CHECK[(_CHECK.index(code[-1]) + 1) % 31]


def birthdate_of(code: str) -> date:
    """The birth date that a code tells, its check character unread."""
    separator = code[6].upper()
    century = 1800 if separator == "+" else 1900 if separator in "-YXWVU" else 2000
    return date(century + int(code[4:6]), int(code[2:4]), int(code[:2]))
