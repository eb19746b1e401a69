"""A name whose addresses a test tells, and addresses where nobody answers."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import patch

HOST = "bank.example"
LOOPBACK = [f"127.0.0.{last}" for last in range(1, 42)]


@contextlib.contextmanager
def looked_up(find: Callable[[], list[str]]) -> Iterator[None]:
    """Let HOST be looked up by a function, which gives its addresses."""
    system = socket.getaddrinfo

    def look(host: str, port: int, *more: Any, **options: Any) -> list[Any]:
        names = find() if host == HOST else [host]
        return [place for name in names for place in system(name, port, *more, **options)]

    with patch("socket.getaddrinfo", look):
        yield


@contextlib.contextmanager
def silent(addresses: list[str], port: int) -> Iterator[None]:
    """Addresses whose machine drops who wants to connect, as a fire wall does: the queue of each port is full."""
    with contextlib.ExitStack() as held:
        for address in addresses:
            listening = held.enter_context(socket.create_server((address, port), backlog=0))
            held.enter_context(socket.create_connection(listening.getsockname()))
        yield
