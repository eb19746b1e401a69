"""The table `server`."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from kit.settings import service
from kit.settings.report import refusal
from kit.settings.types import Network, Origin, Port

_HEADERS_OF_OTHERS = {"authorization", "cookie", "dpop", "host", "x-forwarded-for", "content-type", "content-length"}
DEVELOPER_PATH = "/developer"
"""Of the developer page."""


class ServerSettings(service.ServerSettings):
    """The two ports.

    outcome_wait: seconds from the claim of a callback until the waiting page says that it was interrupted.
    client_certificate_header: the header in which the proxy hands on a client's certificate (RFC 8705), taken from
    client_certificate_proxies alone, addresses or networks. mtls_base_url: the scheme and host where that proxy asks
    for certificates, if it is another than the issuer's.
    developer_page: where browsers reach the operations port, which then has a page for developers; in tests only.
    """

    port: Port = 8000
    operations_port: Port = 9000
    threads: Annotated[int, Field(ge=8, le=1024)] = 64
    outcome_wait: Annotated[int, Field(ge=1, le=120)] = 30
    client_certificate_header: Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,63}$")] | None = None
    client_certificate_proxies: tuple[Network, ...] = ()
    mtls_base_url: Origin | None = None
    developer_page: Origin | None = None

    @model_validator(mode="after")
    def _certificates_come_from_somewhere(self) -> Self:
        named, proxies = self.client_certificate_header, self.client_certificate_proxies
        if (named is not None) != bool(proxies):
            raise refusal(
                "client_certificate_header and client_certificate_proxies go together",
                mend="name the header, and the addresses of the proxies that write it and take away a client's own",
            )
        if named is not None and named.lower() in _HEADERS_OF_OTHERS:
            raise refusal("client_certificate_header is a header that means something else", mend="name one of its own")
        if named is None and self.mtls_base_url is not None:
            raise refusal("mtls_base_url needs client_certificate_header", mend="name the header, or remove it")
        return self
