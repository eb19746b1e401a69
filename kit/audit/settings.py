"""The table `[audit.collector]`: where the heads of an audit trail are kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StringConstraints

from kit.settings.endpoints import WITHOUT_TLS, of_nobody
from kit.settings.hosts import host_of, is_this_machine
from kit.settings.placeholders import example_secrets
from kit.settings.report import KeyPath, Problem, refusal, shown
from kit.settings.types import CertificatesFile, Line, Section

DEFAULT_PORTS = {"syslog+udp": 514, "syslog+tcp": 514, "syslog+tls": 6514, "http": 80, "https": 443}
"""Schemes, and the ports that they have unless the URL names one (RFC 5426 §3.3, RFC 6587, RFC 5425 §4.1)."""
EXAMPLE_ENTERPRISE = 32473
"""IANA's enterprise number for examples (RFC 5612), which is nobody's: right where only our own collector reads."""


def _collector_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        usable = parts.scheme in DEFAULT_PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    syslog = value.startswith("syslog")
    if not usable or not value.isascii() or any(c.isspace() for c in value) or "@" in parts.netloc or parts.fragment:
        raise refusal(
            "is no URL of a collector", allowed="syslog+tls://host, syslog+tcp://, syslog+udp://, https://host/path"
        )
    if syslog and (parts.path.strip("/") or parts.query):
        raise refusal("has a path, which syslog has not", mend="remove what follows the port")
    return value


class CollectorSettings(Section):
    """Where heads go. url: `syslog+tls://host:port`, `syslog+tcp`, `syslog+udp`, or `https://host/path` for a POST.

    ca_file: certificates that its own must come from, the system's unless given. enterprise_number: of the structured
    data's name (RFC 5424 §7.2.2). authorization_secret: the header `Authorization` of a POST.
    """

    url: Annotated[str, AfterValidator(_collector_url)]
    ca_file: CertificatesFile | None = None
    enterprise_number: Annotated[int, Field(ge=1, le=4_294_967_295)] = EXAMPLE_ENTERPRISE
    authorization_secret: Annotated[Line, StringConstraints(pattern=r"^[\x21-\x7e][\x20-\x7e]*$")] | None = Field(
        default=None, repr=False
    )


def unfit_collector(settings: Any) -> Iterator[Problem]:
    """For production: a collector where nothing can be, or with the secret of an example.

    Or one on another machine that is reached without TLS: whoever stands between can keep heads back.
    """
    collector = settings.audit.collector
    if collector is None or not collector.url:
        return
    where: KeyPath = ("audit", "collector", "url")
    yield from of_nobody({where: host_of(collector.url)})
    yield from example_secrets({(*where[:2], "authorization_secret"): collector.authorization_secret})
    parts = urlsplit(collector.url)
    clear = parts.scheme not in {"syslog+tls", "https"} and not settings.private_network
    if clear and not is_this_machine(parts.hostname or ""):
        yield Problem(where, "reaches a collector without TLS", shown(where, collector.url), mend=WITHOUT_TLS)
