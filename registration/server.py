"""Registration as a process: two ports, many threads, and an orderly end."""

from __future__ import annotations

from itertools import count
from pathlib import Path

from kit import logs
from kit.serving import process
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
    public, operations = process.serve(
        app, app.extensions["operations"], app.extensions["metrics"], settings_path, settings, LARGEST_REQUEST
    )
    service.heads.start()
    for tick in count():
        if tick % TIDY_EVERY == 0:
            tidy(service)
            end_due(service)
        tell_head(service)
        if public.ending.wait(TICK):
            break
    process.drain(public, operations, settings.drain)
    tell_head(service)
    service.heads.close(LAST_HEAD)
    service.database.close()
