"""Calls to a bank: bounded in number, in bytes and in time. A bank that hangs hurts only those who chose it."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

import requests
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from providers.connection import Connection
from providers.engine.bounded import LONGEST_BODY, Answer, BankUnreachable, BoundedSession
from providers.engine.breaker import Breakers
from providers.model import Observer

__all__ = ["LONGEST_BODY", "Answer", "BankHttp", "BankUnreachable", "Budget", "places"]

CALL_SECONDS = 10.0
LOGIN_SECONDS = 20.0
"""Seconds to the last byte of one call, and for all calls of one identification."""
PLACE_SECONDS = 1.0
"""Seconds an identification waits for a place among the connection's."""
TRIAL_SECONDS = 3.0
"""Seconds an identification has while the breaker is open; such ones hold half of the places at most."""


@dataclass(frozen=True, slots=True)
class Budget:
    """The time that the calls of one identification share, and its place among those of the connection.

    Made by `BankHttp.identification`. ends_at: on the monotonic clock. provider: whose a failure is, where the
    connection serves several.
    """

    ends_at: float
    monotonic: Callable[[], float]
    provider: str | None = None

    @property
    def left(self) -> float:
        """Seconds left; never negative."""
        return max(0.0, self.ends_at - self.monotonic())


def places(threads: int, connections: int) -> int:
    """How many threads may be in calls to one bank: a quarter, three quarters if it is the only one."""
    return max(1, threads * 3 // 4 if connections == 1 else threads // 4)


class BankHttp:
    """The kept HTTP session to one connection.

    places: identifications that may be in calls to this bank at a time. monotonic: seconds. call_seconds,
    login_seconds, place_seconds: tests make them short.
    """

    def __init__(
        self,
        connection: Connection,
        places: int,
        observer: Observer,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        call_seconds: float = CALL_SECONDS,
        login_seconds: float = LOGIN_SECONDS,
        place_seconds: float = PLACE_SECONDS,
    ) -> None:
        self._id = connection.id
        self._observer = observer
        self._monotonic = monotonic
        self._call_seconds = call_seconds
        self._login_seconds = login_seconds
        self._place_seconds = place_seconds
        self._places = threading.BoundedSemaphore(places)
        self._trials = threading.BoundedSemaphore(max(1, places // 2))
        self._counting = threading.Lock()
        self.calls = 0
        """Threads that hold a place now, for metrics."""
        self.breakers = Breakers(monotonic, self._opened)
        self._session = BoundedSession(
            ca_bundle=connection.ca_bundle, proxy=connection.proxy, pool=places, monotonic=monotonic
        )

    @contextlib.contextmanager
    def identification(self, provider: str | None = None) -> Iterator[Budget]:
        """A place for the calls of one identification, and for its waiting for what another one fetches.

        provider: the one it is with, where the connection serves several. While its breaker is open, the person,
        who has confirmed at the bank, is tried all the same: for a shorter time, among half of the places.
        Raises BankUnreachable if no place is free within a second: a bank that hangs holds its own places only.
        """
        trial = self.breakers.open_for(provider)
        ends_at = self._monotonic() + self._place_seconds
        with contextlib.ExitStack() as held:
            for places in (self._trials, self._places) if trial else (self._places,):
                if not places.acquire(timeout=max(0.0, ends_at - self._monotonic())):
                    raise BankUnreachable("no place among the calls to this bank")
                held.callback(places.release)
            held.enter_context(self._counted())
            seconds = min(TRIAL_SECONDS, self._login_seconds) if trial else self._login_seconds
            yield Budget(self._monotonic() + seconds, self._monotonic, provider)

    @contextlib.contextmanager
    def _counted(self) -> Iterator[None]:
        with self._counting:
            self.calls += 1
        try:
            yield
        finally:
            with self._counting:
                self.calls -= 1

    def get(self, url: str, budget: Budget) -> Answer:
        """GET. Raises BankUnreachable."""
        return self._call("GET", url, budget, None, "application/jwk-set+jwt, application/json;q=0.9")

    def post(self, url: str, form: Mapping[str, str], budget: Budget) -> Answer:
        """POST a form to the token endpoint. Never repeated. Raises BankUnreachable.

        That is counted as a failure here; whoever reads the answer counts what it is.
        """
        try:
            return self._call("POST", url, budget, urlencode(form), "application/json")
        except BankUnreachable as error:
            self.breakers.failed(None if _never_connected(error.__cause__) else budget.provider)
            raise

    def _call(self, method: str, url: str, budget: Budget, form: str | None, accept: str) -> Answer:
        if budget.left <= 0:
            raise BankUnreachable("the time for this identification is used up")
        return self._session.exchange(method, url, min(budget.left, self._call_seconds), accept=accept, form=form)

    def _opened(self, provider: str | None) -> None:
        told = {"provider": provider} if provider is not None else {}
        self._observer.event("breaker_opened", connection=self._id, **told)


def _never_connected(cause: BaseException | None) -> bool:
    """Whether not even a connection came about: then it concerns everybody, whichever bank they chose."""
    if isinstance(cause, requests.ConnectTimeout | requests.exceptions.SSLError | requests.exceptions.ProxyError):
        return True
    if not isinstance(cause, requests.ConnectionError) or not cause.args:
        return False
    reason = getattr(cause.args[0], "reason", None)
    return isinstance(reason, NewConnectionError | ConnectTimeoutError)
