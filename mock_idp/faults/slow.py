"""Bodies that come slowly, too long, or not whole. Each ends at once when the server is told to stop."""

from __future__ import annotations

import gzip
import time
from collections.abc import Iterator, Mapping

from flask import Response

from mock_idp.bank import Bank

CHUNK = 65_536


def hang(bank: Bank, options: Mapping[str, float]) -> Response:
    """Say nothing for `seconds`, then 503."""
    bank.stopping.wait(options["seconds"])
    return Response("{}", 503, mimetype="application/json")


def drip(bank: Bank, options: Mapping[str, float], body: bytes, mimetype: str) -> Response:
    """One byte every `pause` seconds, for at most `seconds`; then the rest at once."""

    def bytewise() -> Iterator[bytes]:
        until = time.monotonic() + options["seconds"]
        for position in range(len(body)):
            if time.monotonic() >= until or bank.stopping.wait(options["pause"]):
                yield body[position:]
                return
            yield body[position : position + 1]

    return Response(bytewise(), mimetype=mimetype, headers={"Content-Length": str(len(body))})


def truncated(body: bytes, mimetype: str) -> Response:
    """Half of the body; then the connection ends, since more was promised."""
    promised = {"Content-Length": str(len(body))}
    return Response(iter([body[: len(body) // 2]]), mimetype=mimetype, headers=promised)


def oversized(options: Mapping[str, float], start: bytes, end: bytes, mimetype: str) -> Response:
    """A body of `bytes`: start, spaces, end."""

    def parts() -> Iterator[bytes]:
        yield start
        left = int(options["bytes"]) - len(start) - len(end)
        while left > 0:
            yield b" " * min(CHUNK, left)
            left -= CHUNK
        yield end

    return Response(parts(), mimetype=mimetype)


def compressed(options: Mapping[str, float], start: bytes, end: bytes, mimetype: str) -> Response:
    """The same, compressed to little: Content-Encoding gzip."""
    body = start + b" " * int(options["bytes"]) + end
    return Response(gzip.compress(body), mimetype=mimetype, headers={"Content-Encoding": "gzip"})
