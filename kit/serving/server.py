"""A waitress server that listens, and whose end loses no request that has come."""

from __future__ import annotations

import errno
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from flask import Flask
from waitress.server import BaseWSGIServer, create_server

from kit.serving.connections import close_unused, stop_listening, take_no_new_ones, use_endable_connections
from kit.serving.ending import Ending
from kit.settings.report import ConfigurationError, Problem

LARGEST_REQUEST = 64 * 1024
"""Bytes of a body, unless told otherwise."""
LAST_ANSWERS = 25.0
"""Seconds that requests which have come may take to be answered at the end."""
HANDSHAKE = 0.2
"""Seconds in which a connection that is being made is made; longer than a round trip to a proxy."""
UNUSED = 1.0
"""Seconds at least for which nothing comes on a connection before it is closed: its first request may be on the way."""
LOOK = 0.05
"""Seconds between two looks at what is left."""

log = logging.getLogger("tunnus.server")


@dataclass(frozen=True)
class Server:
    """A server that listens; run it in a thread of its own. ending: once begun, connections are closed with answers."""

    ending: Ending
    _waitress: Any
    _sockets: dict[int, Any] = field(repr=False)

    def start(self, name: str) -> None:
        """Serve in a thread of that name."""
        threading.Thread(target=self._waitress.run, name=name, daemon=True).start()

    @property
    def working(self) -> int:
        """Threads that answer a request now."""
        return int(self._waitress.task_dispatcher.active_count)

    @property
    def waiting(self) -> int:
        """Requests that wait for a thread."""
        return len(self._waitress.task_dispatcher.queue)

    def drain(self, unused: float, seconds: float = LAST_ANSWERS, clock: Callable[[], float] = time.time) -> None:
        """Take no connection any more, answer every request that has come, and let go of those who ask nothing.

        unused: seconds after which nobody sends anything on a connection that was kept. seconds: after which all is
        left as it is, and so is it as soon as `ending.at_once`. clock: seconds since the epoch.
        """
        end, work = clock() + seconds, self._waitress.task_dispatcher
        listening = [held for held in list(self._sockets.values()) if isinstance(held, BaseWSGIServer)]
        for server in listening:
            self._in_loop(take_no_new_ones, server)
        self.ending.wait(HANDSHAKE)
        for server in listening:
            self._in_loop(stop_listening, server)
        unused = max(unused, UNUSED)
        while not self.ending.at_once:
            left = sum(self._in_loop(close_unused, server, clock() - unused) for server in listening)
            if not (left or work.queue or work.active_count):
                break
            if clock() >= end:
                log.warning("requests_cut", extra={"count": left})
                break
            self.ending.wait(LOOK)

    def _in_loop(self, function: Callable[..., Any], server: Any, *arguments: Any) -> int:
        """What a function gives, called in the loop's thread; 1 if that does not answer."""
        given: SimpleQueue[Any] = SimpleQueue()
        server.trigger.pull_trigger(lambda: given.put(function(server, *arguments)))
        try:
            return given.get(timeout=1) or 0
        except Empty:
            return 1


def listen(
    app: Flask,
    config: Path,
    ending: Ending,
    *,
    host: str,
    port: int,
    threads: int,
    key: str = "",
    max_body: int = LARGEST_REQUEST,
    forwarded: bool = False,
) -> Server:
    """A server of an application. Raises ConfigurationError, with keys of the table `server`, if it cannot listen.

    config: the file that names host and port. key: put before `host` and `port` there. max_body: bytes of a
    request. forwarded: X-Forwarded-For reaches the application.
    """
    sockets: dict[int, Any] = {}
    try:
        server = create_server(
            app,
            host=host,
            port=port,
            threads=threads,
            connection_limit=1000,
            max_request_body_size=max_body,
            max_request_header_size=32 * 1024,
            channel_timeout=60,
            ident=None,
            clear_untrusted_proxy_headers=not forwarded,
            map=sockets,
            asyncore_use_poll=True,
        )
    except (OSError, ValueError) as error:
        raise ConfigurationError(config, [_cannot_listen(error, host, port, key)]) from error
    for held in sockets.values():
        if isinstance(held, BaseWSGIServer):
            use_endable_connections(held, ending)
    return Server(ending, server, sockets)


def listen_operations(app: Flask, config: Path, ending: Ending, *, host: str, port: int) -> Server:
    """The second port of a service; see `listen`.

    What a proxy adds to a request reaches the application, which shows some things through none.
    """
    return listen(app, config, ending, host=host, port=port, threads=2, key="operations_", forwarded=True)


def _cannot_listen(error: OSError | ValueError, host: str, port: int, key: str) -> Problem:
    number = error.errno if isinstance(error, OSError) else None
    place = ("server", f"{key}port")
    if number == errno.EADDRINUSE:
        mend = f"end what listens there, or change server.{key}port"
        return Problem(place, f"{host}:{port} is taken", str(port), mend=mend)
    if number == errno.EACCES:
        return Problem(place, f"{host}:{port} may not be taken", str(port), mend="take a port above 1023")
    mend = "write an address of this machine: 127.0.0.1, or 0.0.0.0 for all of them"
    return Problem(("server", f"{key}host"), f"{host}:{port} is no address of this machine", f'"{host}"', mend=mend)
