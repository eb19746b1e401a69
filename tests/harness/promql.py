"""What a query in PromQL asks for: names of metrics, and the labels it picks or groups by."""

from __future__ import annotations

import re

_SELECTOR = re.compile(r"\b((?:\w+:)?(?:tunnus|process)_\w+(?::\w+)?)(?:\{([^}]*)\})?")
_MATCHER = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"")
_GROUPING = re.compile(r"\b(?:by|on|ignoring|without)\s*\(([^)]*)\)")
OF_PROMETHEUS = frozenset({"job", "instance", "le"})
"""Labels that every series has, or a histogram's."""


def asked_of(query: str) -> dict[str, set[str]]:
    """The metrics of a query, each with the labels that are matched."""
    found: dict[str, set[str]] = {}
    for name, matchers in _SELECTOR.findall(query):
        found.setdefault(name, set()).update(_MATCHER.findall(matchers))
    return found


def grouped_by(query: str) -> set[str]:
    """The labels that a query groups or joins by."""
    return {label.strip() for group in _GROUPING.findall(query) for label in group.split(",") if label.strip()}
