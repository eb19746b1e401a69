"""Connections whose wait for the head of an answer has a deadline as a whole, not only per read.

A bank that drips its headers byte by byte would satisfy every read time-out and hold the thread for hours.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.response import HTTPResponse


class _Watched(HTTPConnection):
    def getresponse(self) -> HTTPResponse:
        """Read the head of the answer within `timeout` seconds, or have the socket shut down."""
        watch = threading.Timer(float(self.timeout or 10), self._abort)
        watch.daemon = True
        watch.start()
        try:
            return super().getresponse()  # type: ignore[no-any-return, unused-ignore]
        finally:
            watch.cancel()

    def _abort(self) -> None:
        with contextlib.suppress(OSError):
            if self.sock is not None:
                self.sock.shutdown(socket.SHUT_RDWR)


class _WatchedTls(_Watched, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Watched


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedTls


class WatchedAdapter(HTTPAdapter):
    """A `requests` adapter over such connections."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """See HTTPAdapter."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
