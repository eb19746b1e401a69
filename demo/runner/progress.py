"""What is being waited for: said when it takes long, and ended only when nothing goes on any more.

A busy machine makes everything slow and nothing wrong, so there is no limit to the whole: each step begins its own.
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

STALL = 180.0
"""Seconds that one step may take; longer than any wait within a step."""
TICK = 10.0
"""Seconds after which it is said what is waited for, and then again."""


class Stalled(Exception):
    """One step has not come to its end. The text says which."""


class _Watch:
    """The step that goes on now."""

    def __init__(self) -> None:
        self.what = "the start"
        self.since = time.monotonic()

    def look(self, _signal: int, _frame: FrameType | None) -> None:
        waited = time.monotonic() - self.since
        if waited >= STALL:
            raise Stalled(f"nothing has gone on for {waited:.0f} s; it waited for {self.what}")
        print(f"  … waiting for {self.what} ({waited:.0f} s)", file=sys.stderr, flush=True)


_running: list[_Watch] = []


def waiting_for(what: str) -> None:
    """Say, to whoever watches, what the next step waits for. Nothing happens where nobody watches."""
    if _running:
        watch = _running[-1]
        watch.what, watch.since = what, time.monotonic()
        signal.setitimer(signal.ITIMER_REAL, TICK, TICK)


@contextmanager
def watched() -> Iterator[None]:
    """Watch the steps within; for the main thread. Raises Stalled, in the middle of a step that does not end."""
    watch = _Watch()
    before = signal.signal(signal.SIGALRM, watch.look)
    _running.append(watch)
    waiting_for(watch.what)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        _running.remove(watch)
        signal.signal(signal.SIGALRM, before)
