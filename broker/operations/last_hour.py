"""What became of identifications in the last hour, by the chooser's row: for the status page, in this process."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping

MINUTES = 60
STARTED = "started"
IDENTIFIED = "identified"


class LastHour:
    """Counts by minute; what is older falls off. clock: seconds since the epoch."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._minutes: deque[tuple[int, Counter[tuple[str, str]]]] = deque(maxlen=MINUTES)

    def add(self, row: str, what: str) -> None:
        """Count a thing. row: a bounded label. what: STARTED, IDENTIFIED or the code of an error."""
        minute = int(self._clock() // 60)
        with self._lock:
            if not self._minutes or self._minutes[-1][0] != minute:
                self._minutes.append((minute, Counter()))
            self._minutes[-1][1][row, what] += 1

    def counts(self) -> Mapping[str, Counter[str]]:
        """By row, how often each thing happened."""
        oldest = int(self._clock() // 60) - MINUTES
        found: dict[str, Counter[str]] = {}
        with self._lock:
            for minute, counted in self._minutes:
                if minute > oldest:
                    for (row, what), count in counted.items():
                        found.setdefault(row, Counter())[what] += count
        return found
