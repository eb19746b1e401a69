"""What the broker's second port tells of its parts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from flask import Flask

from broker.audit import AuditTrail
from broker.keys import KeyRing
from broker.operations.checks import check_audit, check_pins, check_store
from broker.operations.key_checks import check_keys, check_statement
from broker.operations.metrics import Metrics
from broker.settings import Settings
from kit.serving.operations import Check, create_operations_app
from kit.status.page import Status, add_status_page


class HasClient(Protocol):
    """What is needed of the store: redis-py's client."""

    client: Any


def create_app(
    settings: Settings,
    *,
    keys: KeyRing,
    store: HasClient,
    audit: AuditTrail,
    metrics: Metrics,
    status: Callable[[], Status],
    clock: Callable[[], float] = time.time,
) -> Flask:
    """The application of the second port. status: for its page. clock: seconds since the epoch."""

    def checks() -> Iterator[Check]:
        yield Check("configuration", "ok", f"environment {settings.environment}")
        yield from check_keys(keys, clock(), settings.keys.rotate_every)
        yield from check_statement(settings, keys, clock())
        yield check_audit(audit)
        yield from check_store(store.client, clock)
        yield from check_pins(settings, int(clock()))

    app = create_operations_app(checks, metrics)
    add_status_page(
        app,
        service="The broker",
        brand=settings.brand.name.en,
        environment=settings.environment,
        clock=clock,
        checks=checks,
        status=status,
    )
    return app
