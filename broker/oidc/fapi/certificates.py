"""A client's TLS certificate, as the proxy that ended its TLS hands it on (RFC 8705 §3, RFC 9440).

Whoever can write the header can be any client, so it counts from the named proxies alone and is taken away from every
other request, and from every request where no header is configured it is not read. What is in it:

    :<base64 of the DER>:          `Client-Cert` of RFC 9440
    -----BEGIN%20CERTIFICATE…      nginx `$ssl_client_escaped_cert`
    <base64 of the DER>            HAProxy `%[ssl_c_der,base64]`, Traefik
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from flask import Flask

from kit.serving.networks import parse

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_ENVIRON = "tunnus.client_certificate"
_LONGEST = 16 * 1024


def thumbprint_of(environ: Mapping[str, Any]) -> str | None:
    """The certificate's `x5t#S256` (RFC 8705 §3.1); None if none came by a named proxy, or it cannot be read."""
    header = environ.get(_ENVIRON)
    return _thumbprint(header) if header else None


def _thumbprint(header: str) -> str | None:
    text = header.strip()
    try:
        if len(text) > _LONGEST:
            return None
        if text.startswith("-----BEGIN"):
            der = x509.load_pem_x509_certificate(unquote(text).encode()).public_bytes(Encoding.DER)
        else:
            der = base64.b64decode(text.removeprefix(":").removesuffix(":"), validate=True)
            x509.load_der_x509_certificate(der)
    except ValueError:
        return None
    return base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode()


class ClientCertificate:
    """WSGI middleware: the header is moved to where only we look if a named proxy sent it, and taken away if not.

    It must see REMOTE_ADDR as the connection says it, before `kit.serving.addresses` puts the client's there.
    """

    def __init__(self, app: Callable[..., Iterable[bytes]], header: str, proxies: Sequence[Network]) -> None:
        self._app = app
        self._variable = "HTTP_" + header.upper().replace("-", "_")
        self._proxies = tuple(proxies)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """See the class."""
        header = environ.pop(self._variable, None)
        if header:
            peer = parse(environ.get("REMOTE_ADDR"))
            if peer is not None and any(peer in network for network in self._proxies):
                environ[_ENVIRON] = header
        return self._app(environ, start_response)


def use_client_certificate(app: Flask, header: str | None, proxies: Sequence[Network]) -> None:
    """Read certificates of an app's clients from a header; None: from nowhere."""
    if header is not None:
        app.wsgi_app = ClientCertificate(app.wsgi_app, header, proxies)  # type: ignore[method-assign]
