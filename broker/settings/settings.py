"""The settings: one frozen object, whole and consistent, or one report of everything that is wrong.

load_settings(path)            TOML, environment put in, paths resolved, every check
Settings.model_validate(data)  the same checks without a file (tests)
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, Field, TypeAdapter, ValidationError, model_validator

from broker.settings.checks import URL_KEYS, View, problems_between
from broker.settings.models import (
    AssuranceSettings,
    BrandSettings,
    ChooserSettings,
    ClientSettings,
    ConnectionSettings,
    FolderSettings,
    Id,
    LogSettings,
    NoticesSettings,
    ProviderSettings,
    RelyingPartySettings,
    ServerSettings,
    StoreSettings,
)
from broker.settings.pins import jwks_source
from kit.pages.languages import Languages
from kit.pages.settings import TextsSettings
from kit.settings.file import read_toml, substitute
from kit.settings.proxies import proxies_in_front
from kit.settings.report import ConfigurationError, KeyPath, Problem, problems_of, refusal
from kit.settings.types import Origin, Section, Url
from providers.connection import Connection
from providers.dialects import DIALECTS
from providers.model import Provider
from providers.registry import PROVIDERS

__all__ = ["ConfigurationError", "Problem", "Settings", "load_settings"]

Model = TypeVar("Model", bound=BaseModel)


class Settings(Section):
    """Everything that is configured. issuer: our own, scheme and host; no slash at its end.

    insecure_http: plain http is allowed to other machines too, for a demo's containers.
    """

    environment: Literal["test", "production"]
    issuer: Origin
    insecure_http: bool = False
    server: ServerSettings = ServerSettings()
    store: StoreSettings
    keys: FolderSettings
    audit: FolderSettings
    log: LogSettings = LogSettings()
    brand: BrandSettings
    relying_party: RelyingPartySettings
    assurance: AssuranceSettings
    connections: Annotated[dict[Id, ConnectionSettings], Field(min_length=1)]
    providers: dict[Id, ProviderSettings] = Field(default_factory=dict)
    clients: Annotated[dict[Id, ClientSettings], Field(min_length=1)]
    notices: NoticesSettings = NoticesSettings()
    chooser: ChooserSettings = ChooserSettings()
    texts: TextsSettings = TextsSettings()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        problems = problems_between(_view(self))
        if problems:
            raise refusal("\n".join(line.strip() for problem in problems for line in problem.lines()))
        return self

    @cached_property
    def languages(self) -> Languages:
        """The languages of the pages."""
        return Languages.of_service(self.texts.languages, self.brand.default_locale)

    @property
    def trusted_proxies(self) -> int:
        """How many proxies in front add to X-Forwarded-For."""
        return proxies_in_front(self.server.trusted_proxies, self.environment)

    @property
    def secure(self) -> bool:
        """Whether browsers reach us by https: decides `Secure` and `__Host-` of cookies."""
        return self.issuer.startswith("https:")

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
            service_names=names.as_dict(),
            test=self.environment == "test",
            allowed_identity_codes=frozenset(ours.allowed_identity_codes),
            ca_bundle=ours.ca_bundle,
            proxy=ours.proxy,
            clock_skew=ours.clock_skew,
        )


def load_settings(path: Path | str, environ: Mapping[str, str] | None = None) -> Settings:
    """Read and check a configuration file; environ: the process's own unless given.

    Raises ConfigurationError that holds every problem found.
    """
    path = Path(path)
    data = read_toml(path)
    problems: list[Problem] = []
    data = substitute(data, os.environ if environ is None else environ, problems)
    if problems:
        # What was put in as nothing would only be reported a second time, as a bad value.
        broken = {problem.key for problem in problems}
        raise ConfigurationError(path, [*problems, *(p for p in _check(data, path.parent)[1] if p.key not in broken)])
    settings, problems = _check(data, path.parent)
    if settings is None:
        raise ConfigurationError(path, problems)
    pins = list(_broken_pins(settings.connections))
    if pins:
        raise ConfigurationError(path, pins)
    return settings


def _check(data: dict[str, Any], base: Path) -> tuple[Settings | None, list[Problem]]:
    """Settings, or every problem: those of each value, those between tables, those of pinned files."""
    context = {"base": base.resolve()}
    try:
        return Settings.model_validate(data, context=context), []
    except ValidationError as error:
        problems = [problem for problem in problems_of(error) if problem.key]
    view = _partial_view(data, context)
    return None, [*problems, *problems_between(view), *_broken_pins(view.connections)]


def _broken_pins(connections: Mapping[str, ConnectionSettings]) -> Iterator[Problem]:
    for name, connection in connections.items():
        try:
            jwks_source(name, connection, int(time.time()))
        except ConfigurationError as error:
            yield from error.problems


def _view(settings: Settings) -> View:
    return View(
        environment=settings.environment,
        issuer=settings.issuer,
        insecure_http=settings.insecure_http,
        trusted_proxies=settings.server.trusted_proxies,
        accepted=settings.assurance.accepted,
        order=settings.chooser.order,
        urls=dict(_own_urls(settings.relying_party, settings.brand)),
        brand=settings.brand,
        texts=settings.texts,
        connections=settings.connections,
        providers=settings.providers,
        clients=settings.clients,
        connection_ids=frozenset(settings.connections),
        provider_ids=frozenset(settings.providers),
    )


def _own_urls(relying_party: RelyingPartySettings | None, brand: BrandSettings | None) -> Iterator[tuple[KeyPath, str]]:
    if relying_party is not None:
        yield ("relying_party", "entity_id"), relying_party.entity_id
    for number, link in enumerate(brand.home_links if brand is not None else ()):
        yield ("brand", "home_links", number, "uri"), link.uri
    for number, link in enumerate(brand.links if brand is not None else ()):
        yield ("brand", "links", number, "uri"), link.uri


def _partial_view(data: Mapping[str, Any], context: Mapping[str, Any]) -> View:
    """A view over those parts of the data that are valid by themselves."""

    def part(model: type[Model], value: Any) -> Model | None:
        try:
            return model.model_validate(value, context=dict(context))
        except ValidationError:
            return None

    def table(name: str) -> Mapping[str, Any]:
        value = data.get(name)
        return value if isinstance(value, Mapping) else {}

    def entries(name: str, model: type[Model]) -> dict[str, Model]:
        found = {id: part(model, value) for id, value in table(name).items()}
        return {id: entry for id, entry in found.items() if entry is not None}

    assurance = part(AssuranceSettings, table("assurance"))
    chooser = part(ChooserSettings, table("chooser"))
    server = part(ServerSettings, table("server"))
    relying_party = part(RelyingPartySettings, table("relying_party"))
    brand = part(BrandSettings, table("brand"))
    view = View(
        environment=str(data.get("environment")),
        issuer=_valid_origin(data.get("issuer")),
        insecure_http=str(data.get("insecure_http")).lower() == "true",
        trusted_proxies=server.trusted_proxies if server else None,
        accepted=assurance.accepted if assurance and data.get("environment") in {"test", "production"} else (),
        order=chooser.order if chooser else (),
        urls=dict(_own_urls(relying_party, brand)) | _urls_of_invalid(data),
        brand=brand,
        texts=part(TextsSettings, table("texts")),
        connections=entries("connections", ConnectionSettings),
        providers=entries("providers", ProviderSettings),
        clients=entries("clients", ClientSettings),
        connection_ids=frozenset(table("connections")),
        provider_ids=frozenset(table("providers")),
    )
    return replace(view, providers={name: entry for name, entry in view.providers.items() if name in PROVIDERS})


def _urls_of_invalid(data: Mapping[str, Any]) -> dict[KeyPath, str]:
    """The URLs of connections, also of those that something else is wrong with."""
    found: dict[KeyPath, str] = {}
    connections = data.get("connections")
    for name, connection in connections.items() if isinstance(connections, Mapping) else ():
        for key in URL_KEYS if isinstance(connection, Mapping) else ():
            with suppress(ValidationError):
                found["connections", name, key] = TypeAdapter(Url).validate_python(connection.get(key))
    return found


def _valid_origin(value: Any) -> str | None:
    try:
        return TypeAdapter(Origin).validate_python(value)
    except ValidationError:
        return None
