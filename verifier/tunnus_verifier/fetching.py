"""Gets a document over HTTP: within 5 seconds, at most 64 KiB, no redirects, no proxy from the environment."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from concurrent.futures import Future
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from time import monotonic
from urllib.parse import urlsplit

DEADLINE = 5.0
"""Seconds until the last byte is here, all included: a timeout of a socket counts anew with each byte."""

LARGEST = 64 * 1024
"""Bytes of a body."""

LOOPBACK = ("127.0.0.1", "::1", "localhost")


class FetchError(Exception):
    """A document could not be had. The message is constant."""


def check_url(url: str, *, insecure_http: bool) -> None:
    """Raises ValueError for an address that is not https; http passes on this machine, or if asked for."""
    parts = urlsplit(url)
    if not parts.hostname or parts.username or parts.password or parts.fragment:
        raise ValueError("not the address of a web server")
    if parts.scheme == "https" or (parts.scheme == "http" and (insecure_http or parts.hostname in LOOPBACK)):
        return
    raise ValueError("keys must come over https")


def fetch(url: str, *, deadline: float = DEADLINE) -> bytes:
    """The body of `url`. deadline: seconds. Raises FetchError unless the answer is 200 and came whole."""
    connection = _connection(url, deadline)
    outcome: Future[bytes] = Future()

    def run() -> None:
        try:
            outcome.set_result(_get(connection, url, monotonic() + deadline))
        except (FetchError, OSError, HTTPException, ValueError) as error:
            outcome.set_exception(error)

    # A thread of its own, since neither a name server nor a dripping web server can be hurried otherwise.
    threading.Thread(target=run, name="tunnus-verifier-fetch", daemon=True).start()
    try:
        return outcome.result(deadline)
    except TimeoutError:
        raise FetchError("no whole answer in time") from None
    except (OSError, HTTPException, ValueError) as error:
        raise FetchError("no answer") from error
    finally:
        if (open_socket := connection.sock) is not None:
            with contextlib.suppress(OSError):
                open_socket.shutdown(socket.SHUT_RDWR)  # ends the thread if it still reads


def _connection(url: str, timeout: float) -> HTTPConnection:
    parts = urlsplit(url)
    if parts.scheme == "https":
        return HTTPSConnection(parts.netloc, timeout=timeout, context=ssl.create_default_context())
    return HTTPConnection(parts.netloc, timeout=timeout)


def _get(connection: HTTPConnection, url: str, until: float) -> bytes:
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request("GET", target, headers={"Accept": "application/json", "Connection": "close"})
        with connection.getresponse() as response:
            if response.status != 200:
                raise FetchError("the answer is not 200")
            body = b""
            while piece := response.read1(LARGEST):
                body += piece
                if len(body) > LARGEST:
                    raise FetchError("the answer is too large")
                if monotonic() > until:
                    raise FetchError("no whole answer in time")
            if response.length:
                raise FetchError("the answer broke off")
            return body
    finally:
        connection.close()
