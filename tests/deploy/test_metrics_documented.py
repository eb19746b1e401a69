"""docs/operations.md has one row for each metric, with its labels and the service that has it, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from tests.harness.exposed import Exposed

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| `([a-z_]+)` \| ([a-z, –]+) \| (broker|registration|customer-service|both|all) \|", re.MULTILINE)
OF = {"both": {"broker", "registration"}, "all": {"broker", "registration", "customer-service"}}


def test_every_metric_is_documented_with_its_labels_and_service_and_every_documented_one_is_exposed(
    exposed: list[Exposed],
) -> None:
    text = (ROOT / "docs" / "operations.md").read_text("utf-8")
    table = text.partition("### Metrics\n")[2].partition("\n## ")[0]
    rows = ROW.findall(table)
    assert len(rows) == len({name for name, _, _ in rows}) == table.count("\n| `")
    documented = {name: (set(re.findall(r"[a-z_]+", labels)), OF.get(of, {of})) for name, labels, of in rows}
    assert documented == {metric.name: (set(metric.labels), set(metric.services)) for metric in exposed}


def test_what_else_operations_are_told_of_is_exposed_too(exposed: list[Exposed]) -> None:
    text = (ROOT / "docs" / "operations.md").read_text("utf-8")
    assert set(re.findall(r"`(tunnus_[a-z_]+)`", text)) <= {metric.name for metric in exposed}
