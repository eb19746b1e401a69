"""HTTPS to a host whose address was looked at first, and to that address: a name cannot lead us into a network of ours.

A client names where its keys are, and whoever holds its name servers says which machine that is. The name is resolved
once for a connection; one address that is not allowed refuses them all; the address that was looked at is connected to,
so that a second answer (DNS rebinding) is never asked for. TLS is still with the name.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from typing import Any

from urllib3 import HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError
from urllib3.util.connection import create_connection

from kit.settings.hosts import Kind, kind_of
from providers.engine.watched import BankAdapter, WatchedTls

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


class _CheckedTls(WatchedTls):
    kinds: frozenset[Kind]
    resolve_host: Resolve
    connect_to: Connect

    def _new_conn(self) -> socket.socket:
        """Connect to an address that was looked at; see HTTPConnection."""
        error = None
        try:
            for address in checked_addresses(self.host, self.port, self.kinds, self.resolve_host):
                try:
                    return self.connect_to((address, self.port), self.timeout, socket_options=self.socket_options)
                except OSError as failure:
                    error = failure
        except OSError as failure:
            error = failure
        raise NewConnectionError(self, "no address could be connected to") from error


class CheckedAdapter(BankAdapter):
    """A `requests` adapter over such connections, https only. allowed: the kinds of address that are connected to.

    resolve, connect: tests put theirs here.
    """

    def __init__(
        self, allowed: frozenset[Kind], *, resolve: Resolve = resolve, connect: Connect = create_connection
    ) -> None:
        members: dict[str, Any] = {
            "kinds": allowed,
            "resolve_host": staticmethod(resolve),
            "connect_to": staticmethod(connect),
        }
        self._connection = type("_Checked", (_CheckedTls,), members)
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """See HTTPAdapter."""
        super().init_poolmanager(*args, **kwargs)
        pool = type("_CheckedPool", (HTTPSConnectionPool,), {"ConnectionCls": self._connection})
        self.poolmanager.pool_classes_by_scheme = {"https": pool}
