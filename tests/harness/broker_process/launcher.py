"""The broker as it is, but for one thing: at a point of a login that a test names, the process is killed.

    python launcher.py CONFIG [POINT]

SIGKILL, by itself, in the thread that got there: nothing is closed, flushed or answered.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kit.serving import greenlets

greenlets.use()  # as `tunnus serve`, before what stands below

# isort: split
from broker.audit import AuditTrail  # noqa: E402
from broker.server import serve  # noqa: E402
from broker.store import RedisStore  # noqa: E402
from providers.engine.adapter import OidcAdapter  # noqa: E402


def always(*_arguments: Any, **_named: Any) -> bool:
    return True


def stores(kind: str) -> Callable[..., bool]:
    """Is a thing of this kind among what is put?"""
    return lambda _store, *entries, **_named: any(entry.key.kind == kind for entry in entries)


def does(what: str, kind: str) -> Callable[..., bool]:
    """Is this done to a thing of this kind among the steps?"""
    return lambda _store, *steps: any((step.what, step.key.kind) == (what, kind) for step in steps)


def tells(event: str) -> Callable[..., bool]:
    """Is this the event that is recorded?"""
    return lambda _trail, told, **_named: told == event


@dataclass(frozen=True)
class Point:
    """A call of one function. after: kill when it has returned, else before it does anything."""

    owner: type
    name: str
    after: bool
    when: Callable[..., bool] = always


POINTS = {
    "before the transaction is stored": Point(RedisStore, "run", False, does("put", "transaction")),
    "after the transaction was stored": Point(RedisStore, "run", True, does("put", "transaction")),
    "before the attempt is stored": Point(RedisStore, "run", False, does("put", "attempt")),
    "after the attempt was stored": Point(RedisStore, "run", True, does("put", "attempt")),
    "before the claim": Point(RedisStore, "run", False, does("new", "claim")),
    "after the claim": Point(RedisStore, "run", True, does("new", "claim")),
    "after the bank answered": Point(OidcAdapter, "finish", True),
    "after the audit record": Point(AuditTrail, "record", True, tells("identified")),
    "before the code is stored": Point(RedisStore, "put", False, stores("outcome")),
    "after the code was stored": Point(RedisStore, "put", True, stores("outcome")),
    "after the token was handed over": Point(AuditTrail, "record", True, tells("handed_over")),
}


def arm(point: Point) -> None:
    """Put the kill round the function of a point."""
    function = getattr(point.owner, point.name)

    def deadly(*arguments: Any, **named: Any) -> Any:
        here = point.when(*arguments, **named)
        result = function(*arguments, **named) if point.after or not here else None
        if here:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(point.owner, point.name, deadly)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        arm(POINTS[sys.argv[2]])
    serve(Path(sys.argv[1]))
