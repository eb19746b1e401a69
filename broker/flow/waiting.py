"""Waiting for the outcome that another request is about to store: bounded, so that waiters never fill the house."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")

FIRST_PAUSE = 0.05
LONGEST_PAUSE = 0.5
"""Seconds between two looks."""


class WaitingRoom:
    """At most one waiter per attempt, and `places` in all, in this process.

    clock: seconds, for the limit. pause: sleeps for so many seconds; both are handed in by tests.
    """

    def __init__(
        self,
        places: int,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._places = threading.BoundedSemaphore(max(1, places))
        self._lock = threading.Lock()
        self._waiting: set[str] = set()
        self._clock = clock
        self._pause = pause

    @contextmanager
    def place_for(self, attempt: str) -> Iterator[bool]:
        """A place to wait for an attempt; False if somebody waits for it already or the room is full."""
        with self._lock:
            free = attempt not in self._waiting and self._places.acquire(blocking=False)
            if free:
                self._waiting.add(attempt)
        try:
            yield free
        finally:
            if free:
                with self._lock:
                    self._waiting.discard(attempt)
                    self._places.release()

    def until(self, look: Callable[[], T | None], seconds: float) -> T | None:
        """What `look` returns once it is not None, or None after so many seconds."""
        end = self._clock() + seconds
        pause = FIRST_PAUSE
        while (found := look()) is None and self._clock() < end:
            self._pause(pause)
            pause = min(pause * 1.5, LONGEST_PAUSE)
        return found
