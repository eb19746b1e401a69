"""What the operator counts. Every label is an id of config, an endpoint or a constant word: never a value of anyone."""

from __future__ import annotations

import logging
import math
import re
import time
from collections.abc import Callable, Iterable
from functools import partial

from prometheus_client import Counter, Gauge

from broker.operations.last_hour import IDENTIFIED, STARTED, LastHour
from kit.logs.withheld import withhold
from kit.serving.operations import RequestMetrics
from providers.model import Adapter, Observer

log = logging.getLogger("tunnus.providers")

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_MOST_IDS = 200
_EVENT = re.compile(r"[a-z][a-z_]{0,39}")
ALARMING = frozenset({"breaker_opened", "jwks_failed", "jwks_stale", "jwks_weak_key"})


class Metrics(RequestMetrics):
    """The counters of one process, in a registry of their own. clock: seconds since the epoch."""

    def __init__(self, limits: Iterable[str] = (), clock: Callable[[], float] = time.time) -> None:
        super().__init__(limits)
        self.last_hour = LastHour(clock)
        registry = self.registry
        self._label = _Labels()
        self._started = Counter(
            "tunnus_attempts_started", "Attempts sent to a bank.", ["provider", "connection"], registry=registry
        )
        self._ended = Counter(
            "tunnus_identifications",
            "Identifications that ended, by outcome: identified, or the code of an error and its step.",
            ["provider", "connection", "outcome", "step"],
            registry=registry,
        )
        self._requests_refused = Counter(
            "tunnus_authorization_requests_refused",
            "Authorization requests refused, by client and by the error that it was sent; `page` if it was sent none.",
            ["client", "error"],
            registry=registry,
        )
        self._events = Counter(
            "tunnus_connection_events",
            "What happened on a connection: jwks_fetched, jwks_failed, breaker_opened, notices_failed, …",
            ["event", "connection"],
            registry=registry,
        )
        self._round_trips = Counter("tunnus_store_round_trips", "Round trips to the store.", registry=registry)
        self._store_failures = Counter(
            "tunnus_store_failures", "Round trips to the store that failed.", registry=registry
        )
        self._audit_waiting = Gauge(
            "tunnus_audit_refusals_waiting", "Refusals that are counted and not in the audit trail.", registry=registry
        )
        self._usable = Gauge(
            "tunnus_connection_usable", "0 while a connection's breaker is open.", ["connection"], registry=registry
        )
        self._calling = Gauge(
            "tunnus_connection_calls", "Threads in a call to a bank.", ["connection"], registry=registry
        )
        self._places = Gauge(
            "tunnus_connection_places", "How many of them there may be.", ["connection"], registry=registry
        )
        self._provider_usable = Gauge(
            "tunnus_provider_usable",
            "0 while new starts with a provider are stopped: its breaker or its connection's is open.",
            ["provider", "connection"],
            registry=registry,
        )
        self._client_keys = Counter(
            "tunnus_client_keys_fetched",
            "Fetches of the keys that clients publish: ok or failed.",
            ["client", "outcome"],
            registry=registry,
        )
        self._notices_age = Gauge(
            "tunnus_notices_age_seconds",
            "Since what a connection publishes of its state was read; +Inf before that.",
            ["connection"],
            registry=registry,
        )
        self.observer: Observer = _CountingObserver(self)

    def started(self, *, provider: str | None, connection: str) -> None:
        """Count an attempt; provider: the chooser's row."""
        self._started.labels(self._label(provider), self._label(connection)).inc()
        self.last_hour.add(self._label(provider), STARTED)

    def identified(self, *, provider: str | None, connection: str) -> None:
        """Count an identification that was handed on."""
        self._ended.labels(self._label(provider), self._label(connection), IDENTIFIED, "").inc()
        self.last_hour.add(self._label(provider), IDENTIFIED)

    def refused(self, *, code: str, step: str, provider: str | None = None, connection: str | None = None) -> None:
        """Count one that ended without an identity; code, step: of its error."""
        self._ended.labels(self._label(provider), self._label(connection), code, step).inc()
        self.last_hour.add(self._label(provider), code)

    def request_refused(self, *, client: str | None, error: str) -> None:
        """Count a refused authorization request; client: one of ours, error: a constant word."""
        self._requests_refused.labels(self._label(client), error).inc()

    def client_keys_fetched(self, client: str, whole: bool) -> None:
        """Count a fetch of what a client publishes; whole: it brought a set."""
        self._client_keys.labels(self._label(client), "ok" if whole else "failed").inc()

    def store_round_trip(self) -> None:
        """Count a round trip to the store."""
        self._round_trips.inc()

    def store_failure(self) -> None:
        """Count a round trip to the store that failed."""
        self._store_failures.inc()

    def watch_audit(self, waiting: Callable[[], int]) -> None:
        """Show how many refusals wait to be written into the audit trail."""
        self._audit_waiting.set_function(waiting)

    def event(self, name: str, connection: str | None, count: float = 1) -> None:
        """Count something that happened on a connection, as often as `count` says."""
        self._events.labels(name if _EVENT.fullmatch(name) else "other", self._label(connection)).inc(max(0, count))

    def watch(self, connection: str, adapter: Adapter, providers: Iterable[str], places: int) -> None:
        """Show a connection's breakers and calls whenever the metrics are read, its events counted from nothing.

        providers: those it serves. places: how many threads may be in calls to it.
        """
        label = self._label(connection)
        self._usable.labels(label).set_function(lambda: float(adapter.usable))
        self._calling.labels(label).set_function(lambda: adapter.calls)
        self._places.labels(label).set(places)
        for event in ALARMING:
            self._events.labels(event, label)
        for provider in providers:
            self._started.labels(self._label(provider), label)
            self._provider_usable.labels(self._label(provider), label).set_function(
                partial(_usable_for, adapter, provider)
            )

    def watch_notices(self, connections: Iterable[str], age: Callable[[str], float | None]) -> None:
        """Show how old the notices of each connection are, in seconds, whenever the metrics are read."""
        for connection in connections:
            read = partial(_or_infinite, age, connection)
            self._notices_age.labels(self._label(connection)).set_function(read)


def _usable_for(adapter: Adapter, provider: str) -> float:
    return float(adapter.usable_for(provider))


def _or_infinite(age: Callable[[str], float | None], connection: str) -> float:
    seconds = age(connection)
    return math.inf if seconds is None else seconds


class _CountingObserver:
    """`providers.model.Observer`: counts what an adapter reports, and logs what an operator should see."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def event(self, name: str, **fields: str | int | float) -> None:
        """See `Observer.event`; of the fields, `connection`, `provider` and `count` are used."""
        connection, count = fields.get("connection"), fields.get("count", 1)
        told = str(connection) if connection is not None else None
        self._metrics.event(name, told, count if isinstance(count, int | float) else 1)
        level = logging.WARNING if name in ALARMING else logging.DEBUG
        concerns = {"provider": fields["provider"]} if "provider" in fields else {}
        log.log(level, "connection_event", extra={"event": name, "connection": told, **concerns})


class _Labels:
    """The ids that became labels: a bounded number, so that nobody can make the process grow by asking for more."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def __call__(self, value: str | None) -> str:
        """The label for an id; `other` for what no id looks like, and for ids beyond the bound."""
        if value is None:
            return ""
        if value in self._seen:
            return value
        if not _ID.fullmatch(value) or withhold(value) != value or len(self._seen) >= _MOST_IDS:
            return "other"
        self._seen.add(value)
        return value
