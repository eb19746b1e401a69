"""The broker as a process: two ports, many threads, a ticker, and an orderly end."""

from __future__ import annotations

import gc
import logging
import signal
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Any

from waitress import wasyncore
from waitress.server import BaseWSGIServer, create_server

from broker import logs
from broker.app import create_app
from broker.settings import load_settings

TICK = 60.0
"""Seconds between two hashes of the audit trail's head in the log."""

LAST_ANSWERS = 25.0
"""Seconds that requests which have come may take to be answered at the end."""

log = logging.getLogger("tunnus.server")


def serve(settings_path: Path) -> None:
    """Run until SIGTERM or SIGINT. Raises ConfigurationError if the config, the keys or a port cannot be used."""
    settings = load_settings(settings_path)
    logs.configure_logging(settings.log.level)
    app = create_app(settings)
    gc.freeze()  # what is there now stays as long as the process: no collection need look through it again
    parts = app.extensions["tunnus"]
    sockets: dict[int, Any] = {}
    public = create_server(
        app,
        host=settings.server.host,
        port=settings.server.port,
        threads=settings.server.threads,
        connection_limit=1000,
        max_request_body_size=64 * 1024,
        max_request_header_size=32 * 1024,
        channel_timeout=60,
        ident=None,
        clear_untrusted_proxy_headers=True,
        map=sockets,
        asyncore_use_poll=True,
    )
    operations = create_server(
        parts.operations,
        host=settings.server.operations_host,
        port=settings.server.operations_port,
        threads=2,
        ident=None,
        map={},
        asyncore_use_poll=True,
    )
    ended = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        ended.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    for name, server in (("public", public), ("operations", operations)):
        threading.Thread(target=server.run, name=f"{name}-port", daemon=True).start()
    log.info("listening", extra={"host": settings.server.host, "port": settings.server.port})
    while not ended.wait(TICK):
        parts.audit.log_head()
    _answer_the_last(public, sockets, LAST_ANSWERS)
    operations.close()
    parts.audit.close()


def _answer_the_last(public: Any, sockets: dict[int, Any], seconds: float) -> None:
    """Take no connection any more, and answer the requests that have come, those that wait for a thread too.

    Not by `close()`: it closes the trigger by which threads wake the loop that sends their answers, and a thread
    would then write into whatever file has got the trigger's descriptor.
    """
    for server in [held for held in list(sockets.values()) if isinstance(held, BaseWSGIServer)]:
        wasyncore.dispatcher.close(server)
        server.pull_trigger()  # the loop lets go of the socket, so that nobody is kept in its backlog
    end = time.monotonic() + seconds
    work = public.task_dispatcher
    while time.monotonic() < end and (
        work.queue or work.active_count or any(getattr(held, "total_outbufs_len", 0) for held in list(sockets.values()))
    ):
        time.sleep(0.02)
    work.shutdown(cancel_pending=False, timeout=max(0.1, end - time.monotonic()))
