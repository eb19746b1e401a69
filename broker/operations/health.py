"""The second port, for operations only: `/livez`, `/readyz`, `/metrics`. Never published to the outside."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from flask import Flask, Response, jsonify

from broker.audit import AuditTrail
from broker.keys import KeyRing
from broker.operations.checks import Check, check_audit, check_keys, check_pins, check_store
from broker.operations.metrics import CONTENT_TYPE, Metrics
from broker.settings import Settings


class HasClient(Protocol):
    """What is needed of the store: redis-py's client."""

    client: Any


def create_operations_app(
    settings: Settings,
    *,
    keys: KeyRing,
    store: HasClient,
    audit: AuditTrail,
    metrics: Metrics,
    clock: Callable[[], float] = time.time,
) -> Flask:
    """The application of the second port. clock: seconds since the epoch.

    `/livez`: the process answers. `/readyz`: 200 if people can identify, 503 if not, each check with its mend in
    JSON; a warning does not make it 503, because taking every broker out helps nobody.
    """
    app = Flask(__name__, static_folder=None, template_folder=None)

    def checks() -> Iterator[Check]:
        yield Check("configuration", "ok", f"environment {settings.environment}")
        yield from check_keys(keys, clock())
        yield check_audit(audit)
        yield from check_store(store.client, clock)
        yield from check_pins(settings, int(clock()))

    @app.get("/livez")
    def live() -> Response:
        return _uncached(jsonify(state="ok"))

    @app.get("/readyz")
    def ready() -> Response:
        made = list(checks())
        worst = next((state for state in ("failed", "warning") if any(check.state == state for check in made)), "ok")
        response = jsonify(state=worst, checks=[check.to_json() for check in made])
        response.status_code = 503 if worst == "failed" else 200
        return _uncached(response)

    @app.get("/metrics")
    def show_metrics() -> Response:
        return _uncached(Response(metrics.render(), content_type=CONTENT_TYPE))

    return app


def _uncached(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response
