"""Connections with a deadline as a whole, not only per read.

A bank that drips byte by byte would satisfy every read time-out and hold the thread for hours: in the head of
its answer, and in the sizes and trailers of a chunked body, where `http.client` reads whole lines.
"""

from __future__ import annotations

import contextlib
import heapq
import http.client
import socket
import threading
import time
from typing import Any

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError
from urllib3.response import HTTPResponse

from providers.engine.connecting import InTime


class watched:
    """Shut the socket down if the block is not left within some seconds: a read in it then ends with an error."""

    __slots__ = ("ends_at", "sock")

    def __init__(self, sock: socket.socket | None, seconds: float) -> None:
        self.sock = sock
        self.ends_at = time.monotonic() + seconds

    def __enter__(self) -> None:
        if self.sock is not None:
            _WATCHER.add(self)

    def __exit__(self, *_: object) -> None:
        with _WATCHER.lock:
            self.sock = None

    def __lt__(self, other: watched) -> bool:
        return self.ends_at < other.ends_at


class _Watcher:
    """One thread for all blocks, which starts with the first. What was left in time is passed over when its end comes.

    So the thread is woken only where a block ends before all others, and not for each.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._sooner = threading.Condition(self.lock)
        self._watched: list[watched] = []
        self._thread: threading.Thread | None = None

    def add(self, one: watched) -> None:
        with self.lock:
            heapq.heappush(self._watched, one)
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="bank calls", daemon=True)
                self._thread.start()
            elif self._watched[0] is one:
                self._sooner.notify()

    def _watch(self) -> None:
        with self.lock:
            while True:
                now = time.monotonic()
                while self._watched and (self._watched[0].sock is None or self._watched[0].ends_at <= now):
                    sock = heapq.heappop(self._watched).sock
                    with contextlib.suppress(OSError):
                        if sock is not None:
                            sock.shutdown(socket.SHUT_RDWR)
                self._sooner.wait(self._watched[0].ends_at - now if self._watched else None)


_WATCHER = _Watcher()


class _FinalResponse(http.client.HTTPResponse):
    def begin(self) -> None:
        """Read the head of the final answer; `http.client` takes any of 1xx but 100 for it (RFC 9110 §15.2)."""
        super().begin()
        while 101 < self.status < 200:
            self.headers = self.msg = None  # type: ignore[assignment] # else it thinks that it has begun
            super().begin()


class Watched(HTTPConnection):
    """To be mixed into a connection of urllib3: what it waits for ends in time as a whole."""

    response_class = _FinalResponse

    def connect(self) -> None:
        """Be connected within `timeout` seconds, or have the socket shut down.

        A proxy answers CONNECT line by line, and the time-out of a TLS handshake is for each read where there are
        greenlets.
        """
        self._connected_by = time.monotonic() + float(self.timeout or 10)
        try:
            with contextlib.ExitStack() as self._connecting:
                super().connect()
        except OSError:
            self._refuse_if_late()
            raise

    def _tunnel(self) -> None:
        super()._tunnel()
        self._refuse_if_late()  # cut by us, which in the head of the proxy's answer looks like its end

    def _refuse_if_late(self) -> None:
        if time.monotonic() >= self._connected_by:
            raise ConnectTimeoutError(self, "no connection came about in time")

    def _new_conn(self) -> socket.socket:
        sock = super()._new_conn()
        twin = self._connecting.enter_context(sock.dup())  # TLS puts a socket of its own in the place of this one
        self._connecting.enter_context(watched(twin, self._connected_by - time.monotonic()))
        return sock

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]
        """Read the head of the answer within `timeout` seconds, or have the socket shut down.

        The answer keeps the socket as `bank_socket`: where the bank says `close`, the connection lets go of it
        before the body is read.
        """
        sock = self.sock
        with watched(sock, float(self.timeout or 10)):
            response = super().getresponse()
        response.bank_socket = sock  # type: ignore[attr-defined]
        return response


class _Connection(Watched, InTime):
    pass


class _TlsConnection(Watched, InTime, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


_POOLS = {"http": _Pool, "https": _TlsPool}


class BankAdapter(HTTPAdapter):
    """A `requests` adapter whose answers have no cookies, no redirects and no encoding: nobody asks them for any."""

    def build_response(self, req: PreparedRequest, resp: Any) -> Response:
        """See HTTPAdapter."""
        response = Response()
        response.request, response.url, response.raw = req, str(req.url), resp
        response.status_code, response.headers = resp.status, resp.headers
        return response


class WatchedAdapter(BankAdapter):
    """One over such connections, straight or through a proxy."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """See HTTPAdapter."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """See HTTPAdapter."""
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager
