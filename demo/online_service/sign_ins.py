"""Who has signed in to the online service: sessions on the server; the browser's cookie holds a random name only.

So nothing of a person, and no identity token, leaves this server, and a session that is ended is ended everywhere.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

from demo.online_service.api import Rights

MOST = 1000
"""Sessions at a time; the one that was used longest ago goes first."""
IDLE = 1800
"""Seconds without a request after which a session ends."""
LONGEST = 8 * 3600
"""Seconds after which it ends in any case."""


@dataclass(slots=True)
class Visitor:
    """A signed-in person. id_token: of one who identified, valid until token_until. rights: as last seen."""

    sub: str
    name: str
    id_token: str | None = field(default=None, repr=False)
    token_until: float = 0.0
    rights: Rights | None = field(default=None, repr=False)
    ends_at: float = 0.0
    idle_at: float = 0.0


class Visitors:
    """The sessions of this process. clock: seconds since the epoch."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._visitors: OrderedDict[str, Visitor] = OrderedDict()
        self._lock = Lock()

    def add(self, visitor: Visitor) -> str:
        """Begin a session; return its name for the cookie, a new one each time."""
        name, now = secrets.token_urlsafe(32), self._clock()
        visitor.ends_at, visitor.idle_at = now + LONGEST, now + IDLE
        with self._lock:
            self._visitors[name] = visitor
            while len(self._visitors) > MOST:
                self._visitors.popitem(last=False)
        return name

    def get(self, name: object) -> Visitor | None:
        """The person of a session that has not ended."""
        now = self._clock()
        with self._lock:
            visitor = self._visitors.pop(name, None) if isinstance(name, str) else None
            if visitor is None or now >= min(visitor.ends_at, visitor.idle_at):
                return None
            visitor.idle_at = now + IDLE
            self._visitors[str(name)] = visitor  # now the last to go
            return visitor

    def remove(self, name: object) -> None:
        """End a session."""
        with self._lock:
            self._visitors.pop(str(name), None)
