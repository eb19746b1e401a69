"""Registration as a process: two ports, many threads, and an orderly end."""

from __future__ import annotations

import gc
from itertools import count
from pathlib import Path

from kit import logs
from kit.serving import process
from kit.serving.ending import Ending
from kit.serving.operations import RequestMetrics, unready_while_ending
from kit.serving.server import listen, listen_operations
from registration.app import create_app
from registration.backup.erasing import refuse_unfinished
from registration.configuration import load_everything
from registration.database.faults import refuse_other_schema
from registration.due import end_due
from registration.log_fields import FIELDS
from registration.service import Service
from registration.tidy import tell_head, tidy

TICK = 60.0
"""Seconds between two heads of the audit trail."""
TIDY_EVERY = 10
"""Ticks between two rounds of deleting what has expired."""
LAST_HEAD = 3.0
"""Seconds in which the last head must reach the collector when the process ends."""
LARGEST_REQUEST = 128 * 1024
"""Bytes. Above a form's limit (`app.LARGEST_FORM`), so that a form that is too large is answered by a page."""


def serve(settings_path: Path) -> None:
    """Run until SIGTERM or SIGINT. Raises ConfigurationError if it cannot."""
    settings = load_everything(settings_path)
    logs.configure_logging(settings.log.level, FIELDS)
    app = create_app(settings)
    service: Service = app.extensions["registration"]
    refuse_other_schema(service.database, settings_path, settings.database.url)
    refuse_unfinished(service.database, settings_path, service.erasures)
    gc.freeze()  # what is there now stays as long as the process: no collection need look through it again
    ending = Ending()
    unready_while_ending(app.extensions["operations"], ending)
    public = listen(
        app,
        settings_path,
        ending,
        host=settings.server.host,
        port=settings.server.port,
        threads=settings.server.threads,
        max_body=LARGEST_REQUEST,
        forwarded=settings.trusted_proxies > 0,
    )
    operations = listen_operations(
        app.extensions["operations"],
        settings_path,
        ending,
        host=settings.server.operations_host,
        port=settings.server.operations_port,
    )
    metrics: RequestMetrics = app.extensions["metrics"]
    metrics.watch_server(public, settings.server.threads)
    ending.ask_by_signal()
    process.start(public, operations, settings.server.host, settings.server.port)
    service.heads.start()
    for tick in count():
        if tick % TIDY_EVERY == 0:
            tidy(service)
            end_due(service)
        tell_head(service)
        if ending.wait(TICK):
            break
    process.drain(public, operations, settings.drain)
    tell_head(service)
    service.heads.close(LAST_HEAD)
    service.database.close()
