"""A connection that is begun in time, however many addresses a bank has and whatever its name server does.

urllib3's time-out is for each address, and none is for the lookup of the name: a resolver asks dead name servers for
half a minute, and a bank with eight addresses behind a fire wall that drops takes eight times as long.
"""

from __future__ import annotations

import socket
import threading
import time
from queue import Empty, SimpleQueue

from urllib3.connection import HTTPConnection
from urllib3.exceptions import NewConnectionError
from urllib3.util.connection import create_connection


class InTime(HTTPConnection):
    """To be mixed into a connection of urllib3: it is begun within `timeout` seconds in all."""

    def _new_conn(self) -> socket.socket:
        """Connect to the first address that answers; each gets its share of the time. See HTTPConnection."""
        ends_at = time.monotonic() + float(self.timeout or 10)
        error: OSError | None = None
        try:
            addresses = _addresses(self._dns_host, self.port, ends_at)
            for number, address in enumerate(addresses):
                share = _left(ends_at) / (len(addresses) - number)
                try:
                    sock = create_connection((address, self.port), share, socket_options=self.socket_options)
                except OSError as failure:
                    error = failure
                else:
                    sock.settimeout(_left(ends_at))  # for TLS
                    return sock
        except OSError as failure:
            error = failure
        raise NewConnectionError(self, "no connection came about in time") from error


def _addresses(host: str, port: int, ends_at: float) -> list[str]:
    """The addresses of a host. Raises OSError, also if they are not told in time; then the lookup goes on alone."""
    found: SimpleQueue[list[str] | OSError] = SimpleQueue()

    def look_up() -> None:
        try:
            places = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found.put([str(place[0]) for *_, place in places])
        except (OSError, UnicodeError) as error:
            found.put(OSError(type(error).__name__))

    threading.Thread(target=look_up, name="bank names", daemon=True).start()
    try:
        told = found.get(timeout=_left(ends_at))
    except Empty:
        raise TimeoutError("the name is still being looked up") from None
    if isinstance(told, OSError):
        raise told
    return told


def _left(ends_at: float) -> float:
    return max(0.01, ends_at - time.monotonic())
