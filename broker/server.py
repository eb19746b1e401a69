"""The broker as a process: two ports, many threads, a ticker, and an orderly end."""

from __future__ import annotations

import gc
import logging
from contextlib import suppress
from pathlib import Path

from broker.app import create_app
from broker.audit import AuditUnavailable
from broker.log_fields import FIELDS
from broker.operations.configuration import load_everything
from kit import logs
from kit.serving.server import end_by_signal, listen, listen_operations

TICK = 60.0
"""Seconds between two hashes of the audit trail's head in the log."""

log = logging.getLogger("tunnus.server")


def serve(settings_path: Path) -> None:
    """Run until SIGTERM or SIGINT. Raises ConfigurationError if the config, the keys or a port cannot be used."""
    settings, _ = load_everything(settings_path)
    logs.configure_logging(settings.log.level, FIELDS)
    app = create_app(settings)
    gc.freeze()  # what is there now stays as long as the process: no collection need look through it again
    parts = app.extensions["tunnus"]
    server = settings.server
    public = listen(
        app,
        settings_path,
        host=server.host,
        port=server.port,
        threads=server.threads,
        forwarded=settings.trusted_proxies > 0,
    )
    operations = listen_operations(
        parts.operations, settings_path, host=server.operations_host, port=server.operations_port
    )
    parts.metrics.watch_server(public, server.threads)
    ended = end_by_signal()
    public.start("public-port")
    operations.start("operations-port")
    log.info("listening", extra={"host": server.host, "port": server.port})
    while not ended.wait(TICK):
        with suppress(AuditUnavailable):  # it has been logged, and stays counted
            parts.audit.write_refusals()
        parts.audit.log_head()
    public.drain()
    operations.close()
    parts.audit.close()
    if parts.tracing is not None:
        parts.tracing.close()
