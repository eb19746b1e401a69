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


@dataclass(frozen=True, slots=True)
class Use:
    """A use of what may be used once: under which key, what names this use, and for how many seconds it is known."""

    key: Key
    name: str
    seconds: int

    @staticmethod
    def of(key: Key, seconds: int) -> Use:
        """A fresh one."""
        return Use(key, secrets.token_hex(8), seconds)

    @property
    def entry(self) -> Entry:
        """To put it, if it is the first."""
        return Entry(self.key, {"use": self.name}, self.seconds)


@dataclass(slots=True)
class Taken:
    """What one request has used up so far. once: the key of each `jti`, and what names this use of it.

    due: a `jti` that is yet to be used up, together with what the request is about.
    """

    due: Use | None = field(default=None, repr=False)
    once: list[tuple[Key, str]] = field(default_factory=list, repr=False)
    access_token: str | None = field(default=None, repr=False)


def use_once(store: Store, unsent: Unsent, use: Use, taken: Taken) -> bool:
    """Whether this is the first use of a key, or the first sent again after that came to nothing; noted in taken.

    Raises StoreUnavailable.
    """
    taken.once.append((use.key, use.name))
    return store.put_new(use.entry) or use_again(store, unsent, use, taken)


def use_again(store: Store, unsent: Unsent, use: Use, taken: Taken) -> bool:
    """Whether a use that is noted in taken, and was not the first, follows one that came to nothing."""
    (held,) = store.get(use.key)
    name = str(held.get("use")) if held else ""
    taken.once.remove((use.key, use.name))
    if not unsent.pop(name):
        return False
    taken.once.append((use.key, name))
    return True
