"""One usable Host header, or 400 (RFC 9112 §3.2).

Nothing of ours is built from it. But who stands in front may choose by one of two headers where another chooses by
the other, and a cache may keep a page under a name that is none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from flask import Flask, request
from werkzeug.exceptions import BadRequest

from kit import logs

_LONGEST = 255
_HOST = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{0,5}))?\Z")
_LARGEST_PORT = 65535


def refuse_unusable_host(app: Flask) -> None:
    """Answer 400, by the application's own page, to a request without one usable Host header. To be called first."""

    @app.before_request
    def check_host() -> None:
        if not is_host_usable(request.environ):
            logs.add(reason="the Host header is missing, there twice or unusable")
            raise BadRequest


def is_host_usable(environ: Mapping[str, Any]) -> bool:
    """Whether a request names one host, with or without a port; HTTP/1.0 need not name any.

    environ: of WSGI. waitress joins headers that are there twice with a comma, which no host has.
    """
    host = environ.get("HTTP_HOST")
    if host is None:
        return environ.get("SERVER_PROTOCOL") == "HTTP/1.0"
    match = _HOST.match(host) if len(host) <= _LONGEST else None
    return match is not None and int(match[1] or 0) <= _LARGEST_PORT
