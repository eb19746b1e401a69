"""Calls to a bank: bounded in number, in bytes and in time.

A `requests` time-out is per read, so that a bank which drips a byte now and then could hold a thread for
as long as it likes; the deadline here is to the last byte. A bank that hangs hurts only those who chose it.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from urllib.parse import urlencode

import requests
from urllib3 import Timeout
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from providers.connection import Connection
from providers.engine.breaker import Breakers
from providers.engine.watched import BankSession, WatchedAdapter, watched
from providers.model import Observer

LONGEST_BODY = 64 * 1024
"""Bytes."""
CALL_SECONDS = 10.0
LOGIN_SECONDS = 20.0
"""Seconds to the last byte of one call, and for all calls of one identification."""
CONNECT_SECONDS = 5.0
PLACE_SECONDS = 1.0
"""Seconds an identification waits for a place among the connection's."""
TRIAL_SECONDS = 3.0
"""Seconds an identification has while the breaker is open; such ones hold half of the places at most."""


class BankUnreachable(Exception):
    """No whole answer came: time-out, refused, reset, too long, no place. The message is constant."""


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


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. content_type: without parameters, lower case."""

    status: int
    content_type: str
    body: bytes = field(repr=False)


def places(threads: int, connections: int) -> int:
    """How many threads may be in calls to one bank: a quarter, three quarters if it is the only one."""
    return max(1, threads * 3 // 4 if connections == 1 else threads // 4)


class BankHttp:
    """The kept HTTP session to one connection.

    places: identifications that may be in calls to this bank at a time. traced: put around each call, by its name,
    `token_request` or `keys_fetch`; None where nobody wants traces. monotonic: seconds. call_seconds, login_seconds,
    place_seconds: tests make them short.
    """

    def __init__(
        self,
        connection: Connection,
        places: int,
        observer: Observer,
        *,
        traced: Callable[[str], AbstractContextManager[None]] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        call_seconds: float = CALL_SECONDS,
        login_seconds: float = LOGIN_SECONDS,
        place_seconds: float = PLACE_SECONDS,
    ) -> None:
        self._id = connection.id
        self._observer = observer
        self._traced = traced
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
        self._session = BankSession()
        # Else REQUESTS_CA_BUNDLE and proxies of the environment would overrule what the config says.
        self._session.trust_env = False
        # One session serves many persons: nothing that a bank sets in one call may come along in the next.
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._session.verify = str(connection.ca_bundle) if connection.ca_bundle else True
        if connection.proxy:
            self._session.proxies = {"http": connection.proxy, "https": connection.proxy}
        adapter = WatchedAdapter(pool_connections=4, pool_maxsize=places, max_retries=0)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

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
        seconds = min(budget.left, self._call_seconds)
        try:
            if self._traced is None:
                return self._exchange(method, url, seconds, form, accept)
            with self._traced("token_request" if method == "POST" else "keys_fetch"):
                return self._exchange(method, url, seconds, form, accept)
        except (requests.RequestException, HTTPError, OSError) as error:
            raise BankUnreachable("the call failed") from error

    def _opened(self, provider: str | None) -> None:
        told = {"provider": provider} if provider is not None else {}
        self._observer.event("breaker_opened", connection=self._id, **told)

    def _exchange(self, method: str, url: str, seconds: float, form: str | None, accept: str) -> Answer:
        ends_at = self._monotonic() + seconds
        headers = {"Accept": accept, "Accept-Encoding": "identity"}
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        with self._session.request(
            method,
            url,
            data=form,
            headers=headers,
            timeout=Timeout(total=seconds, connect=min(seconds, CONNECT_SECONDS)),  # type: ignore[arg-type]
            allow_redirects=False,
            stream=True,
        ) as response:
            body = self._body(response, ends_at)
            content_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
            return Answer(response.status_code, content_type, body)

    def _body(self, response: requests.Response, ends_at: float) -> bytes:
        """Read to the last byte, the socket's time-out shortened before each read."""
        body = bytearray()
        sock = getattr(response.raw, "bank_socket", None)
        chunked = getattr(response.raw, "chunked", False)
        with watched(sock, ends_at - self._monotonic()) if chunked else contextlib.nullcontext():
            while True:
                left = ends_at - self._monotonic()
                if left <= 0:
                    raise BankUnreachable("no whole answer came in time")
                if sock is not None and sock.fileno() >= 0:  # closed once the last byte of a `close` answer is read
                    sock.settimeout(left)
                piece = response.raw.read1(16 * 1024)
                if not piece:
                    if self._monotonic() >= ends_at:  # cut by us, which in a chunk's size or trailer looks like the end
                        raise BankUnreachable("no whole answer came in time")
                    return bytes(body)
                body += piece
                if len(body) > LONGEST_BODY:
                    raise BankUnreachable("the answer is too long")


def _never_connected(cause: BaseException | None) -> bool:
    """Whether not even a connection came about: then it concerns everybody, whichever bank they chose."""
    if isinstance(cause, requests.ConnectTimeout | requests.exceptions.SSLError | requests.exceptions.ProxyError):
        return True
    if not isinstance(cause, requests.ConnectionError) or not cause.args:
        return False
    reason = getattr(cause.args[0], "reason", None)
    return isinstance(reason, NewConnectionError | ConnectTimeoutError)
