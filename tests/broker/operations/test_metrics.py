"""Metrics: what is counted, and that nobody can make labels."""

from __future__ import annotations

import logging
import math

import pytest

from broker.operations.metrics import Metrics


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
    metrics, state = Metrics(), {"usable": True, "calls": 2.0}
    metrics.watch("isb", usable=lambda: bool(state["usable"]), calls=lambda: state["calls"])
    assert value(metrics, "tunnus_connection_usable", connection="isb") == 1
    state |= {"usable": False, "calls": 5.0}
    assert value(metrics, "tunnus_connection_usable", connection="isb") == 0
    assert value(metrics, "tunnus_connection_calls", connection="isb") == 5


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
