"""Refusals that no attempt was claimed for: counted, so that whoever sends junk writes a few lines, not a disk full.

The first of a kind is written at once, as login CSRF and replays should be; what follows within a minute is one record
with a count. Together they are all of them: nothing is sampled.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

PERIOD = 60.0
"""Seconds between two records of a kind."""
MOST_RECORDS = 60
"""Records of all kinds together in one period; what is beyond waits for the next."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A kind of refusal. code, step, reason: constants of ours, as in the log. client: one of ours, None if unknown."""

    code: str
    step: str
    reason: str | None = None
    client: str | None = None


@dataclass(slots=True)
class _Count:
    waiting: int = 0
    written_at: float = field(default=float("-inf"))


class RefusalCounts:
    """What waits to be written. clock: seconds since the epoch."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._counts: dict[Refusal, _Count] = {}
        self._period = 0.0
        self._records = 0

    def add(self, refusal: Refusal, count: int = 1) -> None:
        """Count a refusal, or such as could not be written."""
        with self._lock:
            self._counts.setdefault(refusal, _Count()).waiting += count

    @property
    def waiting(self) -> int:
        """How many are counted and not written."""
        with self._lock:
            return sum(count.waiting for count in self._counts.values())

    def take(self, *, all: bool = False) -> list[tuple[Refusal, int]]:
        """What is to be written now, and counts as written. all: at the end of the process, whatever it is."""
        now = self._clock()
        with self._lock:
            if not 0 <= now - self._period < PERIOD:
                self._period, self._records = now, 0
            taken = []
            for refusal, count in list(self._counts.items()):
                lately = 0 <= now - count.written_at < PERIOD
                if not count.waiting and not lately:
                    del self._counts[refusal]
                elif count.waiting and (all or (not lately and self._records < MOST_RECORDS)):
                    taken.append((refusal, count.waiting))
                    count.waiting, count.written_at = 0, now
                    self._records += 1
            return taken
