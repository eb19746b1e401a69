"""Customer service as a process: two ports, and an orderly end. One process: sessions stand in its memory."""

from __future__ import annotations

import gc
from pathlib import Path

from customer_service.app import create_app
from customer_service.configuration import load_everything
from customer_service.log_fields import FIELDS
from kit import logs
from kit.serving import process
from kit.serving.ending import Ending
from kit.serving.operations import RequestMetrics, unready_while_ending
from kit.serving.server import listen, listen_operations

LARGEST_REQUEST = 256 * 1024
"""Bytes. Above a form's limit (`app.LARGEST_FORM`), so that a form that is too large is answered by a page."""


def serve(settings_path: Path) -> None:
    """Run until SIGTERM or SIGINT. Raises ConfigurationError if it cannot."""
    settings = load_everything(settings_path)
    logs.configure_logging(settings.log.level, FIELDS)
    app = create_app(settings)
    gc.freeze()  # what is there now stays as long as the process: no collection need look through it again
    ending = Ending()
    unready_while_ending(app.extensions["operations"], ending)
    server = settings.server
    public = listen(
        app,
        settings_path,
        ending,
        host=server.host,
        port=server.port,
        threads=server.threads,
        max_body=LARGEST_REQUEST,
        forwarded=settings.trusted_proxies > 0,
    )
    operations = listen_operations(
        app.extensions["operations"],
        settings_path,
        ending,
        host=server.operations_host,
        port=server.operations_port,
    )
    metrics: RequestMetrics = app.extensions["metrics"]
    metrics.watch_server(public, server.threads)
    ending.ask_by_signal()
    process.start(public, operations, server.host, server.port)
    while not ending.wait(3600):
        pass
    process.drain(public, operations, settings.drain)
