"""Connections to a host whose address was looked at first, and to that very address: no name leads into our network.

A name is in a configuration, and whoever holds its name servers says which machine that is. It is resolved once for a
connection; one address that is not allowed refuses them all; the address that was looked at is connected to, so that a
second answer (DNS rebinding) is never asked for. TLS is still with the name.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from urllib3.exceptions import NewConnectionError
from urllib3.util.connection import create_connection

from kit.settings.hosts import Kind, kind_of

if TYPE_CHECKING:
    from urllib3.connection import HTTPConnection as Connection
else:
    Connection = object

Resolve = Callable[[str, int], Sequence[str]]
"""The addresses of a host, at a port. Raises OSError."""
Connect = Callable[..., socket.socket]
_MOST_TRIED = 4


def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses that the system's resolver gives. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(place[0]) for _, _, _, _, place in found]


class AddressNotAllowed(ValueError):
    """A host has an address that must not be connected to. The message holds its kind, and nothing of the host."""


def checked_addresses(host: str, port: int, allowed: frozenset[Kind], resolve: Resolve) -> Sequence[str]:
    """Its addresses. Raises AddressNotAllowed if one is of another kind, OSError if it has none."""
    addresses = resolve(host, port)
    if refused := {kind_of(address) for address in addresses} - allowed:
        raise AddressNotAllowed(f"its address is not connected to ({min(refused)})")
    if not addresses:
        raise OSError("it has no address")
    return addresses[:_MOST_TRIED]


class CheckedConnection(Connection):
    """To be mixed into a connection of urllib3; see `checked`."""

    kinds: frozenset[Kind]
    resolve_host: Resolve
    connect_to: Connect

    def _new_conn(self) -> socket.socket:
        """Connect to an address that was looked at, within `timeout` seconds in all; see HTTPConnection."""
        ends_at = time.monotonic() + float(self.timeout or 10)
        error = None
        try:
            addresses = self._addresses(ends_at)
            for number, address in enumerate(addresses):
                share = _left(ends_at) / (len(addresses) - number)
                try:
                    sock = self.connect_to((address, self.port), share, socket_options=self.socket_options)
                except OSError as failure:
                    error = failure
                else:
                    sock.settimeout(_left(ends_at))  # for TLS
                    return sock
        except OSError as failure:
            error = failure
        raise NewConnectionError(self, "no address could be connected to") from error

    def _addresses(self, ends_at: float) -> Sequence[str]:
        """Its addresses, looked at. A name server that does not tell them in time is left to itself."""
        found: Future[Sequence[str]] = Future()

        def look_up() -> None:
            try:
                found.set_result(checked_addresses(self.host, self.port, self.kinds, self.resolve_host))
            except (OSError, ValueError) as error:
                found.set_exception(error)

        threading.Thread(target=look_up, name="names", daemon=True).start()
        return found.result(_left(ends_at))


def _left(ends_at: float) -> float:
    return max(0.01, ends_at - time.monotonic())


def checked(
    connection: type[Any], allowed: frozenset[Kind], resolve: Resolve = resolve, connect: Connect = create_connection
) -> type[Any]:
    """A class of connections, looked at. allowed: kinds of address. resolve, connect: tests put theirs here."""
    members = {"kinds": allowed, "resolve_host": staticmethod(resolve), "connect_to": staticmethod(connect)}
    return type("_Checked", (CheckedConnection, connection), members)
