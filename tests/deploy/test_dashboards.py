"""Grafana's dashboards: valid, whole, and of nothing but what is exposed or recorded."""

from __future__ import annotations

import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any, get_args

import pytest
from flask import Flask

from broker.operations.last_hour import IDENTIFIED
from broker.operations.metrics import ALARMING
from broker.settings.models import LimitSettings
from customer_service.sign_in.counts import Outcome
from providers.errors import ALL_ERRORS
from registration.operations import LIMITS
from tests.deploy.test_rules import ALERTS, RULES, known_series
from tests.harness.exposed import Exposed
from tests.harness.promql import OF_PROMETHEUS, asked_of, grouped_by

FILES = sorted((Path(__file__).parents[2] / "deploy" / "grafana").glob("*.json"))
each_dashboard = pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)


def read(file: Path) -> dict[str, Any]:
    dashboard: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return dashboard


def panels(file: Path) -> list[dict[str, Any]]:
    """What is drawn, without the headings."""
    return [panel for panel in read(file)["panels"] if panel["type"] != "row"]


def test_there_is_one_for_each_service_and_no_two_are_one() -> None:
    assert [file.stem for file in FILES] == ["broker", "customer-service", "registration"]
    assert len({read(file)["uid"] for file in FILES}) == len({read(file)["title"] for file in FILES}) == len(FILES)


@each_dashboard
def test_a_dashboard_stands_by_itself_and_asks_the_data_source_that_is_chosen(file: Path) -> None:
    dashboard = read(file)
    assert "id" not in dashboard, "a number of the Grafana that it was saved in"
    assert [variable["type"] for variable in dashboard["templating"]["list"]] == ["datasource"]
    sources = [panel["datasource"] for panel in panels(file)]
    sources += [target["datasource"] for panel in panels(file) for target in panel["targets"]]
    assert {(source["type"], source["uid"]) for source in sources} == {("prometheus", "${datasource}")}


@each_dashboard
def test_panels_have_titles_of_their_own_and_do_not_lie_on_each_other(file: Path) -> None:
    every = read(file)["panels"]
    assert len({panel["id"] for panel in every}) == len({panel["title"] for panel in every}) == len(every)
    for one, other in combinations([panel["gridPos"] for panel in every], 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or below
        assert one["x"] + one["w"] <= 24


@each_dashboard
def test_panels_ask_for_metrics_and_labels_that_there_are(file: Path, exposed: list[Exposed]) -> None:
    known = known_series(exposed)
    for panel in panels(file):
        for target in panel["targets"]:
            query = target["expr"]
            asked = asked_of(query)
            assert asked or "up{" in query, panel["title"]
            for name, labels in asked.items():
                assert labels <= known[name] | OF_PROMETHEUS, (panel["title"], name, labels)
            allowed = set[str]().union(*(known[name] for name in asked)) | OF_PROMETHEUS
            assert grouped_by(query) <= allowed, panel["title"]
            assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= allowed, panel["title"]


def test_every_metric_of_ours_is_drawn_somewhere(exposed: list[Exposed]) -> None:
    queries = [target["expr"] for file in FILES for panel in panels(file) for target in panel["targets"]]
    drawn = {name for query in queries for name in asked_of(query)}
    recorded = {rule["record"]: rule["expr"] for rule in RULES if "record" in rule}
    for name in list(recorded) * 2:  # one is recorded of another
        if name in drawn:
            drawn |= set(asked_of(recorded[name]))
    undrawn = {metric.name for metric in exposed if not metric.series & drawn}
    # The breaker of a whole connection stops each of its providers, which are drawn.
    assert undrawn == {"process_start_time_seconds", "process_virtual_memory_bytes", "tunnus_connection_usable"}


def test_every_alert_that_a_panel_names_is_one() -> None:
    for file in FILES:
        for panel in panels(file):
            for named in re.findall(r"[Aa]lerts? ((?:[A-Z]\w+(?:, )?)+)", panel["description"]):
                assert set(named.split(", ")) <= set(ALERTS), panel["title"]


def test_what_queries_pick_by_name_is_a_name_of_ours(services: dict[str, Flask]) -> None:
    """Of endpoints, limits, outcomes and events: what is matched is matched by something."""
    metrics = services["broker"].extensions["tunnus"].metrics
    names = {
        "endpoint": {rule.endpoint for app in services.values() for rule in app.url_map.iter_rules()},
        "limit": {*LimitSettings.model_fields, *LIMITS, *(name for name, _, _ in metrics.limits())},
        "outcome": {IDENTIFIED, *(error.code for error in ALL_ERRORS), *get_args(Outcome)},
        "event": {"jwks_fetched", *ALARMING},
        "job": set(services),
        "check": {"keys ending", "e-mail"},
        "status": {"2xx", "3xx", "4xx", "5xx"},
    }
    queries = [target["expr"] for file in FILES for panel in panels(file) for target in panel["targets"]]
    picked = 0
    for query in [*queries, *(rule["expr"] for rule in RULES)]:
        for label, value in re.findall(r'(\w+)\s*(?:=~|!~|!=|=)\s*"([^"]*)"', query):
            for alternative in value.split("|"):
                assert any(re.fullmatch(alternative, name) for name in names[label]), (label, alternative)
                picked += 1
    assert picked > 50
