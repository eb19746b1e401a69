"""The broker as a process: two ports, many threads, a ticker, and an orderly end."""

from __future__ import annotations

import logging
import signal
import threading
from pathlib import Path
from types import FrameType

from waitress.server import create_server

from broker import logs
from broker.app import create_app
from broker.settings import load_settings

TICK = 60.0
"""Seconds between two hashes of the audit trail's head in the log."""

log = logging.getLogger("tunnus.server")


def serve(settings_path: Path) -> None:
    """Run until SIGTERM or SIGINT. Raises ConfigurationError if the config, the keys or a port cannot be used."""
    settings = load_settings(settings_path)
    logs.configure_logging(settings.log.level)
    app = create_app(settings)
    parts = app.extensions["tunnus"]
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
    public.close()
    public.task_dispatcher.shutdown(cancel_pending=False, timeout=25)
    operations.close()
    parts.audit.close()
