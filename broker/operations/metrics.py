"""What the operator counts. Every label is an id of config, an endpoint or a constant word: never a value of anyone."""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Callable, Iterable
from functools import partial

from prometheus_client import Counter, Gauge

from kit.logs.withheld import withhold
from kit.serving.operations import RequestMetrics
from providers.model import Observer

log = logging.getLogger("tunnus.providers")

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_MOST_IDS = 200
_EVENT = re.compile(r"[a-z][a-z_]{0,39}")
_ALARMING = frozenset({"breaker_opened", "jwks_failed", "jwks_stale", "jwks_weak_key"})


class Metrics(RequestMetrics):
    """The counters of one process, in a registry of their own. row: a provider's id, or a connection's."""

    def __init__(self) -> None:
        super().__init__()
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
        self._usable = Gauge(
            "tunnus_connection_usable", "0 while a connection's breaker is open.", ["connection"], registry=registry
        )
        self._calling = Gauge(
            "tunnus_connection_calls", "Threads in a call to a bank.", ["connection"], registry=registry
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

    def identified(self, *, provider: str | None, connection: str) -> None:
        """Count an identification that was handed on."""
        self._ended.labels(self._label(provider), self._label(connection), "identified", "").inc()

    def refused(self, *, code: str, step: str, provider: str | None = None, connection: str | None = None) -> None:
        """Count one that ended without an identity; code, step: of its error."""
        self._ended.labels(self._label(provider), self._label(connection), code, step).inc()

    def request_refused(self, *, client: str | None, error: str) -> None:
        """Count a refused authorization request; client: one of ours, error: a constant word."""
        self._requests_refused.labels(self._label(client), error).inc()

    def client_keys_fetched(self, client: str, whole: bool) -> None:
        """Count a fetch of what a client publishes; whole: it brought a set."""
        self._client_keys.labels(self._label(client), "ok" if whole else "failed").inc()

    def store_round_trip(self) -> None:
        """Count a round trip to the store."""
        self._round_trips.inc()

    def event(self, name: str, connection: str | None, count: float = 1) -> None:
        """Count something that happened on a connection, as often as `count` says."""
        self._events.labels(name if _EVENT.fullmatch(name) else "other", self._label(connection)).inc(max(0, count))

    def watch(self, connection: str, *, usable: Callable[[], bool], calls: Callable[[], float] | None = None) -> None:
        """Show a connection's breaker, and its calls now if they can be told, whenever the metrics are read."""
        self._usable.labels(self._label(connection)).set_function(lambda: float(usable()))
        if calls is not None:
            self._calling.labels(self._label(connection)).set_function(calls)

    def watch_notices(self, connections: Iterable[str], age: Callable[[str], float | None]) -> None:
        """Show how old the notices of each connection are, in seconds, whenever the metrics are read."""
        for connection in connections:
            read = partial(_or_infinite, age, connection)
            self._notices_age.labels(self._label(connection)).set_function(read)


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
        level = logging.WARNING if name in _ALARMING else logging.DEBUG
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
