"""Which new starts are stopped because a bank fails: in memory, per process.

Failures in a row open a breaker for a second or two; one more after that, for twice as long. It stops new starts
only: who has confirmed at the bank is always tried, and one whole answer closes it.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable

FAILURES_TO_OPEN = 5
FIRST_OPEN = 2.0
LONGEST_OPEN = 30.0
"""Seconds a breaker stays open: at first, and at most."""
LATELY = 300.0
"""Seconds after which a failure says nothing of now any more."""
SHARE = 2
"""Failures of one provider in a row that count for all of its contract: one bank alone does not stop the others."""


class Breaker:
    """Failures in a row of one thing. clock: monotonic seconds. Written by one thread at a time."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failures = 0
        self._opened = 0
        self._open_until = 0.0

    @property
    def open(self) -> bool:
        """Whether new starts are stopped now."""
        return self._opened > 0 and self._clock() < self._open_until

    @property
    def failing(self) -> bool:
        """Whether it has opened since the last whole answer."""
        return self._opened > 0

    @property
    def failed_lately(self) -> bool:
        """Whether it is open, or was so lately and no whole answer has come since."""
        return self._opened > 0 and self._clock() < self._open_until + LATELY

    def succeeded(self) -> None:
        """A whole answer came."""
        self._failures, self._opened = 0, 0

    def failed(self) -> bool:
        """No whole answer came; True if that has opened it for the first time since the last one."""
        self._failures += 1
        if self._failures < FAILURES_TO_OPEN or self.open:
            return False
        self._open_until = self._clock() + min(FIRST_OPEN * 2**self._opened, LONGEST_OPEN)
        self._opened = min(self._opened + 1, 10)
        return self._opened == 1


class Breakers:
    """Those of one connection: of the whole, of its key set, and of each provider where several share it.

    clock: monotonic seconds. opened: called with the provider, or None, when one has opened.
    """

    def __init__(self, clock: Callable[[], float], opened: Callable[[str | None], None]) -> None:
        self._clock = clock
        self._opened = opened
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """As at the beginning."""
        self._whole, self._keys = Breaker(self._clock), Breaker(self._clock)
        self._providers: dict[str, Breaker] = {}
        self._in_a_row: Counter[str] = Counter()

    def open_for(self, provider: str | None) -> bool:
        """Whether new starts with a provider are stopped; None: with any."""
        own = self._providers.get(provider) if provider is not None else None
        return self._whole.open or self._keys.open or (own is not None and own.open)

    def failed_lately(self, provider: str | None) -> bool:
        """Whether identifications with a provider failed lately, one after the other; None: with any."""
        own = self._providers.get(provider) if provider is not None else None
        return any(one is not None and one.failed_lately for one in (self._whole, self._keys, own))

    def answered(self, provider: str | None) -> None:
        """The token endpoint gave a whole answer."""
        with self._lock:
            self._whole.succeeded()
            self._in_a_row.clear()
            if provider in self._providers:
                self._providers[provider].succeeded()

    def failed(self, provider: str | None) -> None:
        """The token endpoint gave none. provider: whose identification it was for; None: it concerns all.

        That of one provider is counted for all only as far as its share: what fails for several is the contract's.
        """
        with self._lock:
            opened: list[str | None] = []
            if provider is not None:
                self._in_a_row[provider] += 1
                if self._providers.setdefault(provider, Breaker(self._clock)).failed():
                    opened.append(provider)
            for_all = provider is None or self._in_a_row[provider] <= SHARE or self._whole.failing
            if for_all and self._whole.failed():
                opened.append(None)
        for one in opened:
            self._opened(one)

    def keys_came(self) -> None:
        """The bank's key set was fetched."""
        with self._lock:
            self._keys.succeeded()

    def keys_failed(self) -> None:
        """An identification ended because the bank's key set cannot be had."""
        with self._lock:
            opened = self._keys.failed()
        if opened:
            self._opened(None)
