"""Who is signed in, in this process; the browser's cookie holds a random name and nothing else."""

from __future__ import annotations

import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Generic, TypeVar

from customer_service.sign_in.roles import Role

MOST = 2000
"""Sessions at a time; the one that was used longest ago goes first."""
MOST_KEPT = 30
"""Searches, drafts, and checks of callers, of one session; the oldest goes first."""
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Staff:
    """A member of staff as the employer's provider knows them. email: the address that it has checked."""

    issuer: str
    subject: str
    name: str
    roles: frozenset[Role]
    email: str | None = None

    @property
    def id(self) -> str:
        """As registration's audit trail has it, after `staff:`."""
        return hashlib.sha256(f"{self.issuer}\n{self.subject}".encode()).hexdigest()[:16]

    @property
    def acts(self) -> bool:
        """Whether they may do more than read."""
        return bool(self.roles & {"agent", "supervisor"})

    @property
    def supervises(self) -> bool:
        """Whether they may make administrators, relink, settle disputes and confirm others' acts."""
        return "supervisor" in self.roles


class Kept(Generic[Value]):
    """A few values of a session under random names, which may stand in addresses."""

    def __init__(self) -> None:
        self._values: OrderedDict[str, Value] = OrderedDict()
        self._lock = Lock()

    def add(self, value: Value) -> str:
        """Keep a value; return its name."""
        name = secrets.token_hex(16)
        with self._lock:
            self._values[name] = value
            while len(self._values) > MOST_KEPT:
                self._values.popitem(last=False)
        return name

    def get(self, name: str) -> Value | None:
        """The value of a name; None if there is none, or no longer."""
        with self._lock:
            return self._values.get(name)

    def remove(self, name: str) -> None:
        """Forget a value."""
        with self._lock:
            self._values.pop(name, None)


@dataclass(slots=True)
class Session:
    """A signed-in member of staff. searches: what they looked for; drafts: acts that wait to be confirmed.

    checks: of who is on the phone, without who it is.
    """

    staff: Staff
    ends_at: float
    idle_at: float
    searches: Kept[str] = field(default_factory=Kept, repr=False)
    drafts: Kept[object] = field(default_factory=Kept, repr=False)
    checks: Kept[object] = field(default_factory=Kept, repr=False)


class Sessions:
    """The sessions of this process. longest, idle: seconds. clock: seconds since the epoch."""

    def __init__(self, longest: int, idle: int, clock: Callable[[], float]) -> None:
        self._longest, self._idle, self._clock = longest, idle, clock
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._lock = Lock()

    def begin(self, staff: Staff) -> str:
        """Begin a session; return its name for the cookie, a new one each time."""
        name, now = secrets.token_urlsafe(32), self._clock()
        with self._lock:
            self._sessions[name] = Session(staff, now + self._longest, now + self._idle)
            while len(self._sessions) > MOST:
                self._sessions.popitem(last=False)
        return name

    def get(self, name: object) -> Session | None:
        """The session of a name that has not ended; being asked for is being used."""
        now = self._clock()
        with self._lock:
            session = self._sessions.pop(name, None) if isinstance(name, str) else None
            if session is None or now >= min(session.ends_at, session.idle_at):
                return None
            session.idle_at = now + self._idle
            self._sessions[str(name)] = session  # now the last to go
            return session

    def end(self, name: object) -> None:
        """End a session, for every copy of its cookie."""
        with self._lock:
            self._sessions.pop(str(name), None)

    def __len__(self) -> int:
        return len(self._sessions)
