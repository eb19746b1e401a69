"""Ways to a collector: syslog (RFC 5424) over UDP, TCP or TLS, or HTTP POST. Each call is bounded in time."""

from __future__ import annotations

import json
import os
import socket
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple
from urllib.parse import urlsplit

import requests

from kit.audit.heads import Head
from kit.audit.settings import DEFAULT_PORTS, CollectorSettings

SECONDS = 5.0
"""That a connection may take, and each wait for the other side after that."""
PRIORITY = 13 * 8 + 5
"""Facility 13, log audit; severity 5, normal but significant (RFC 5424 §6.2.1)."""


class NotSent(Exception):
    """The collector did not take them. The message says why, in words of ours."""


class Signed(NamedTuple):
    """A head and its signed form. at: when it was signed, in seconds since the epoch."""

    head: Head
    jws: str
    at: float


Send = Callable[[Sequence[Signed]], None]
"""Brings signed heads to the collector, or raises NotSent; those that it has taken may come twice then."""


def transport_of(settings: CollectorSettings, app: str) -> Send:
    """The way that a configuration names. app: what we are called in a syslog message."""
    parts = urlsplit(settings.url)
    if parts.scheme in {"http", "https"}:
        return partial(_post, settings)
    address = (parts.hostname or "", parts.port or DEFAULT_PORTS[parts.scheme])
    write = partial(syslog_message, host=socket.gethostname(), app=app, enterprise=settings.enterprise_number)
    if parts.scheme == "syslog+udp":
        return partial(_send_datagrams, address, write)
    return partial(_send_stream, address, write, _tls(settings) if parts.scheme == "syslog+tls" else None)


def syslog_message(signed: Signed, *, host: str, app: str, enterprise: int) -> bytes:
    """A syslog message without MSG, all of it in structured data (RFC 5424 §6); about 1 kB, and 2 kB are taken by all.

    What stands in the values is of our own making and holds none of the characters that would need escaping
    (§6.3.3): file names, numbers, hexadecimal and base64url.
    """
    time = datetime.fromtimestamp(signed.at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    name = "".join(c for c in host if "!" <= c <= "~")[:255] or "-"
    values = {**asdict(signed.head), "jws": signed.jws}
    data = " ".join(f'{key}="{value}"' for key, value in values.items())
    return f"<{PRIORITY}>1 {time} {name} {app} {os.getpid()} audit-head [tunnusAuditHead@{enterprise} {data}]".encode()


def _send_datagrams(address: tuple[str, int], write: Callable[[Signed], bytes], heads: Sequence[Signed]) -> None:
    """One message a datagram (RFC 5426 §3.1). Nobody says whether they came."""
    try:
        family, kind, proto, _, where = socket.getaddrinfo(*address, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind, proto) as udp:
            for head in heads:
                udp.sendto(write(head), where)
    except OSError as error:
        raise NotSent(_words(error)) from error


def _send_stream(
    address: tuple[str, int], write: Callable[[Signed], bytes], tls: ssl.SSLContext | None, heads: Sequence[Signed]
) -> None:
    """A connection for each call, each message after its length (RFC 6587 §3.4.1, RFC 5425 §4.3).

    Syslog has no answer, so we end our side and wait for the other's end: a connection that was cut or refused
    meanwhile shows as an error, and what was sent is sent again.
    """
    frames = b"".join(b"%d %s" % (len(message), message) for message in map(write, heads))
    try:
        with socket.create_connection(address, SECONDS) as tcp:
            stream = tls.wrap_socket(tcp, server_hostname=address[0]) if tls else tcp
            with stream:
                stream.sendall(frames)
                if isinstance(stream, ssl.SSLSocket):
                    with suppress(TimeoutError, ssl.SSLError):  # a peer that ends without a word has had them
                        stream.unwrap()
                    return
                stream.shutdown(socket.SHUT_WR)
                with suppress(TimeoutError):  # it keeps connections open; it has not refused them either
                    while stream.recv(1024):
                        pass
    except (OSError, ValueError) as error:
        raise NotSent(_words(error)) from error


def _post(settings: CollectorSettings, heads: Sequence[Signed]) -> None:
    """One POST with a line of JSON for each head; any 2xx is a receipt."""
    body = "".join(json.dumps({**asdict(one.head), "jws": one.jws}) + "\n" for one in heads)
    headers = {"Content-Type": "application/x-ndjson"}
    if settings.authorization_secret:
        headers["Authorization"] = settings.authorization_secret
    try:
        with requests.Session() as session:
            session.trust_env = False  # no proxy and no .netrc of the environment
            answer = session.post(
                settings.url,
                body.encode(),
                headers=headers,
                timeout=SECONDS,
                allow_redirects=False,
                stream=True,  # its body is nothing to us
                verify=str(settings.ca_file) if settings.ca_file else True,
            )
    except (requests.RequestException, OSError) as error:
        raise NotSent(f"it cannot be reached: {type(error).__name__}") from error
    if not 200 <= answer.status_code < 300:
        raise NotSent(f"it answers {answer.status_code}")


def _tls(settings: CollectorSettings) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(settings.ca_file) if settings.ca_file else None)


def _words(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate does not hold: {error.verify_message}"
    return f"it cannot be reached: {getattr(error, 'strerror', None) or type(error).__name__}"
