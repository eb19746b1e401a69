"""Registration as a process: one port, many threads, and an orderly end."""

from __future__ import annotations

import errno
import gc
import logging
import signal
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Any

from flask import Flask
from waitress import wasyncore
from waitress.server import BaseWSGIServer, create_server

from registration import logs
from registration.app import create_app
from registration.database_faults import refuse_other_schema
from registration.service import Service
from registration.settings import Settings, load_settings
from registration.settings_report import ConfigurationError, Problem
from registration.tidy import tidy

TICK = 600.0
"""Seconds between two rounds of deleting what has expired."""
LAST_ANSWERS = 25.0
"""Seconds that requests which have come may take to be answered at the end."""

log = logging.getLogger("tunnus.registration")


def serve(settings_path: Path) -> None:
    """Run until SIGTERM or SIGINT. Raises ConfigurationError or KeysUnusable if it cannot."""
    settings = load_settings(settings_path)
    logs.configure_logging(settings.log.level)
    app = create_app(settings)
    service: Service = app.extensions["registration"]
    refuse_other_schema(service.database, settings_path, settings.database.url)
    gc.freeze()  # what is there now stays as long as the process: no collection need look through it again
    sockets: dict[int, Any] = {}
    server = _bound(app, settings, settings_path, sockets)
    ended = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        ended.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    threading.Thread(target=server.run, name="public-port", daemon=True).start()
    log.info("listening", extra={"host": settings.server.host, "port": settings.server.port})
    tidy(service)
    while not ended.wait(TICK):
        tidy(service)
    _answer_the_last(server, sockets, LAST_ANSWERS)
    service.database.close()


def _bound(app: Flask, settings: Settings, config: Path, sockets: dict[int, Any]) -> Any:
    """A server that listens. Raises ConfigurationError if it cannot."""
    host, port = settings.server.host, settings.server.port
    try:
        return create_server(
            app,
            host=host,
            port=port,
            threads=settings.server.threads,
            connection_limit=1000,
            max_request_body_size=128 * 1024,
            max_request_header_size=32 * 1024,
            channel_timeout=60,
            ident=None,
            clear_untrusted_proxy_headers=settings.server.trusted_proxies == 0,
            map=sockets,
            asyncore_use_poll=True,
        )
    except (OSError, ValueError) as error:
        raise ConfigurationError(config, [_not_bound(error, host, port)]) from error


def _not_bound(error: OSError | ValueError, host: str, port: int) -> Problem:
    number = error.errno if isinstance(error, OSError) else None
    if number == errno.EADDRINUSE:
        mend = "end what listens there, or change server.port"
        return Problem(("server", "port"), f"{host}:{port} is taken", str(port), mend=mend)
    if number == errno.EACCES:
        return Problem(("server", "port"), f"{host}:{port} may not be taken", str(port), mend="take a port above 1023")
    mend = "write an address of this machine: 127.0.0.1, or 0.0.0.0 for all of them"
    return Problem(("server", "host"), f"{host}:{port} is no address of this machine", f'"{host}"', mend=mend)


def _answer_the_last(server: Any, sockets: dict[int, Any], seconds: float) -> None:
    """Take no connection any more, and answer the requests that have come.

    Not by `close()`: it closes the trigger by which threads wake the loop that sends their answers.
    """
    for listening in [held for held in list(sockets.values()) if isinstance(held, BaseWSGIServer)]:
        wasyncore.dispatcher.close(listening)
        listening.pull_trigger()
    end = time.monotonic() + seconds
    work = server.task_dispatcher
    while time.monotonic() < end and (
        work.queue or work.active_count or any(getattr(held, "total_outbufs_len", 0) for held in list(sockets.values()))
    ):
        time.sleep(0.02)
    work.shutdown(cancel_pending=False, timeout=max(0.1, end - time.monotonic()))
