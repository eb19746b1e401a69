"""What token requests took for themselves and could not use, because the answer could not be given.

A client that is answered 503 sends its request again; what it needs for that must not be gone. Other brokers learn
of it by the store. While the store does not answer, the broker that failed remembers it by itself.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from broker.store import Key

RETRY_WITHIN = 30
"""Seconds in which a token request that could not be answered may be sent again."""
_MOST = 10_000


class Unsent:
    """Access tokens and uses of assertions that came to nothing, each by its random name; bounded in number.

    clock: seconds since the epoch.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._until: OrderedDict[str, float] = OrderedDict()

    def add(self, name: str) -> None:
        """Remember one for RETRY_WITHIN seconds."""
        now = self._clock()
        with self._lock:
            self._until[name] = now + RETRY_WITHIN
            while len(self._until) > _MOST or next(iter(self._until.values())) <= now:
                self._until.popitem(last=False)

    def __contains__(self, name: str) -> bool:
        with self._lock:
            return self._until.get(name, 0.0) > self._clock()

    def pop(self, name: str) -> bool:
        """Whether it is remembered; for one caller alone."""
        with self._lock:
            return self._until.pop(name, 0.0) > self._clock()


@dataclass(slots=True)
class Taken:
    """What one token request has used up so far. assertion: the key of its `jti`, and what names this use of it."""

    assertion: tuple[Key, str] | None = field(default=None, repr=False)
    access_token: str | None = field(default=None, repr=False)
