"""HTTP that ends: bounded in bytes and in time, no redirects, no cookies, nothing of the environment.

A `requests` time-out is per read, so that a server which drips a byte now and then could hold a thread for as long as
it likes; the deadline here is to the last byte.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import requests
from requests.adapters import HTTPAdapter
from requests.utils import default_user_agent
from urllib3 import Timeout
from urllib3.exceptions import HTTPError

from providers.engine.watched import WatchedAdapter, watched

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


@lru_cache(maxsize=64)
def _prepared(method: str, url: str, accept: str) -> requests.PreparedRequest:
    """A request without a body; the same for each call to one place."""
    headers = {"User-Agent": default_user_agent(), "Accept": accept, "Accept-Encoding": "identity"}
    return requests.Request(method, url, headers=headers).prepare()


def _request(method: str, url: str, accept: str, form: str | None) -> requests.PreparedRequest:
    made = _prepared(method, url, accept)
    if form is None:
        return made
    request = requests.PreparedRequest()
    request.method, request.url, request.body = method, made.url, form
    request.headers = made.headers.copy()
    request.headers["Content-Type"] = "application/x-www-form-urlencoded"
    request.headers["Content-Length"] = str(len(form))
    return request


class BoundedSession:
    """Kept connections. ca_bundle: instead of the usual authorities. pool: connections kept. monotonic: seconds.

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
        # No session of `requests`: it would know cookies, redirects, and proxies and authorities of the environment.
        self._verify = str(ca_bundle) if ca_bundle else True
        self._proxies = {"http": proxy, "https": proxy} if proxy else {}
        self._adapter = adapter or WatchedAdapter(pool_connections=4, pool_maxsize=pool, max_retries=0)

    def close(self) -> None:
        """Close what is kept open; it can be used again."""
        self._adapter.close()

    def exchange(self, method: str, url: str, seconds: float, *, accept: str, form: str | None = None) -> Answer:
        """One call, its last byte within so many seconds. form: urlencoded. Raises BankUnreachable."""
        try:
            return self._exchange(method, url, seconds, accept, form)
        except (requests.RequestException, HTTPError, OSError) as error:
            raise BankUnreachable("the call failed") from error

    def _exchange(self, method: str, url: str, seconds: float, accept: str, form: str | None) -> Answer:
        ends_at = self._monotonic() + seconds
        with self._adapter.send(
            _request(method, url, accept, form),
            stream=True,
            timeout=Timeout(total=seconds, connect=min(seconds, CONNECT_SECONDS)),  # type: ignore[arg-type]
            verify=self._verify,
            proxies=self._proxies,
        ) as response:
            body = self._body(response, ends_at)
            content_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
            return Answer(response.status_code, content_type, body)

    def _body(self, response: requests.Response, ends_at: float) -> bytes:
        """Read to the last byte. Cut by us, a body may look like a whole one."""
        body = bytearray()
        with watched(getattr(response.raw, "bank_socket", None), ends_at - self._monotonic()):
            while piece := response.raw.read1(16 * 1024):
                body += piece
                if len(body) > LONGEST_BODY:
                    raise BankUnreachable("the answer is too long")
        if self._monotonic() >= ends_at:
            raise BankUnreachable("no whole answer came in time")
        return bytes(body)
