"""The second port of a service, for operations only: `/livez`, `/readyz`, `/metrics`; `kit.status` adds a page.

Never published outside.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from flask import Flask, Response, jsonify, request
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.registry import Collector

from kit.serving.ending import Ending
from kit.serving.server import Server

State = Literal["ok", "warning", "failed"]
KeyAge = tuple[str, str, float, float | None]
"""Purpose, algorithm, days of age, days until it must be replaced, None without an end."""
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. warning: works, but should be mended. failed: the service cannot work."""

    name: str
    state: State
    said: str
    mend: str | None = None

    def to_json(self) -> dict[str, str]:
        """For `/readyz`."""
        told = {"name": self.name, "state": self.state, "said": self.said}
        return told | ({"mend": self.mend} if self.mend else {})


STATES: tuple[State, ...] = ("ok", "warning", "failed")
"""From good to bad; the place is the value of `tunnus_check`."""


class RequestMetrics:
    """What every service counts, in a registry of its own. Labels are words of ours: never a value of anyone.

    limits: the names of those that may stop a request; each is counted from nothing, so that its first stop is seen.
    """

    def __init__(self, limits: Iterable[str] = ()) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._requests = Histogram(
            "tunnus_request_seconds",
            "Duration of requests.",
            ["endpoint", "status"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._limits = Counter(
            "tunnus_limits_reached", "Requests that a limit stopped, by its name.", ["limit"], registry=self.registry
        )
        for limit in limits:
            self._limits.labels(limit)
        self._used = Gauge(
            "tunnus_limit_used",
            "How much of a limit on this process, or on all together, is used now.",
            ["limit"],
            registry=self.registry,
        )
        self._most = Gauge("tunnus_limit_most", "How much of it there is.", ["limit"], registry=self.registry)
        self._waiting = Gauge("tunnus_requests_waiting", "Requests that wait for a thread.", registry=self.registry)
        self._newer_records = Counter(
            "tunnus_newer_records",
            "Requests that met a record which only a newer version of this service can read, by its kind.",
            ["record"],
            registry=self.registry,
        )
        kind = ["purpose", "alg"]
        self._key_age = Gauge(
            "tunnus_key_age_days",
            "Days since the first use of the last key; negative before it.",
            kind,
            registry=self.registry,
        )
        self._key_left = Gauge(
            "tunnus_key_days_left",
            "Days until the last key must be replaced; +Inf without an end.",
            kind,
            registry=self.registry,
        )
        self._limits_used: dict[str, tuple[Callable[[], float], float]] = {}
        self._read_keys: Callable[[], Iterable[KeyAge]] = tuple

    def request(self, endpoint: str, status: int, seconds: float, fields: Mapping[str, Any]) -> None:
        """Count a request, and the limit or newer record that its line names; see `logs.log_each_request`."""
        self._requests.labels(endpoint, f"{status // 100}xx").observe(seconds)
        if "limit" in fields:
            self._limits.labels(fields["limit"]).inc()
        if "record" in fields:
            self._newer_records.labels(fields["record"]).inc()

    def watch_number(self, name: str, said: str, read: Callable[[], float]) -> None:
        """Show a number of the service's own, read whenever the metrics are. said: what it is."""
        Gauge(name, said, registry=self.registry).set_function(read)

    def watch_limit(self, limit: str, used: Callable[[], float], most: float) -> None:
        """Show how much of a limit is used, whenever the metrics are read; most: how much there is."""
        self._limits_used[limit] = used, most
        self._used.labels(limit).set_function(used)
        self._most.labels(limit).set(most)

    def limits(self) -> list[tuple[str, float, float]]:
        """Each limit that is watched: its name, how much is used now, and how much there is."""
        return [(name, used(), most) for name, (used, most) in self._limits_used.items()]

    def watch_server(self, server: Server, threads: int) -> None:
        """Show the threads of the public port that work, and what waits for one. threads: how many there are."""
        self.watch_limit("threads", lambda: server.working, threads)
        self._waiting.set_function(lambda: server.waiting)

    def watch_checks(self, checks: Callable[[], Iterable[Check]]) -> None:
        """Make the checks of `/readyz` whenever the metrics are read, and show how each stands."""
        self.registry.register(_Checked(checks))

    def watch_keys(self, read: Callable[[], Iterable[KeyAge]]) -> None:
        """Show the last key of each kind whenever the metrics are read."""
        self._read_keys = read

    def render(self) -> bytes:
        """All of it in Prometheus's text format."""
        for purpose, alg, age, left in self._read_keys():
            self._key_age.labels(purpose, alg).set(age)
            self._key_left.labels(purpose, alg).set(math.inf if left is None else left)
        return generate_latest(self.registry)


class _Checked(Collector):
    """The checks as a metric; of several with one name the worst counts."""

    def __init__(self, checks: Callable[[], Iterable[Check]]) -> None:
        self._checks = checks

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """For the registry, which would else make the checks to learn the metric's name."""
        yield GaugeMetricFamily("tunnus_check", "A check of /readyz: 0 ok, 1 warning, 2 failed.", labels=["check"])

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """See Collector."""
        (family,) = self.describe()
        worst: dict[str, int] = {}
        for check in self._checks():
            worst[check.name] = max(worst.get(check.name, 0), STATES.index(check.state))
        for name, state in worst.items():
            family.add_metric([name], state)
        yield family


def create_operations_app(checks: Callable[[], Iterable[Check]], metrics: RequestMetrics) -> Flask:
    """The application of the second port.

    `/livez`: the process answers. `/readyz`: 200 if the service can work, 503 if not, each check with its mend in
    JSON; a warning does not make it 503, because taking every process out helps nobody.
    """
    app = Flask(__name__, static_folder=None, template_folder=None)
    metrics.watch_checks(checks)

    @app.get("/livez")
    def live() -> Response:
        return jsonify(state="ok")

    @app.get("/readyz")
    def ready() -> Response:
        made = list(checks())
        worst = max((check.state for check in made), key=STATES.index, default="ok")
        response = jsonify(state=worst, checks=[check.to_json() for check in made])
        response.status_code = 503 if worst == "failed" else 200
        return response

    @app.get("/metrics")
    def show_metrics() -> Response:
        return Response(metrics.render(), content_type=CONTENT_TYPE_LATEST)

    @app.after_request
    def never_kept(response: Response) -> Response:
        response.headers["Cache-Control"] = "no-store"
        return response

    return app


def unready_while_ending(app: Flask, ending: Ending) -> None:
    """Let `/readyz` of an operations application be 503 from the moment the process is asked to end."""

    @app.before_request
    def ended() -> Response | None:
        if request.path != "/readyz" or not ending.begun:
            return None
        response = jsonify(state="failed", checks=[Check("ending", "failed", "the process is ending").to_json()])
        response.status_code = 503
        return response
