"""HTTP that ends: bounded in bytes and in time, no redirects, no cookies, nothing of the environment.

A `requests` time-out is per read, so that a server which drips a byte now and then could hold a thread for as long as
it likes; the deadline here is to the last byte.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path

import requests
from requests.adapters import HTTPAdapter
from urllib3 import Timeout
from urllib3.exceptions import HTTPError

from providers.engine.watched import BankSession, WatchedAdapter, watched

LONGEST_BODY = 64 * 1024
"""Bytes."""
CONNECT_SECONDS = 5.0


class BankUnreachable(Exception):
    """No whole answer came: time-out, refused, reset, too long, no place. The message is constant."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. content_type: without parameters, lower case."""

    status: int
    content_type: str
    body: bytes = field(repr=False)


class BoundedSession:
    """A kept HTTP session. ca_bundle: instead of the usual authorities. pool: connections kept. monotonic: seconds.

    adapter: how it connects, where that is not straight or through the proxy.
    """

    def __init__(
        self,
        *,
        ca_bundle: Path | None = None,
        proxy: str | None = None,
        pool: int = 1,
        monotonic: Callable[[], float] = time.monotonic,
        adapter: HTTPAdapter | None = None,
    ) -> None:
        self._monotonic = monotonic
        self._session = BankSession()
        # Else REQUESTS_CA_BUNDLE and proxies of the environment would overrule what the config says.
        self._session.trust_env = False
        # One session serves many persons: nothing that a server sets in one call may come along in the next.
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._session.verify = str(ca_bundle) if ca_bundle else True
        if proxy:
            self._session.proxies = {"http": proxy, "https": proxy}
        adapter = adapter or WatchedAdapter(pool_connections=4, pool_maxsize=pool, max_retries=0)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    def close(self) -> None:
        """Close what is kept open; it can be used again."""
        self._session.close()

    def exchange(self, method: str, url: str, seconds: float, *, accept: str, form: str | None = None) -> Answer:
        """One call, its last byte within so many seconds. form: urlencoded. Raises BankUnreachable."""
        try:
            return self._exchange(method, url, seconds, accept, form)
        except (requests.RequestException, HTTPError, OSError) as error:
            raise BankUnreachable("the call failed") from error

    def _exchange(self, method: str, url: str, seconds: float, accept: str, form: str | None) -> Answer:
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
