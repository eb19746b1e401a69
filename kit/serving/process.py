"""The two ports of a service as a process: their start, and their end in order."""

from __future__ import annotations

import gc
import logging
from pathlib import Path

from flask import Flask

from kit.serving.ending import Ending
from kit.serving.operations import RequestMetrics, unready_while_ending
from kit.serving.server import LARGEST_REQUEST, LAST_ANSWERS, Server, listen, listen_operations
from kit.settings.service import ServiceSettings

LAST_LOOKS = 2.0
"""Seconds that the last requests of the operations port may take."""

log = logging.getLogger("tunnus.server")


def serve(
    app: Flask,
    operations: Flask,
    metrics: RequestMetrics,
    config: Path,
    settings: ServiceSettings,
    largest_request: int = LARGEST_REQUEST,
) -> tuple[Server, Server]:
    """Serve an application and that of its operations, until SIGTERM or SIGINT begins the `ending` of both.

    config: the file of the settings. largest_request: bytes of a body. Raises ConfigurationError if it cannot listen.
    """
    gc.freeze()  # what is there now stays as long as the process: no collection need look through it again
    server, ending = settings.server, Ending()
    unready_while_ending(operations, ending)
    public = listen(
        app,
        config,
        ending,
        host=server.host,
        port=server.port,
        threads=server.threads,
        max_body=largest_request,
        forwarded=settings.trusted_proxies > 0,
    )
    second = listen_operations(operations, config, ending, host=server.operations_host, port=server.operations_port)
    metrics.watch_server(public, server.threads)
    ending.ask_by_signal()
    start(public, second, server.host, server.port)
    return public, second


def start(public: Server, operations: Server, host: str, port: int) -> None:
    """Serve both, each in a thread of its own. host, port: the public one's, for the log."""
    public.start("public-port")
    operations.start("operations-port")
    log.info("listening", extra={"host": host, "port": port})


def drain(public: Server, operations: Server, notice: float, seconds: float = LAST_ANSWERS) -> None:
    """End both once the process was asked to, losing no request; at once if it is asked again.

    notice: seconds in which everything goes on, but readiness says 503 and answers end their connections: until the
    proxy in front has noticed. seconds: that the last requests may take after it.
    """
    log.info("draining")
    public.ending.wait(notice)
    public.drain(notice, seconds)
    operations.drain(0, LAST_LOOKS)
    log.info("drained")
