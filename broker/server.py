"""The broker as a process: two ports, many threads, a ticker, and an orderly end."""

from __future__ import annotations

import gc
from contextlib import suppress
from itertools import count
from pathlib import Path

from broker.app import Parts, create_app
from broker.audit import AuditUnavailable
from broker.log_fields import FIELDS
from broker.oidc.client_files import LOOK
from broker.operations.configuration import load_everything
from kit import logs
from kit.serving import process
from kit.serving.ending import Ending
from kit.serving.operations import unready_while_ending
from kit.serving.server import listen, listen_operations

LOOKS = int(60 / LOOK)
"""From one to the next of what is done every minute, as putting the audit trail's head into the log."""

LAST_HEAD = 3.0
"""Seconds in which the last head must reach the collector when the process ends."""


def serve(settings_path: Path) -> None:
    """Run until SIGTERM or SIGINT. Raises ConfigurationError if the config, the keys or a port cannot be used."""
    settings, _ = load_everything(settings_path)
    logs.configure_logging(settings.log.level, FIELDS)
    app = create_app(settings)
    gc.freeze()  # what is there now stays as long as the process: no collection need look through it again
    parts: Parts = app.extensions["tunnus"]
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
    operations = listen_operations(
        parts.operations, settings_path, ending, host=server.operations_host, port=server.operations_port
    )
    parts.metrics.watch_server(public, server.threads)
    ending.ask_by_signal()
    process.start(public, operations, server.host, server.port)
    parts.heads.start()
    for look in count():
        parts.client_files.look_again()
        if look % LOOKS == 0:
            _every_minute(parts)
        if ending.wait(LOOK):
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
