"""A WSGI application on a port, in a thread of its own."""

from __future__ import annotations

import threading
from typing import Any

from waitress import wasyncore
from waitress.server import create_server

LAST_ANSWERS = 60.0
"""Seconds in which what is being answered at the end must come to its own."""


def with_each_header_once(app: Any) -> Any:
    """A WSGI application whose answers are refused if a header but Set-Cookie stands twice: some clients take none."""

    def answer(environ: dict[str, Any], start_response: Any) -> Any:
        told: list[tuple[str, str]] = []

        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            told[:] = headers
            return start_response(status, headers, *more)

        body = app(environ, start)
        names = [name.lower() for name, _ in told if name.lower() != "set-cookie"]
        assert len(set(names)) == len(names), told
        return body

    return answer


class Served:
    """A WSGI application on a port of 127.0.0.1.

    Its thread alone opens and closes its sockets, and only once no other thread works for it: a descriptor that is
    closed under somebody else may be another test's a moment later.
    """

    def __init__(self, app: Any, port: int) -> None:
        self.app = app
        self._port = port
        self._ended = threading.Event()
        self._open()

    def _open(self) -> None:
        self._sockets: dict[int, Any] = {}
        # poll, since select takes no descriptor above 1,023.
        self._server = create_server(
            with_each_header_once(self.app),
            host="127.0.0.1",
            port=self._port,
            threads=24,
            connection_limit=1000,
            map=self._sockets,
            asyncore_use_poll=True,
        )
        self._thread = threading.Thread(target=self._run, name=f"served-{self._port}", daemon=True)
        self._thread.start()

    def revive(self) -> None:
        """Serve again if its thread has died: what ended it fails one test, not all that come after."""
        if not self._thread.is_alive():
            self._open()

    def _run(self) -> None:
        try:
            while not self._ended.is_set():
                wasyncore.loop(timeout=30, use_poll=True, map=self._sockets, count=1)
        finally:
            self._server.task_dispatcher.shutdown(cancel_pending=True, timeout=LAST_ANSWERS)
            for held in list(self._sockets.values()):
                held.close()

    def close(self) -> None:
        """End it; return when it has ended."""
        self._ended.set()
        self._server.pull_trigger()
        self._thread.join()
