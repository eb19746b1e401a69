"""Registration as a process: two ports, many threads, and an orderly end."""

from __future__ import annotations

import gc
from pathlib import Path

from kit import logs
from kit.serving import process
from kit.serving.ending import Ending
from kit.serving.operations import unready_while_ending
from kit.serving.server import listen
from registration.app import create_app
from registration.backup.erasing import refuse_unfinished
from registration.configuration import load_everything
from registration.database.faults import refuse_other_schema
from registration.log_fields import FIELDS
from registration.service import Service
from registration.tidy import tidy

TICK = 600.0
"""Seconds between two rounds of deleting what has expired."""
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
    operations = listen(
        app.extensions["operations"],
        settings_path,
        ending,
        host=settings.server.operations_host,
        port=settings.server.operations_port,
        threads=2,
        key="operations_",
    )
    ending.ask_by_signal()
    process.start(public, operations, settings.server.host, settings.server.port)
    tidy(service)
    while not ending.wait(TICK):
        tidy(service)
    process.drain(public, operations, settings.drain)
    service.database.close()
