"""The broker as a process: two ports, many threads, a ticker, and an orderly end."""

from __future__ import annotations

import gc
from contextlib import suppress
from pathlib import Path

from broker.app import create_app
from broker.audit import AuditUnavailable
from broker.log_fields import FIELDS
from broker.operations.configuration import load_everything
from kit import logs
from kit.serving import process
from kit.serving.ending import Ending
from kit.serving.operations import unready_while_ending
from kit.serving.server import listen

TICK = 60.0
"""Seconds between two hashes of the audit trail's head in the log."""


def serve(settings_path: Path) -> None:
    """Run until SIGTERM or SIGINT. Raises ConfigurationError if the config, the keys or a port cannot be used."""
    settings, _ = load_everything(settings_path)
    logs.configure_logging(settings.log.level, FIELDS)
    app = create_app(settings)
    gc.freeze()  # what is there now stays as long as the process: no collection need look through it again
    parts = app.extensions["tunnus"]
    server, ending = settings.server, Ending()
    unready_while_ending(parts.operations, ending)
    public = listen(
        app,
        settings_path,
        ending,
        host=server.host,
        port=server.port,
        threads=server.threads,
        forwarded=settings.trusted_proxies > 0,
    )
    operations = listen(
        parts.operations,
        settings_path,
        ending,
        host=server.operations_host,
        port=server.operations_port,
        threads=2,
        key="operations_",
    )
    ending.ask_by_signal()
    process.start(public, operations, server.host, server.port)
    while True:
        parts.live_notices.current()  # begins what is due: the first person need not come for it
        if ending.wait(TICK):
            break
        with suppress(AuditUnavailable):  # it has been logged, and stays counted
            parts.audit.write_refusals()
        parts.audit.log_head()
    process.drain(public, operations, settings.drain)
    parts.audit.close()
