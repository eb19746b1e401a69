"""The endpoint of a bank's key set, and what is asked of the keys in it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from joserfc.jwk import RSAKey

from providers.engine.breaker import Breakers
from providers.engine.http import Answer, BankUnreachable, Budget
from providers.engine.jwks import BankKeys
from tests.harness.engine.parts import JWKS_URI, Clock


@dataclass
class Endpoint:
    """The key set's endpoint in place of BankHttp. body: what it answers now; None while the bank is down."""

    body: str | bytes | None
    status: int = 200
    calls: int = 0
    entered: threading.Event = field(default_factory=threading.Event)
    opened: threading.Event | None = None
    breakers: Breakers = field(default_factory=lambda: Breakers(Clock(), lambda _provider: None))
    bodies: list[str] = field(default_factory=list)
    """What it answers before that, one after the other."""

    def get(self, url: str, _budget: Budget) -> Answer:
        """See BankHttp.get; waits for `opened`, if there is one."""
        assert url == JWKS_URI
        self.calls += 1
        self.entered.set()
        if self.opened is not None:
            assert self.opened.wait(5)
        if self.bodies:
            self.body = self.bodies.pop(0)
        if self.body is None:
            raise BankUnreachable("down")
        body = self.body if isinstance(self.body, bytes) else self.body.encode()
        return Answer(self.status, "application/jwk-set+jwt", body)


class Turnstile:
    """A lock that tells when a number of threads have come to it."""

    def __init__(self, expected: int) -> None:
        self._lock = threading.Lock()
        self._left = iter(range(expected - 1, -1, -1))
        self.full = threading.Event()
        self.release = self._lock.release

    def acquire(self, *, blocking: bool = True, timeout: float = -1) -> bool:
        """See Lock."""
        if next(self._left, None) == 0:
            self.full.set()
        return self._lock.acquire(blocking=blocking, timeout=timeout)


MakeKeys = Callable[..., BankKeys]


def budget(seconds: float = 5.0) -> Budget:
    return Budget(seconds, lambda: 0.0)


def kid(key: RSAKey) -> str:
    return str(key.kid)


def found_key(keys: BankKeys, name: str | None, budget: Budget, refused: RSAKey | None = None) -> RSAKey:
    """The only key that is found under a name."""
    (key,) = keys.find(name, budget, () if refused is None else (refused,))
    return key
