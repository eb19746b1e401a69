"""A call to another service that answers JSON, bounded in bytes and in time to the last byte.

The time-outs of `requests` are per read: a service that drips a byte now and then would hold a thread for hours. So
a timer shuts the socket down when the time is up, in the head of an answer as well as in its body.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
from collections.abc import Mapping
from http.cookiejar import DefaultCookiePolicy
from typing import Any, get_args

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.response import HTTPResponse

from kit.checked_address import AddressNotAllowed, checked
from kit.settings.hosts import Kind

KEPT_CONNECTIONS = 32
_EVERY_KIND = frozenset(get_args(Kind))


class NoAnswer(Exception):
    """No usable answer. The message is constant: it is the reason in the log."""


class JsonService:
    """A kept HTTP session to one service. seconds: to the last byte of an answer. longest: bytes of a body.

    allowed: the kinds of address that are connected to; any unless given.
    """

    def __init__(
        self,
        seconds: float,
        longest: int,
        headers: Mapping[str, str] | None = None,
        allowed: frozenset[Kind] | None = None,
    ) -> None:
        self._seconds = seconds
        self._longest = longest
        self._session = _Session()
        self._session.trust_env = False  # else proxies and credentials of the environment would come along
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._session.headers.update({"Accept": "application/json", "Accept-Encoding": "identity", **(headers or {})})
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, _Adapter(allowed))

    def get(
        self, url: str, parameters: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        """Status and body. headers: besides those of every call. Raises NoAnswer. Redirects are not followed."""
        return self._send("GET", url, params=parameters, headers=headers)

    def post(self, url: str, value: Any, headers: Mapping[str, str]) -> tuple[int, bytes]:
        """Status and body of a POST of JSON; see `get`."""
        return self._send("POST", url, json=value, headers=headers)

    def push(self, url: str, content: bytes, kind: str) -> tuple[int, bytes]:
        """Status and body of a POST of something else. kind: its media type. See `get`."""
        return self._send("POST", url, data=content, headers={"Content-Type": kind})

    def _send(self, method: str, url: str, **what: Any) -> tuple[int, bytes]:
        timeout: Any = Timeout(total=self._seconds)
        try:
            with self._session.request(method, url, timeout=timeout, stream=True, **what) as response:
                return response.status_code, self._body(response)
        except AddressNotAllowed as error:
            raise NoAnswer(str(error)) from error
        except (requests.RequestException, HTTPError, OSError) as error:
            raise NoAnswer("the call failed, or no whole answer came in time") from error

    def _body(self, response: requests.Response) -> bytes:
        raw: Any = response.raw
        watch: _Watch = raw.watch
        body = bytearray()
        try:
            while len(body) <= self._longest and (piece := raw.read(self._longest + 1, decode_content=False)):
                body += piece
        finally:
            watch.cancel()
        if watch.fired:  # a body without a length, or a chunk's end, cut by us looks like a whole one
            raise NoAnswer("no whole answer came in time")
        if len(body) > self._longest:
            raise NoAnswer("the answer is too long")
        return bytes(body)


def json_object(body: bytes) -> dict[str, Any]:
    """The JSON object in a body. Raises NoAnswer."""
    try:
        value = json.loads(body.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise NoAnswer("the answer is not JSON") from error
    if not isinstance(value, dict):
        raise NoAnswer("the answer is no JSON object")
    return value


class _Watch:
    """A timer that shuts a socket down; a read in it then ends. fired: whether it did."""

    def __init__(self, sock: socket.socket, seconds: float) -> None:
        self.fired = False
        self._sock = sock
        self._timer = threading.Timer(seconds, self._fire)
        self._timer.daemon = True
        self._timer.start()

    def cancel(self) -> None:
        self._timer.cancel()

    def _fire(self) -> None:
        self.fired = True
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)


class _FinalResponse(http.client.HTTPResponse):
    def begin(self) -> None:
        """Read the head of the final answer; `http.client` takes any of 1xx but 100 for it (RFC 9110 §15.2)."""
        super().begin()
        while 101 < self.status < 200:
            self.headers = self.msg = None  # type: ignore[assignment] # else it thinks that it has begun
            super().begin()


class _Connection(HTTPConnection):
    response_class = _FinalResponse

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]
        """Read the head under a watch that goes on over the body; `timeout` is what is left of the whole time."""
        watch = _Watch(self.sock, float(self.timeout or 1))
        try:
            response = super().getresponse()
        except BaseException:
            watch.cancel()
            raise
        response.watch = watch  # type: ignore[attr-defined]
        return response


class _TlsConnection(_Connection, HTTPSConnection):
    pass


class _Adapter(HTTPAdapter):
    def __init__(self, allowed: frozenset[Kind] | None) -> None:
        pools: dict[str, tuple[type[Any], type[Any]]] = {
            "http": (HTTPConnectionPool, _Connection),
            "https": (HTTPSConnectionPool, _TlsConnection),
        }
        self._pools = {
            scheme: type(
                "_Pool", (pool,), {"ConnectionCls": checked(kind, _EVERY_KIND if allowed is None else allowed)}
            )
            for scheme, (pool, kind) in pools.items()
        }
        super().__init__(pool_maxsize=KEPT_CONNECTIONS, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools


class _Session(requests.Session):
    """Knows no redirects. Told not to follow one, `requests` still reads its whole body to find out where it leads."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        return None
