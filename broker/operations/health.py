"""What the broker's second port tells of its parts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from flask import Flask

from broker.audit import AuditTrail
from broker.chooser.live_notices import LiveNotices
from broker.keys import KeyRing
from broker.oidc.client_files import WatchedClientFiles
from broker.oidc.registered import RegisteredClients
from broker.operations.checks import check_audit, check_pins, check_store
from broker.operations.client_checks import check_client_files, check_client_keys
from broker.operations.durability import check_durability
from broker.operations.key_checks import check_keys, check_statement
from broker.operations.metrics import Metrics
from broker.operations.notice_checks import check_notices
from broker.operations.transactions import add_transactions
from broker.settings import Settings
from kit.audit.collector import Collector
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
    heads: Collector,
    metrics: Metrics,
    status: Callable[[], Status],
    live_notices: LiveNotices,
    registered: RegisteredClients,
    client_files: WatchedClientFiles,
    clock: Callable[[], float] = time.time,
) -> Flask:
    """The application of the second port. status: for its page. clock: seconds since the epoch."""

    def checks() -> Iterator[Check]:
        yield Check("configuration", "ok", f"environment {settings.environment}")
        yield from check_keys(keys, clock(), settings.keys.rotate_every)
        yield from check_statement(settings, keys, clock())
        yield check_audit(audit)
        yield from heads.checks()
        yield from check_store(store.client, clock)
        if settings.store.durable_replicas:
            yield from check_durability(store.client, settings.store)
        yield from check_pins(settings, int(clock()))
        yield from check_notices(settings, live_notices)
        yield from check_client_keys(registered.fetched)
        yield from check_client_files(client_files)

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
    if settings.audit.lookup:
        add_transactions(app, settings.audit.dir)
    return app
