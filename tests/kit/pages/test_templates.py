"""No template holds words of its own: every text is a message of the catalogues, so that it can be translated."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from jinja2 import Environment, nodes

from tests.harness.page_rules import template_words

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = ("kit", "broker", "registration", "customer_service")
TEMPLATES = sorted(path for name in PACKAGES for path in (ROOT / name / "pages" / "templates").rglob("*.*"))
MARKUP = re.compile(r'^\s*<[^>]+>\s*$|[=/#{}"]')
"""What a constant of an expression may hold that is no text for people."""


def unmarked(node: nodes.Node) -> Iterator[str]:
    """Every constant of an expression that reads like a text and is not handed to gettext."""
    if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name == "_":
        for value in (*node.args[1:], *node.kwargs):
            yield from unmarked(value)
        return
    if isinstance(node, nodes.Const) and isinstance(node.value, str):
        if re.search(r"\w\s+\w", node.value) and not MARKUP.search(node.value):
            yield node.value
        return
    for child in node.iter_child_nodes():
        yield from unmarked(child)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_text_of_a_template_is_marked(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert [word for word in template_words(source).split() if word.isalpha()] == []
    assert list(unmarked(Environment(autoescape=True, extensions=["jinja2.ext.i18n"]).parse(source))) == []
