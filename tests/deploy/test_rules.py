"""Prometheus's rules: each is tested with series that exist, and each alert has its paragraph in the runbook."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.harness.exposed import Exposed
from tests.harness.promql import OF_PROMETHEUS, asked_of, grouped_by

ROOT = Path(__file__).parents[2]
RULES = [
    rule
    for file in sorted((ROOT / "deploy" / "prometheus").glob("*.rules.yml"))
    for group in yaml.safe_load(file.read_text("utf-8"))["groups"]
    for rule in group["rules"]
]
ALERTS = {rule["alert"]: rule for rule in RULES if "alert" in rule}
RECORDED = {rule["record"]: rule["expr"] for rule in RULES if "record" in rule}
TESTS: list[dict[str, Any]] = [
    test
    for file in sorted((ROOT / "tests" / "deploy" / "rules").glob("*.yml"))
    for test in yaml.safe_load(file.read_text("utf-8"))["tests"]
]
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text("utf-8")
each_alert = pytest.mark.parametrize("name", ALERTS)


@each_alert
def test_an_alert_is_tested_where_it_fires_and_where_it_does_not(name: str) -> None:
    told = [bool(case["exp_alerts"]) for test in TESTS for case in test["alert_rule_test"] if case["alertname"] == name]
    assert set(told) == {True, False}


def test_no_test_is_of_an_alert_that_there_is_not() -> None:
    assert {case["alertname"] for test in TESTS for case in test["alert_rule_test"]} == set(ALERTS)


@pytest.mark.parametrize("name", RECORDED)
def test_what_is_recorded_is_tested(name: str) -> None:
    queries = [case["expr"] for test in TESTS for case in test.get("promql_expr_test", ())]
    assert any(name in query for query in queries)


@each_alert
def test_an_alert_has_a_severity_a_summary_and_a_paragraph_in_the_runbook(name: str) -> None:
    rule = ALERTS[name]
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["runbook"] == f"docs/runbook.md#{name.lower()}"
    paragraph = RUNBOOK.partition(f"\n### {name}\n")[2].partition("\n##")[0]
    assert len(paragraph.split()) >= 25


def test_the_runbook_has_paragraphs_of_alerts_only_and_its_links_lead_somewhere() -> None:
    assert re.findall(r"^### (\w+)$", RUNBOOK, re.MULTILINE) == list(ALERTS)
    headings = {name.lower() for name in ALERTS}
    operations = (ROOT / "docs" / "operations.md").read_text("utf-8")
    anchors = {
        re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", operations, re.MULTILINE)
    }
    for file, anchor in re.findall(r"\]\(([a-z.]*)#([a-z0-9-]+)\)", RUNBOOK):
        assert anchor in (anchors if file else headings), anchor


def known_series(exposed: list[Exposed]) -> dict[str, frozenset[str]]:
    """The labels of every series that there is: exposed, or recorded of such."""
    known = {series: metric.labels for metric in exposed for series in metric.series}
    for name, query in RECORDED.items():
        known[name] = frozenset(grouped_by(query)) or frozenset({"limit"})
    return known


def test_rules_ask_for_metrics_and_labels_that_there_are(exposed: list[Exposed]) -> None:
    known = known_series(exposed)
    for rule in RULES:
        asked = asked_of(rule["expr"])
        assert asked or "up{" in rule["expr"]
        for name, labels in asked.items():
            assert labels <= known[name] | OF_PROMETHEUS, (name, labels)
        allowed = set[str]().union(*(known[name] for name in asked)) | OF_PROMETHEUS
        assert grouped_by(rule["expr"]) <= allowed
        told = set(re.findall(r"\$labels\.(\w+)", str(rule.get("annotations", ""))))
        assert told <= allowed


def test_rules_are_tested_with_series_as_they_are_exposed(exposed: list[Exposed]) -> None:
    known = known_series(exposed)
    of: dict[str, set[frozenset[str]]] = defaultdict(set)
    for test in TESTS:
        for given in test["input_series"]:
            for name, labels in asked_of(given["series"]).items():
                of[name].add(frozenset(labels - OF_PROMETHEUS))
    assert of
    assert {name: {known[name]} for name in of} == dict(of)
