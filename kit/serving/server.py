"""A waitress server that listens, and whose end loses no request that has come."""

from __future__ import annotations

import errno
import signal
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from flask import Flask
from waitress import wasyncore
from waitress.server import BaseWSGIServer, create_server

from kit.settings.report import ConfigurationError, Problem

LAST_ANSWERS = 25.0
"""Seconds that requests which have come may take to be answered at the end."""


@dataclass(frozen=True)
class Server:
    """A server that listens; run it in a thread of its own."""

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

    def drain(self, seconds: float = LAST_ANSWERS) -> None:
        """Take no connection any more, and answer the requests that have come, those that wait for a thread too.

        Not by `close()`: it closes the trigger by which threads wake the loop that sends their answers, and a thread
        would then write into whatever file has got the trigger's descriptor.
        """
        for server in [held for held in list(self._sockets.values()) if isinstance(held, BaseWSGIServer)]:
            wasyncore.dispatcher.close(server)
            server.pull_trigger()  # the loop lets go of the socket, so that nobody is kept in its backlog
        end = time.monotonic() + seconds
        work = self._waitress.task_dispatcher
        while time.monotonic() < end and (
            work.queue or work.active_count or any(getattr(held, "total_outbufs_len", 0) for held in self._open())
        ):
            time.sleep(0.02)
        work.shutdown(cancel_pending=False, timeout=max(0.1, end - time.monotonic()))

    def close(self) -> None:
        """End at once."""
        self._waitress.close()

    def _open(self) -> list[Any]:
        return list(self._sockets.values())


def listen(
    app: Flask,
    config: Path,
    *,
    host: str,
    port: int,
    threads: int,
    key: str = "",
    max_body: int = 64 * 1024,
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
    return Server(server, sockets)


def listen_operations(app: Flask, config: Path, *, host: str, port: int) -> Server:
    """The second port of a service; see `listen`.

    What a proxy adds to a request reaches the application, which shows some things through none.
    """
    return listen(app, config, host=host, port=port, threads=2, key="operations_", forwarded=True)


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


def end_by_signal() -> threading.Event:
    """An event that is set by SIGTERM or SIGINT. For the main thread, before anything is started."""
    ended = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        ended.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    return ended
