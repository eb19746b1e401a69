"""The two ports of a service as a process: their start, and their end in order."""

from __future__ import annotations

import logging

from kit.serving.server import LAST_ANSWERS, Server

LAST_LOOKS = 2.0
"""Seconds that the last requests of the operations port may take."""

log = logging.getLogger("tunnus.server")


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
