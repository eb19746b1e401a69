"""What must hold between the tables of a configuration, and what production refuses.

Every check is a small function over the settings; none stops at its first find, so that one report holds all. In a
file with something wrong the settings are as far as they are valid: what else is needed is None, or empty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from broker.settings.backend_checks import reaches_what_is_there, store_by_tls
from broker.settings.client_checks import client_urls, keys_are_within_reach
from kit.audit.settings import unfit_collector
from kit.pages.settings import languages_exist
from kit.settings.assurance import LEVELS
from kit.settings.checks import all_problems
from kit.settings.endpoints import in_production, plain_http
from kit.settings.placeholders import is_example_hash, placeholder_files, placeholder_texts
from kit.settings.proxies import without_proxies
from kit.settings.report import KeyPath, Problem, meant, shown
from providers.dialects import DIALECTS
from providers.registry import PROVIDERS

if TYPE_CHECKING:
    from broker.settings.connections import ProviderSettings
    from broker.settings.settings import Settings

URL_KEYS = (
    "issuer",
    "entity_id",
    "authorization_endpoint",
    "token_endpoint",
    "signed_jwks_uri",
    "unsigned_jwks_uri",
    "notices_uri",
)
"""Keys of a connection that hold a URL."""


def bank_urls(settings: Settings) -> dict[KeyPath, str]:
    """The URLs of connections, with their keys."""
    connections = settings.connections.items()
    found = {("connections", name, key): getattr(held, key, None) for name, held in connections for key in URL_KEYS}
    return {key: url for key, url in found.items() if url}


def own_urls(settings: Settings) -> dict[KeyPath, str]:
    """Our own URLs, and those of the pages that people are led to."""
    brand = settings.brand
    found: dict[KeyPath, str | None] = {
        ("issuer",): settings.issuer,
        ("relying_party", "entity_id"): settings.relying_party.entity_id,
        ("server", "mtls_base_url"): settings.server.mtls_base_url,
        ("server", "developer_page"): settings.server.developer_page,
    }
    for name, links in (("home_links", brand.home_links), ("links", brand.links)):
        found |= {("brand", name, number, "uri"): link.uri for number, link in enumerate(links)}
    return {key: url for key, url in found.items() if url}


def _named(key: KeyPath, value: str, wrong: str, mend: str, allowed: str | None = None) -> Problem:
    return Problem(key, wrong, shown(key, value), allowed, mend)


def _known_providers(settings: Settings) -> dict[str, ProviderSettings]:
    return {name: provider for name, provider in settings.providers.items() if name in PROVIDERS}


def _providers_exist(settings: Settings) -> Iterator[Problem]:
    for name in settings.providers.keys() - set(PROVIDERS):
        mend = meant(name, PROVIDERS, "mend its spelling, or remove the table")
        yield Problem(("providers", name), "is no provider", allowed=", ".join(sorted(PROVIDERS)), mend=mend)


def _connections_exist(settings: Settings) -> Iterator[Problem]:
    known = ", ".join(sorted(settings.connections.keys())) or "none is defined"
    for name, provider in _known_providers(settings).items():
        connection = provider.connection
        if connection is not None and connection not in settings.connections:
            key = ("providers", name, "connection")
            mend = meant(connection, settings.connections, "define it, or name another") or ""
            yield _named(key, connection, "names a connection that is not defined", mend, known)


def _successors_exist(settings: Settings) -> Iterator[Problem]:
    for name, provider in _known_providers(settings).items():
        successor = provider.successor
        if successor is None:
            continue
        key = ("providers", name, "successor")
        follower = _known_providers(settings).get(successor)
        if successor == name or successor not in settings.providers:
            mend = meant(successor, settings.providers.keys() - {name}, "name the provider that took over") or ""
            yield _named(key, successor, "names no other provider of this file", mend)
        elif follower is not None and follower.status != "open":
            yield _named(key, successor, "names a provider that is not open", "name an open one, or remove successor")


def _banks_can_be_told_apart(settings: Settings) -> Iterator[Problem]:
    for name, connection in settings.connections.items():
        served = {id: provider for id, provider in _known_providers(settings).items() if provider.connection == name}
        if connection.dialect is None:
            continue
        selector = DIALECTS[connection.dialect].selector
        for id, provider in served.items():
            key = ("providers", id)
            if connection.selects == "none":
                wrong = f'uses connection {name}, which selects "none"'
                yield Problem((*key, "connection"), wrong, mend='name another connection, or set selects = "provider"')
            elif provider.selector is not None and selector is None:
                wrong = f"is never sent: dialect {connection.dialect} cannot select a bank"
                yield _named((*key, "selector"), provider.selector, wrong, "remove it")
            elif provider.selector is None and len(served) > 1:
                wrong = f"shares connection {name} with other providers and has no selector"
                mend = "give each its selector" if selector else f"dialect {connection.dialect} needs one issuer a bank"
                yield Problem(key, wrong, mend=mend)


def _selectors_differ(settings: Settings) -> Iterator[Problem]:
    seen: dict[tuple[str | None, str], str] = {}
    for name, provider in _known_providers(settings).items():
        if provider.selector is None:
            continue
        first = seen.setdefault((provider.connection, provider.selector), name)
        if first != name:
            wrong = f"is also the selector of {first}"
            yield _named(("providers", name, "selector"), provider.selector, wrong, "give each provider its own")


def _rows_differ(settings: Settings) -> Iterator[Problem]:
    for name, connection in settings.connections.items():
        if connection.selects == "none" and name in PROVIDERS:
            wrong = 'selects "none" and has the id of a provider'
            yield Problem(("connections", name), wrong, mend="give the connection another id")


def _something_to_choose(settings: Settings) -> Iterator[Problem]:
    rows = [name for name, connection in settings.connections.items() if connection.selects == "none"]
    opened = [name for name, provider in _known_providers(settings).items() if provider.status == "open"]
    if not rows and not opened and settings.providers.keys() <= set(PROVIDERS):
        yield Problem(("providers",), "no provider is open", mend='set status = "open" for at least one')


def _order_names_rows(settings: Settings) -> Iterator[Problem]:
    rows = settings.providers.keys() | settings.connections.keys()
    for number, name in enumerate(settings.chooser.order):
        if name not in rows:
            key = ("chooser", "order", number)
            mend = meant(name, rows, "remove it") or ""
            yield _named(key, name, "names no row of the chooser", mend, ", ".join(sorted(rows)))


def _levels_fit_the_environment(settings: Settings) -> Iterator[Problem]:
    environment = settings.environment
    for number, level in enumerate(settings.assurance.accepted if environment else ()):
        if LEVELS[level] != environment:
            wrong = f"is a level of assurance of {LEVELS[level]}, and environment is {environment}"
            allowed = ", ".join(uri for uri, place in LEVELS.items() if place == environment)
            yield _named(("assurance", "accepted", number), level, wrong, "name the level of this environment", allowed)


def _http_stays_on_this_machine(settings: Settings) -> Iterator[Problem]:
    if not settings.insecure_http:
        yield from plain_http(own_urls(settings) | bank_urls(settings) | client_urls(settings))


def _certificates_can_be_seen(settings: Settings) -> Iterator[Problem]:
    server = settings.server
    if server.client_certificate_header is not None and settings.trusted_proxies == 0:
        wrong = "is read from proxies, and server.trusted_proxies is 0"
        yield Problem(
            ("server", "client_certificate_header"), wrong, mend="say how many proxies are in front, or remove it"
        )
    for name, client in settings.clients.items():
        if client.sender_constrained == "mtls" and server.client_certificate_header is None:
            wrong = "cannot be held: no header brings the certificates of clients"
            mend = 'set server.client_certificate_header and client_certificate_proxies, or use "dpop"'
            yield _named(("clients", name, "sender_constrained"), "mtls", wrong, mend)


def _production_has_no_shortcuts(settings: Settings) -> Iterator[Problem]:
    yield from without_proxies(settings)
    if settings.insecure_http:
        yield Problem(("insecure_http",), "is refused in production", "true", mend="remove it, and use https")
    if settings.server.developer_page is not None:
        wrong, mend = "is refused in production", "remove it: developers try logins at a broker with environment = test"
        yield _named(("server", "developer_page"), settings.server.developer_page, wrong, mend)
    for name, connection in settings.connections.items():
        key = ("connections", name)
        if connection.unsigned_jwks_uri is not None:
            mend = "pin the keys (jwks), or use entity_statement and signed_jwks_uri"
            yield _named((*key, "unsigned_jwks_uri"), connection.unsigned_jwks_uri, "is refused in production", mend)
        if connection.allowed_identity_codes:
            yield Problem((*key, "allowed_identity_codes"), "is refused in production", mend="remove it")
    for name, provider in settings.providers.items():
        if provider.selector is not None and provider.selector.startswith("mock-"):
            wrong = "is a selector of the mock banks"
            yield _named(("providers", name, "selector"), provider.selector, wrong, "use the value of the contract")
    for name, client in settings.clients.items():
        if client.secret_hash and is_example_hash(client.secret_hash, name):
            mend = "make a secret and its hash: tunnus client-secret"
            yield _named(
                ("clients", name, "secret_hash"),
                client.secret_hash,
                "is still a placeholder, the hash of an example",
                mend,
            )


def _production_uses_real_hosts(settings: Settings) -> Iterator[Problem]:
    yield from in_production(own_urls(settings) | bank_urls(settings))
    yield from in_production(client_urls(settings), private=settings.private_network)


def _production_has_its_own_texts(settings: Settings) -> Iterator[Problem]:
    yield from placeholder_texts(settings.brand, ("brand",))
    yield from placeholder_texts(settings.relying_party, ("relying_party",))
    yield from placeholder_texts(settings.connections, ("connections",))
    yield from placeholder_texts(settings.clients, ("clients",))
    yield from placeholder_files(settings.brand.accessibility, ("brand", "accessibility"), brackets=True)
    yield from placeholder_files(settings.notices.file, ("notices", "file"))


CHECKS: tuple[Callable[[Settings], Iterator[Problem]], ...] = (
    languages_exist,
    _providers_exist,
    _connections_exist,
    _successors_exist,
    _banks_can_be_told_apart,
    _selectors_differ,
    _rows_differ,
    _something_to_choose,
    _order_names_rows,
    _levels_fit_the_environment,
    _http_stays_on_this_machine,
    _certificates_can_be_seen,
    keys_are_within_reach,
)
PRODUCTION: tuple[Callable[[Settings], Iterator[Problem]], ...] = (
    _production_has_no_shortcuts,
    _production_uses_real_hosts,
    reaches_what_is_there,
    _production_has_its_own_texts,
    unfit_collector,
    store_by_tls,
)


def problems_between(settings: Settings) -> list[Problem]:
    """Everything that the checks find."""
    return all_problems(settings, CHECKS, PRODUCTION)
