"""What token requests took for themselves and could not use, because the answer could not be given.

A client that is answered 503 sends its request again; what it needs for that must not be gone. Other brokers learn
of it by the store. While the store does not answer, the broker that failed remembers it by itself.
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from broker.store import Entry, Key, Store

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
    """What one request has used up so far. once: the key of each `jti`, and what names this use of it."""

    once: list[tuple[Key, str]] = field(default_factory=list, repr=False)
    access_token: str | None = field(default=None, repr=False)


def use_once(store: Store, unsent: Unsent, key: Key, seconds: int, taken: Taken) -> bool:
    """Whether this is the first use of a key, or the first sent again after that came to nothing; noted in taken.

    seconds: for how long the use is remembered. Raises StoreUnavailable.
    """
    use = secrets.token_hex(8)
    taken.once.append((key, use))
    if store.put_new(Entry(key, {"use": use}, seconds)):
        return True
    (held,) = store.get(key)
    use = str(held.get("use")) if held else ""
    if not unsent.pop(use):
        taken.once.pop()
        return False
    taken.once[-1] = (key, use)
    return True
