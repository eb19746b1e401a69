"""What the broker's second port tells of its parts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from flask import Flask

from broker.audit import AuditTrail
from broker.chooser.live_notices import LiveNotices
from broker.keys import KeyRing
from broker.oidc.fetched_keys import FetchedKeys
from broker.operations.checks import check_audit, check_pins, check_store
from broker.operations.client_key_checks import check_client_keys
from broker.operations.durability import check_durability
from broker.operations.key_checks import check_keys, check_statement
from broker.operations.metrics import Metrics
from broker.operations.notice_checks import check_notices
from broker.settings import Settings
from kit.serving.operations import Check, create_operations_app


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
    live_notices: LiveNotices,
    fetched: Mapping[str, FetchedKeys],
    clock: Callable[[], float] = time.time,
) -> Flask:
    """The application of the second port. clock: seconds since the epoch."""

    def checks() -> Iterator[Check]:
        yield Check("configuration", "ok", f"environment {settings.environment}")
        yield from check_keys(keys, clock(), settings.keys.rotate_every)
        yield from check_statement(settings, keys, clock())
        yield check_audit(audit)
        yield from check_store(store.client, clock)
        if settings.store.durable_replicas:
            yield from check_durability(store.client, settings.store)
        yield from check_pins(settings, int(clock()))
        yield from check_notices(settings, live_notices)
        yield from check_client_keys(fetched)

    return create_operations_app(checks, metrics)
