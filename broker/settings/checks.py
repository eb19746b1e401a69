"""What must hold between the tables of a configuration, and what production refuses.

Every check is a small function over a `View`; none stops at its first find, so that one report holds all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from broker.settings.models import LEVELS, BrandSettings, ClientSettings, ConnectionSettings, ProviderSettings
from kit.pages.settings import TextsSettings, foreign_words, unknown_default
from kit.settings.proxies import without_proxies
from kit.settings.report import KeyPath, Problem, shown
from kit.settings.types import is_loopback
from providers.dialects import DIALECTS
from providers.registry import PROVIDERS

SANDBOX_HOSTS = frozenset({"isb-test.op.fi", "tunnistus-pp.telia.fi"})
"""Hosts of the brokers' test environments (OP Identity Service Broker API §2; Telia integration guide §2)."""
URL_KEYS = (
    "issuer",
    "entity_id",
    "authorization_endpoint",
    "token_endpoint",
    "signed_jwks_uri",
    "unsigned_jwks_uri",
)
"""Keys of a connection that hold a URL."""
PLACEHOLDERS = ("example", "invalid", "test", "example.com", "example.org", "example.net")


@dataclass(frozen=True)
class View:
    """As much of a configuration as was valid by itself; *_ids also name what was not."""

    environment: str
    issuer: str | None
    insecure_http: bool
    trusted_proxies: int | None = None
    accepted: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    urls: Mapping[KeyPath, str] = field(default_factory=dict)
    brand: BrandSettings | None = None
    texts: TextsSettings | None = None
    connections: Mapping[str, ConnectionSettings] = field(default_factory=dict)
    providers: Mapping[str, ProviderSettings] = field(default_factory=dict)
    clients: Mapping[str, ClientSettings] = field(default_factory=dict)
    connection_ids: frozenset[str] = frozenset()
    provider_ids: frozenset[str] = frozenset()

    @property
    def production(self) -> bool:
        """True where real people identify themselves."""
        return self.environment == "production"

    def all_urls(self) -> Iterator[tuple[KeyPath, str]]:
        """Every URL of the file with its key."""
        if self.issuer:
            yield ("issuer",), self.issuer
        yield from self.urls.items()
        for name, connection in self.connections.items():
            for key in URL_KEYS:
                if value := getattr(connection, key):
                    yield ("connections", name, key), value
        for name, client in self.clients.items():
            yield ("clients", name, "home_uri"), client.home_uri
            for number, uri in enumerate(client.redirect_uris):
                yield ("clients", name, "redirect_uris", number), uri


def _named(key: KeyPath, value: str, wrong: str, mend: str, allowed: str | None = None) -> Problem:
    return Problem(key, wrong, shown(key, value), allowed, mend)


def _providers_exist(view: View) -> Iterator[Problem]:
    for name in view.provider_ids - set(PROVIDERS):
        mend = "mend its spelling, or remove the table"
        yield Problem(("providers", name), "is no provider", allowed=", ".join(sorted(PROVIDERS)), mend=mend)


def _languages_exist(view: View) -> Iterator[Problem]:
    if view.texts is None:
        return
    if view.brand is not None:
        yield from unknown_default(view.brand.default_locale, view.texts)
        yield from foreign_words(view.brand, view.texts, ("brand",))
    yield from foreign_words(view.connections, view.texts, ("connections",))
    yield from foreign_words(view.clients, view.texts, ("clients",))


def _connections_exist(view: View) -> Iterator[Problem]:
    known = ", ".join(sorted(view.connection_ids)) or "none is defined"
    for name, provider in view.providers.items():
        connection = provider.connection
        if connection is not None and connection not in view.connection_ids:
            key = ("providers", name, "connection")
            yield _named(key, connection, "names a connection that is not defined", "define it, or name another", known)


def _successors_exist(view: View) -> Iterator[Problem]:
    for name, provider in view.providers.items():
        successor = provider.successor
        if successor is None:
            continue
        key = ("providers", name, "successor")
        follower = view.providers.get(successor)
        if successor == name or successor not in view.provider_ids:
            yield _named(key, successor, "names no other provider of this file", "name the provider that took over")
        elif follower is not None and follower.status != "open":
            yield _named(key, successor, "names a provider that is not open", "name an open one, or remove successor")


def _banks_can_be_told_apart(view: View) -> Iterator[Problem]:
    for name, connection in view.connections.items():
        served = {id: provider for id, provider in view.providers.items() if provider.connection == name}
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


