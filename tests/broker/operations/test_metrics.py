"""Metrics: what is counted, and that nobody can make labels."""

from __future__ import annotations

import logging
import math
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from broker.operations.metrics import Metrics
from demo.runner.processes import free_port
from kit.serving.ending import Ending
from kit.serving.operations import Check
from kit.serving.server import listen


@dataclass
class WatchedAdapter:
    """What the metrics ask of an adapter. stopped: the provider with which nothing may begin."""

    usable: bool = True
    calls: int = 2
    stopped: str = ""

    def usable_for(self, provider: str | None) -> bool:
        return provider != self.stopped


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def test_identifications_are_counted_by_provider_connection_outcome_and_step() -> None:
    metrics = Metrics()
    metrics.started(provider="nordea", connection="isb")
    metrics.identified(provider="nordea", connection="isb")
    metrics.refused(code="integrity_error", step="id_token", provider="nordea")
    metrics.refused(code="integrity_error", step="id_token", provider="nordea")
    assert value(metrics, "tunnus_attempts_started_total", provider="nordea", connection="isb") == 1
    ended = "tunnus_identifications_total"
    assert value(metrics, ended, provider="nordea", connection="isb", outcome="identified", step="") == 1
    assert value(metrics, ended, provider="nordea", connection="", outcome="integrity_error", step="id_token") == 2


def test_what_an_adapter_reports_is_counted_and_alarming_things_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    metrics = Metrics()
    metrics.observer.event("jwks_fetched", connection="isb")
    metrics.observer.event("unknown_claims", connection="isb", count=3)
    metrics.observer.event("breaker_opened", connection="isb")
    counter = "tunnus_connection_events_total"
    assert value(metrics, counter, event="jwks_fetched", connection="isb") == 1
    assert value(metrics, counter, event="unknown_claims", connection="isb") == 3
    assert [(record.event, record.connection) for record in caplog.records] == [("breaker_opened", "isb")]  # type: ignore[attr-defined]


def test_a_connection_is_watched_whenever_the_metrics_are_read() -> None:
    metrics, adapter = Metrics(), WatchedAdapter()
    metrics.watch("isb", adapter, ["op", "nordea"], 16)  # type: ignore[arg-type]
    assert value(metrics, "tunnus_connection_usable", connection="isb") == 1
    assert value(metrics, "tunnus_provider_usable", connection="isb", provider="op") == 1
    adapter.usable, adapter.calls, adapter.stopped = False, 5, "op"
    assert value(metrics, "tunnus_connection_usable", connection="isb") == 0
    assert value(metrics, "tunnus_provider_usable", connection="isb", provider="op") == 0
    assert value(metrics, "tunnus_provider_usable", connection="isb", provider="nordea") == 1
    assert value(metrics, "tunnus_connection_calls", connection="isb") == 5
    assert value(metrics, "tunnus_connection_places", connection="isb") == 16


def test_what_alarms_is_counted_from_nothing_so_that_its_first_time_is_a_change() -> None:
    metrics = Metrics(["starts_in_all"])
    metrics.watch("isb", WatchedAdapter(), ["op"], 1)  # type: ignore[arg-type]
    assert value(metrics, "tunnus_connection_events_total", event="breaker_opened", connection="isb") == 0
    assert value(metrics, "tunnus_attempts_started_total", provider="op", connection="isb") == 0
    assert value(metrics, "tunnus_limits_reached_total", limit="starts_in_all") == 0


def test_each_check_is_a_metric_made_when_it_is_read_and_the_worst_of_a_name_counts() -> None:
    metrics, made = Metrics(), []

    def checks() -> list[Check]:
        made.append(1)
        return [Check("store", "ok", ""), Check("keys ending", "warning", ""), Check("keys ending", "ok", "")]

    metrics.watch_checks(checks)
    assert made == [], "nothing is checked at the start"
    assert b'tunnus_check{check="store"} 0.0\ntunnus_check{check="keys ending"} 1.0' in metrics.render()
    assert len(made) == 1


def test_threads_that_work_and_requests_that_wait_for_one_are_shown_as_they_are() -> None:
    inside, leave = threading.Semaphore(0), threading.Event()

    def slow(environ: Any, start_response: Any) -> list[bytes]:
        inside.release()
        leave.wait(60)
        start_response("200 OK", [])
        return [b""]

    port = free_port()
    server = listen(slow, Path("x"), Ending(), host="127.0.0.1", port=port, threads=2)  # type: ignore[arg-type]
    server.start("slow")
    metrics = Metrics()
    metrics.watch_server(server, 2)
    with ThreadPoolExecutor(3) as pool:
        answers = [pool.submit(requests.get, f"http://127.0.0.1:{port}/", timeout=60) for _ in range(3)]
        assert inside.acquire(timeout=60)
        assert inside.acquire(timeout=60)
        while value(metrics, "tunnus_requests_waiting") != 1:
            time.sleep(0.01)
        assert value(metrics, "tunnus_limit_used", limit="threads") == 2
        assert value(metrics, "tunnus_limit_most", limit="threads") == 2
        leave.set()
        assert [answer.result().status_code for answer in answers] == [200] * 3
    server.drain(0)


def test_round_trips_and_requests_are_counted() -> None:
    metrics = Metrics()
    metrics.store_round_trip()
    metrics.request("flow.choose", 303, 0.02, {})
    assert value(metrics, "tunnus_store_round_trips_total") == 1
    assert value(metrics, "tunnus_request_seconds_count", endpoint="flow.choose", status="3xx") == 1
    assert b"tunnus_store_round_trips_total 1.0" in metrics.render()


@pytest.mark.parametrize("row", ["010100A969P", "010100-969p", "<b>", "x" * 41, "å"])
def test_what_is_no_id_is_no_label(row: str) -> None:
    metrics = Metrics()
    metrics.refused(code="bad_request", step="request", provider=row)
    assert row not in metrics.render().decode()
    assert b'provider="other"' in metrics.render()


def test_asking_for_many_rows_does_not_make_the_process_grow() -> None:
    metrics = Metrics()
    for number in range(1000):
        metrics.started(provider=f"row-{number}", connection="isb")
    assert metrics.render().decode().count("tunnus_attempts_started_total{") <= 201


def test_two_processes_in_one_test_do_not_share_counters() -> None:
    first, second = Metrics(), Metrics()
    first.store_round_trip()
    assert value(second, "tunnus_store_round_trips_total") == 0


def test_what_is_fetched_of_clients_and_how_old_notices_are() -> None:
    metrics, ages = Metrics(), {"isb": None, "telia": 7.0}
    for whole in (True, False, False):
        metrics.client_keys_fetched("portal", whole)
    assert value(metrics, "tunnus_client_keys_fetched_total", client="portal", outcome="ok") == 1
    assert value(metrics, "tunnus_client_keys_fetched_total", client="portal", outcome="failed") == 2
    metrics.watch_notices(ages, ages.__getitem__)
    assert value(metrics, "tunnus_notices_age_seconds", connection="telia") == 7
    assert value(metrics, "tunnus_notices_age_seconds", connection="isb") == math.inf
