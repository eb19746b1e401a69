"""Prometheus's own tool takes the rules and the sample configuration, and its tests of the rules pass."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
DEPLOYED = ROOT / "deploy" / "prometheus"
TESTS = sorted((ROOT / "tests" / "deploy" / "rules").glob("*.test.yml"))
pytestmark = pytest.mark.peers


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["promtool", *arguments], capture_output=True, text=True, timeout=100, check=False)


def test_the_rules_and_the_sample_configuration_are_taken() -> None:
    done = promtool("check", "config", DEPLOYED / "prometheus.yml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_the_dashboards_ask_is_promql(tmp_path: Path) -> None:
    files = sorted((ROOT / "deploy" / "grafana").glob("*.json"))
    panels = [panel for file in files for panel in json.loads(file.read_text("utf-8"))["panels"]]
    queries = {target["expr"] for panel in panels for target in panel.get("targets", ())}
    rules = [{"record": f"asked:{number}", "expr": query} for number, query in enumerate(sorted(queries))]
    assert len(rules) > 30
    (tmp_path / "asked.yml").write_text(yaml.safe_dump({"groups": [{"name": "asked", "rules": rules}]}), "utf-8")
    done = promtool("check", "rules", tmp_path / "asked.yml")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("file", TESTS, ids=lambda file: file.name)
def test_each_rule_does_what_its_tests_say(file: Path) -> None:
    done = promtool("test", "rules", file)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("expression", ["vector(0) > 1", "vector(1)"])
def test_no_alert_may_be_silent_or_permanent_unnoticed(tmp_path: Path, expression: str) -> None:
    """Each alert in turn is made one that never fires, or always: a test of it must fail."""
    text = (DEPLOYED / "alerts.rules.yml").read_text("utf-8")
    rules = yaml.safe_load(text)
    names = [rule["alert"] for group in rules["groups"] for rule in group["rules"]]
    for group in rules["groups"]:
        for rule in group["rules"]:
            rule["expr"] = expression
    (tmp_path / "alerts.rules.yml").write_text(yaml.safe_dump(rules), "utf-8")
    unnoticed = set(names)
    for file in TESTS:
        test = yaml.safe_load(file.read_text("utf-8"))
        test["rule_files"] = [str(DEPLOYED / "recording.rules.yml"), str(tmp_path / "alerts.rules.yml")]
        (tmp_path / file.name).write_text(yaml.safe_dump(test), "utf-8")
        done = promtool("test", "rules", tmp_path / file.name)
        unnoticed -= {name for name in names if f"alertname: {name}," in done.stdout + done.stderr}
    assert unnoticed == set()
