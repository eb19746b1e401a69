"""The format of every kind of record, as a number that stands in each record.

A number goes up when a broker that knows only the number before could not use what is written now. What such a
broker passes over, a new member that may be missing, needs no new number. Either way `tests/broker/store/samples`
keeps what was ever written, and today's broker reads all of it: brokers of two versions share a store.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MEMBER = "format"
FORMATS: Mapping[str, int] = {
    "transaction": 1,
    "return": 1,
    "return-state": 1,
    "problem": 1,
    "attempt": 1,
    "claim": 1,
    "outcome": 1,
    "code": 1,
    "used-code": 1,
    "token": 1,
    "jti": 1,
    "refused": 1,
}
"""By `Key.kind`. 0 is what was written before there were numbers; it says the same as 1."""


def numbered(kind: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """A record as it is written. Raises KeyError for a kind that has no row above."""
    return {**value, MEMBER: FORMATS[kind]}


def take_number(record: dict[str, Any]) -> int:
    """Take the number out of a record that was read."""
    return int(record.pop(MEMBER, 0))
