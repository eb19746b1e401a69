"""What the configuration of every service has: environment, two ports, log, look and texts; and checks of it.

What holds between tables is checked in settings that are as far as they are valid: what is needed besides is None.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from ipaddress import IPv4Address, IPv6Address
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from kit.pages.languages import Languages
from kit.pages.settings import LookSettings, TextsSettings
from kit.settings.placeholders import placeholder_files, placeholder_texts
from kit.settings.proxies import Drain, Proxies, drain_seconds, proxies_in_front
from kit.settings.report import Problem, refusal
from kit.settings.types import Line, LogSettings, Origin, Port, Section

_EVERYWHERE = frozenset({str(IPv4Address(0)), str(IPv6Address(0))})
Threads = Annotated[int, Field(ge=4, le=512)]


class ServerSettings(Section):
    """The two ports. threads: requests at a time. trusted_proxies: how many proxies in front add to X-Forwarded-For.

    drain: seconds from SIGTERM until no connection is accepted any more.
    """

    host: Line = "127.0.0.1"
    port: Port
    operations_host: Line = "127.0.0.1"
    operations_port: Port
    threads: Threads = 16
    trusted_proxies: Proxies = None
    drain: Drain = None

    @model_validator(mode="after")
    def _two_ports(self) -> Self:
        same = self.host == self.operations_host or not {self.host, self.operations_host}.isdisjoint(_EVERYWHERE)
        if self.port == self.operations_port and same:
            raise refusal("port and operations_port are one", mend="give the operations a port of their own")
        return self


class ServiceSettings(Section):
    """What every file has. insecure_http: plain http is allowed to other machines too, for a demo's containers.

    private_network: between us and what only we call is a network of our own, where production may do without TLS.
    """

    environment: Literal["test", "production"]
    insecure_http: bool = False
    private_network: bool = False
    server: ServerSettings
    log: LogSettings = LogSettings()
    brand: LookSettings
    texts: TextsSettings = TextsSettings()

    @cached_property
    def languages(self) -> Languages:
        """The languages of the pages."""
        return Languages.of_service(self.texts.languages, self.brand.default_locale)

    @property
    def trusted_proxies(self) -> int:
        """How many proxies in front add to X-Forwarded-For."""
        return proxies_in_front(self.server.trusted_proxies, self.environment)

    @property
    def drain(self) -> int:
        """Seconds from SIGTERM until no connection is accepted any more."""
        return drain_seconds(self.server.drain, self.environment)


class FormServiceSettings(ServiceSettings):
    """What the file of a service with forms has. url: our own address, as browsers see it."""

    url: Origin

    @property
    def secure(self) -> bool:
        """Whether browsers reach us by https: decides `Secure` and `__Host-` of cookies."""
        return self.url.startswith("https:")


def without_insecure_http(settings: ServiceSettings) -> Iterator[Problem]:
    """For production: no shortcut of a demo."""
    if settings.insecure_http:
        yield Problem(("insecure_http",), "is for demos only", "true", mend="remove it")


def with_own_texts(settings: ServiceSettings) -> Iterator[Problem]:
    """For production: nothing stands as in a template, of the look and the accessibility statement."""
    yield from placeholder_texts(settings.brand, ("brand",))
    yield from placeholder_files(settings.brand.accessibility, ("brand", "accessibility"), brackets=True)
