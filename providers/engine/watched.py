"""Connections with a deadline as a whole, not only per read.

A bank that drips byte by byte would satisfy every read time-out and hold the thread for hours: in the head of
its answer, and in the sizes and trailers of a chunked body, where `http.client` reads whole lines.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Any

from requests import Response, Session
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.response import HTTPResponse


@contextlib.contextmanager
def watched(sock: socket.socket | None, seconds: float) -> Iterator[None]:
    """Shut the socket down if the block is not left within some seconds: a read in it then ends with an error."""
    watch = threading.Timer(seconds, _shut_down, [sock])
    watch.daemon = True
    watch.start()
    try:
        yield
    finally:
        watch.cancel()


def _shut_down(sock: socket.socket | None) -> None:
    with contextlib.suppress(OSError):
        if sock is not None:
            sock.shutdown(socket.SHUT_RDWR)


class _Watched(HTTPConnection):
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


class WatchedTls(_Watched, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Watched


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = WatchedTls


_POOLS = {"http": _Pool, "https": _TlsPool}


class WatchedAdapter(HTTPAdapter):
    """A `requests` adapter over such connections, straight or through a proxy."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """See HTTPAdapter."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """See HTTPAdapter."""
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager


class BankSession(Session):
    """A session that knows no redirects.

    `allow_redirects=False` alone still has `requests` read a redirect's whole body, whatever its size, to find
    out where it would have led.
    """

    def get_redirect_target(self, resp: Response) -> str | None:
        """Nowhere."""
        return None
