"""Running checks over settings: each is a small function, and none keeps another from being run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from kit.settings.report import Problem

Check = Callable[[Any], Iterable[Problem]]


def all_problems(settings: Any, checks: Iterable[Check], in_production: Iterable[Check]) -> list[Problem]:
    """What checks find in settings, each thing once: of a URL that is plain http, or of no host, nothing more.

    in_production: checks that only hold where real people identify themselves (`environment`).
    """
    every = (*checks, *in_production) if settings.environment == "production" else tuple(checks)
    found = {(problem.key, problem.wrong): problem for check in every for problem in check(settings)}
    plain = {key for key, wrong in found if wrong.startswith("is plain http")}
    first = {key: wrong for key, wrong in reversed(found) if key in plain}
    return [problem for (key, wrong), problem in found.items() if first.get(key, wrong) == wrong]
