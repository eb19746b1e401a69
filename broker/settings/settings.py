"""The settings: one frozen object, whole and consistent, or one report of everything that is wrong.

load_settings(path)            TOML, environment put in, paths resolved, every check
Settings.model_validate(data)  the same checks without a file (tests)
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from broker.settings.audit import AuditSettings
from broker.settings.checks import problems_between
from broker.settings.client_files import ClientFiles, add_clients
from broker.settings.connections import ConnectionSettings, ProviderSettings
from broker.settings.models import (
    AssuranceSettings,
    BrandSettings,
    ChooserSettings,
    ClientSettings,
    KeysSettings,
    LimitSettings,
    NoticesSettings,
    RelyingPartySettings,
    TracingSettings,
)
from broker.settings.pins import jwks_source
from broker.settings.server import DEVELOPER_PATH, ServerSettings
from broker.settings.store import StoreSettings
from kit.settings.hosts import PRIVATE_KINDS, Kind
from kit.settings.loading import load_whole, read_settings
from kit.settings.report import ConfigurationError, Problem, refusal
from kit.settings.service import ServiceSettings
from kit.settings.types import FolderOrFile, Id, Origin
from providers.connection import Connection
from providers.dialects import DIALECTS
from providers.model import Provider
from providers.registry import PROVIDERS

__all__ = ["ConfigurationError", "Problem", "Settings", "load_settings"]


class Settings(ServiceSettings):
    """Everything that is configured. issuer: our own, scheme and host; no slash at its end.

    private_network: only we call the store; clients may be in that network too. clients_from: a file or folder of
    further clients, which are among `clients` once the file of the configuration is read.
    """

    issuer: Origin
    server: ServerSettings = ServerSettings()
    limits: LimitSettings = LimitSettings()
    store: StoreSettings
    keys: KeysSettings
    audit: AuditSettings
    brand: BrandSettings
    relying_party: RelyingPartySettings
    assurance: AssuranceSettings
    connections: Annotated[dict[Id, ConnectionSettings], Field(min_length=1)]
    providers: dict[Id, ProviderSettings] = Field(default_factory=dict)
    clients: Annotated[dict[Id, ClientSettings], Field(min_length=1)]
    clients_from: FolderOrFile | None = None
    notices: NoticesSettings = NoticesSettings()
    chooser: ChooserSettings = ChooserSettings()
    tracing: TracingSettings = TracingSettings()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        problems = problems_between(self)
        if problems:
            raise refusal("\n".join(line.strip() for problem in problems for line in problem.lines()))
        return self

    @property
    def secure(self) -> bool:
        """Whether browsers reach us by https: decides `Secure` and `__Host-` of cookies."""
        return self.issuer.startswith("https:")

    @property
    def addresses_of_clients(self) -> frozenset[Kind]:
        """The kinds of address at which we fetch what a client publishes; this machine's own in a test only."""
        own: frozenset[Kind] = PRIVATE_KINDS if self.private_network else frozenset()
        here: frozenset[Kind] = frozenset({"this machine"} if own and self.environment == "test" else ())
        return frozenset[Kind]({"public"}) | own | here

    @property
    def developer_uri(self) -> str | None:
        """Where logins that are tried on the developer page end; None without it, and in production whatever is set."""
        page = self.server.developer_page if self.environment == "test" else None
        return f"{page}{DEVELOPER_PATH}/answer" if page else None

    def providers_of(self, connection: str) -> dict[str, Provider]:
        """The providers that are reached through a connection, closed ones left out."""
        return {
            name: PROVIDERS[name]
            for name, provider in self.providers.items()
            if provider.connection == connection and provider.status != "closed"
        }

    def connection_of(self, connection: str) -> Connection:
        """A connection for its adapter, its pins read. Raises KeyError, or ConfigurationError for a broken pin."""
        ours = self.connections[connection]
        selectors = {name: self.providers[name].selector for name in self.providers_of(connection)}
        names = ours.service_name or self.relying_party.service_name
        return Connection(
            id=connection,
            dialect=DIALECTS[ours.dialect],
            issuer=ours.issuer,
            authorization_endpoint=ours.authorization_endpoint,
            token_endpoint=ours.token_endpoint,
            jwks=jwks_source(connection, ours, int(time.time())),
            client_id=ours.client_id,
            redirect_uri=f"{self.issuer}/callback/{connection}",
            selectors={name: selector for name, selector in selectors.items() if selector is not None},
            pkce=ours.pkce,
            iss_parameter=ours.iss_parameter,
            kid_required=ours.kid == "required",
            service_names=names.as_dict(),
            test=self.environment == "test",
            allowed_identity_codes=frozenset(ours.allowed_identity_codes),
            ca_bundle=ours.ca_bundle,
            proxy=ours.proxy,
            notices_uri=ours.published_at,
            clock_skew=ours.clock_skew,
        )


def load_settings(path: Path | str, environ: Mapping[str, str] | None = None) -> Settings:
    """Read and check a configuration file; environ: the process's own unless given.

    Raises ConfigurationError that holds every problem found.
    """
    settings, problems = read_broker_settings(Path(path), environ)
    return load_whole(Path(path), settings, problems)


def read_broker_settings(path: Path, environ: Mapping[str, str] | None = None) -> tuple[Settings, list[Problem]]:
    """The settings as far as they are valid, and everything that is wrong with them and with what they name."""
    files = ClientFiles()

    def add(data: dict[str, Any]) -> None:
        nonlocal files
        files = add_clients(data, path.parent.resolve(), environ)

    def checks(settings: Settings) -> list[Problem]:
        return [*problems_between(settings), *_broken_pins(settings)]

    settings, problems = read_settings(Settings, path, checks, environ, add)
    return settings, [*files.placed(problems), *files.problems]


def _broken_pins(settings: Settings) -> Iterator[Problem]:
    for name, connection in settings.connections.items():
        if connection.entity_statement is None or connection.signed_jwks_uri is None:
            continue
        try:
            jwks_source(name, connection, int(time.time()))
        except ConfigurationError as error:
            yield from error.problems
