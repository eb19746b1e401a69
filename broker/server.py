"""The broker as a process: two ports, many threads, a ticker, and an orderly end."""

from __future__ import annotations

import time
from contextlib import suppress
from itertools import count
from pathlib import Path

from broker.app import Parts, create_app
from broker.audit import AuditUnavailable, remove_stale_probes
from broker.log_fields import FIELDS
from broker.oidc.client_files import LOOK
from broker.operations.configuration import load_everything
from kit import logs
from kit.serving import process

LOOKS = int(60 / LOOK)
"""From one to the next of what is done every minute, as putting the audit trail's head into the log."""

LAST_HEAD = 3.0
"""Seconds in which the last head must reach the collector when the process ends."""


def serve(settings_path: Path) -> None:
    """Run until SIGTERM or SIGINT. Raises ConfigurationError if the config, the keys or a port cannot be used."""
    settings, _ = load_everything(settings_path)
    logs.configure_logging(settings.log.level, FIELDS)
    app = create_app(settings)
    parts: Parts = app.extensions["tunnus"]
    remove_stale_probes(settings.audit.dir, time.time())
    public, operations = process.serve(app, parts.operations, parts.metrics, settings_path, settings)
    parts.heads.start()
    for look in count():
        parts.client_files.look_again()
        if look % LOOKS == 0:
            _every_minute(parts)
        if public.ending.wait(LOOK):
            break
    process.drain(public, operations, settings.drain)
    parts.audit.close()
    parts.heads.close(LAST_HEAD)
    if parts.tracing is not None:
        parts.tracing.close()


def _every_minute(parts: Parts) -> None:
    parts.live_notices.current()  # begins what is due: the first person need not come for it
    with suppress(AuditUnavailable):  # it has been logged, and stays counted
        parts.audit.write_refusals()
    parts.audit.log_head()
