"""The HTTP of a connection, its deadlines short."""

from __future__ import annotations

from typing import Any

from providers.engine.http import Answer, BankHttp
from tests.harness.engine.parts import Seen, make_connection

DEADLINE = 0.3

AMPLE = 3.0
"""Seconds: far above the deadline, far below what a drip would take."""


def make_http(seen: Seen | None = None, places: int = 4, **fields: Any) -> BankHttp:
    """The HTTP of a connection, its deadlines short."""
    values = {"call_seconds": DEADLINE, "login_seconds": 20.0, "place_seconds": 0.05} | fields
    return BankHttp(make_connection(), places, seen or Seen(), **values)


def get(http: BankHttp, url: str) -> Answer:
    """GET as an identification of its own."""
    with http.identification() as budget:
        return http.get(url, budget)
