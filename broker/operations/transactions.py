"""`GET /transactions?txn=` on the second port: what came of an identification whose code a person reads from a page.

For customer service's staff pages. It says of each record what happened, when, at which provider and for which
client, and never who it was: no `sub`, no name, nothing of the bank's answer.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from flask import Flask, Response, jsonify, request

from broker.audit.lookup import look_up, prefix_of
from kit.status.page import through_a_proxy

PATH = "/transactions"
MEMBERS = ("txn", "time", "event", "outcome", "step", "code", "provider", "client")
"""Of each record; null where it has none."""


def add_transactions(app: Flask, trail: Path) -> None:
    """Add the look-up to the application of the second port. trail: the folder of the audit trail.

    One at a time, and each reads a bounded part of the trail, so that health and metrics are never kept waiting.
    """
    one = threading.Lock()

    @app.get(PATH)
    def show_transactions() -> Response:
        if refused := through_a_proxy():
            return refused
        try:
            prefix = prefix_of(request.args.get("txn", ""))
        except ValueError as error:
            return _error(400, "invalid_request", str(error))
        if not one.acquire(blocking=False):
            return _error(503, "temporarily_unavailable", "another look-up is under way: send it again in a second")
        try:
            found = look_up(trail, prefix)
        except OSError:
            return _error(503, "temporarily_unavailable", "the audit trail cannot be read: see /readyz")
        finally:
            one.release()
        return jsonify(transactions=_told(found.records), more=found.more)


def _told(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """records: newest first, so that the first of a transaction says what has come of it."""
    outcomes: dict[str, str] = {}
    for record in records:
        outcomes.setdefault(record["txn"], record["event"])
    return [{name: record.get(name) for name in MEMBERS} | {"outcome": outcomes[record["txn"]]} for record in records]


def _error(status: int, error: str, description: str) -> Response:
    response = jsonify(error=error, error_description=description)
    response.status_code = status
    if status == 503:
        response.headers["Retry-After"] = "1"
    return response