def _selectors_differ(view: View) -> Iterator[Problem]:
    seen: dict[tuple[str | None, str], str] = {}
    for name, provider in view.providers.items():
        if provider.selector is None:
            continue
        first = seen.setdefault((provider.connection, provider.selector), name)
        if first != name:
            wrong = f"is also the selector of {first}"
            yield _named(("providers", name, "selector"), provider.selector, wrong, "give each provider its own")


def _rows_differ(view: View) -> Iterator[Problem]:
    for name, connection in view.connections.items():
        if connection.selects == "none" and name in PROVIDERS:
            wrong = 'selects "none" and has the id of a provider'
            yield Problem(("connections", name), wrong, mend="give the connection another id")


def _something_to_choose(view: View) -> Iterator[Problem]:
    rows = [name for name, connection in view.connections.items() if connection.selects == "none"]
    opened = [name for name, provider in view.providers.items() if provider.status == "open"]
    broken = (view.connection_ids - set(view.connections)) | (view.provider_ids - set(view.providers))
    if not rows and not opened and not broken:
        yield Problem(("providers",), "no provider is open", mend='set status = "open" for at least one')


def _order_names_rows(view: View) -> Iterator[Problem]:
    rows = view.provider_ids | view.connection_ids
    for number, name in enumerate(view.order):
        if name not in rows:
            key = ("chooser", "order", number)
            yield _named(key, name, "names no row of the chooser", "remove it", ", ".join(sorted(rows)))


def _levels_fit_the_environment(view: View) -> Iterator[Problem]:
    for number, level in enumerate(view.accepted):
        if LEVELS[level] != view.environment:
            wrong = f"is a level of assurance of {LEVELS[level]}, and environment is {view.environment}"
            allowed = ", ".join(uri for uri, place in LEVELS.items() if place == view.environment)
            yield _named(("assurance", "accepted", number), level, wrong, "name the level of this environment", allowed)


def _http_stays_on_this_machine(view: View) -> Iterator[Problem]:
    for key, url in view.all_urls():
        parts = urlsplit(url)
        if parts.scheme == "http" and not is_loopback(parts.hostname or "") and not view.insecure_http:
            yield _named(key, url, "is plain http", "use https (insecure_http = true only in a demo's containers)")


def _production_has_no_shortcuts(view: View) -> Iterator[Problem]:
    if not view.production:
        return
    yield from without_proxies(view.trusted_proxies)
    if view.insecure_http:
        yield Problem(("insecure_http",), "is refused in production", "true", mend="remove it, and use https")
    for name, connection in view.connections.items():
        key = ("connections", name)
        if connection.unsigned_jwks_uri is not None:
            mend = "pin the keys (jwks), or use entity_statement and signed_jwks_uri"
            yield _named((*key, "unsigned_jwks_uri"), connection.unsigned_jwks_uri, "is refused in production", mend)
        if connection.allowed_identity_codes:
            yield Problem((*key, "allowed_identity_codes"), "is refused in production", mend="remove it")
    for name, provider in view.providers.items():
        if provider.selector is not None and provider.selector.startswith("mock-"):
            wrong = "is a selector of the mock banks"
            yield _named(("providers", name, "selector"), provider.selector, wrong, "use the value of the contract")


def _production_uses_real_hosts(view: View) -> Iterator[Problem]:
    if not view.production:
        return
    for key, url in view.all_urls():
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
        if host in SANDBOX_HOSTS:
            yield _named(key, url, "is a sandbox, and environment is production", "use the URL of the contract")
        elif any(host == name or host.endswith(f".{name}") for name in PLACEHOLDERS):
            yield _named(key, url, "is still a placeholder", "fill in the real one")
        elif is_loopback(host):
            yield _named(key, url, "is this machine, and environment is production", "use a public https URL")
        elif parts.scheme == "http":
            yield _named(key, url, "is plain http, and environment is production", "use https")


CHECKS: tuple[Callable[[View], Iterator[Problem]], ...] = (
    _languages_exist,
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
    _production_has_no_shortcuts,
    _production_uses_real_hosts,
)


def problems_between(view: View) -> list[Problem]:
    """Every problem that the checks find, each key and wrong once."""
    found = {(problem.key, problem.wrong): problem for check in CHECKS for problem in check(view)}
    plain_http = {key for key, wrong in found if wrong == "is plain http"}
    return [problem for (key, wrong), problem in found.items() if not (key in plain_http and wrong != "is plain http")]
