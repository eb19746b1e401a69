"""What must hold between the keys of a configuration, and what production refuses.

Every check is a small function over the settings; none stops at its first find, so that one report holds all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from kit.pages.settings import foreign_words, unknown_default
from kit.settings.proxies import without_proxies
from kit.settings.report import KeyPath, Problem
from kit.settings.types import is_loopback
from registration.settings.models import Settings

LEAST_MEMORY = 19_456
"""KiB that production needs at least (OWASP Password Storage Cheat Sheet)."""
PLACEHOLDERS = ("example", "invalid", "test", "example.com", "example.org", "example.net")
"""Names that nobody can have (RFC 2606, RFC 6761)."""


def problems_between(settings: Settings) -> list[Problem]:
    """What is wrong between keys that are each right by themselves."""
    checks = (*CHECKS, *PRODUCTION) if settings.environment == "production" else CHECKS
    return [problem for check in checks for problem in check(settings)]


def _for_browsers(settings: Settings) -> dict[KeyPath, str]:
    """The addresses that people are sent to."""
    urls: dict[KeyPath, str | None] = {
        ("url",): settings.url,
        ("broker", "issuer"): settings.broker.issuer,
        ("broker", "authorization_endpoint"): settings.broker.authorization_endpoint,
        ("links", "online_service"): settings.links.online_service,
        ("links", "private_customers"): settings.links.private_customers,
    }
    urls |= {("brand", "links", number, "uri"): link.uri for number, link in enumerate(settings.brand.links)}
    return {key: url for key, url in urls.items() if url}


def _for_ourselves(settings: Settings) -> dict[KeyPath, str]:
    """The addresses that only this service calls: they may be on this machine."""
    urls: dict[KeyPath, str | None] = {
        ("broker", "token_endpoint"): settings.broker.token_endpoint,
        ("broker", "jwks_uri"): settings.broker.jwks_uri,
        ("customer_register", "url"): settings.customer_register.url,
        ("company_check", "url"): settings.company_check.url,
    }
    return {key: url for key, url in urls.items() if url}


def _nothing_crosses_machines_in_the_clear(settings: Settings) -> Iterator[Problem]:
    for key, url in (_for_browsers(settings) | _for_ourselves(settings)).items():
        if not (url.startswith("https:") or is_loopback(urlsplit(url).hostname or "") or settings.insecure_http):
            mend = "use https (http on this machine only, or insecure_http = true in a test)"
            yield Problem(key, "is plain http to another machine", f'"{url}"', mend=mend)
    if settings.mail.security == "none" and not (is_loopback(settings.mail.host) or settings.insecure_http):
        mend = 'set security = "starttls" or "tls"'
        yield Problem(("mail", "security"), "would send e-mail in the clear", '"none"', mend=mend)


def _languages_exist(settings: Settings) -> Iterator[Problem]:
    yield from unknown_default(settings.brand.default_locale, settings.texts)
    yield from foreign_words(settings.brand, settings.texts, ("brand",))


def _production_has_no_shortcuts(settings: Settings) -> Iterator[Problem]:
    if settings.insecure_http:
        yield Problem(("insecure_http",), "is for demos only", "true", mend="remove it")
    memory = settings.passwords.memory_kib
    if memory < LEAST_MEMORY:
        key = ("passwords", "memory_kib")
        yield Problem(key, "is too little to withstand guessing", str(memory), mend=f"{LEAST_MEMORY} or more")
    for number, acr in enumerate(settings.broker.accepted_acr):
        if "loatest" in acr:
            place = ("broker", "accepted_acr", number)
            yield Problem(place, "is a test level of assurance", f'"{acr}"', mend="use …/loa2 or …/loa3")


def _production_knows_its_proxies(settings: Settings) -> Iterator[Problem]:
    yield from without_proxies(settings.server.trusted_proxies)


def _production_uses_real_hosts(settings: Settings) -> Iterator[Problem]:
    for key, url in _for_browsers(settings).items():
        if is_loopback(urlsplit(url).hostname or ""):
            mend = "use a public https URL"
            yield Problem(key, "is this machine, and environment is production", f'"{url}"', mend=mend)
    hosts = {
        key: (url, urlsplit(url).hostname or "")
        for key, url in (_for_browsers(settings) | _for_ourselves(settings)).items()
    }
    hosts["mail", "host"] = settings.mail.host, settings.mail.host
    hosts["mail", "sender"] = settings.mail.sender, settings.mail.sender.rpartition("@")[2]
    for place, (value, host) in hosts.items():
        if any(f".{host.rstrip('.').lower()}".endswith(f".{name}") for name in PLACEHOLDERS):
            yield Problem(place, "is still a placeholder", f'"{value}"', mend="fill in the real one")


CHECKS: tuple[Callable[[Settings], Iterator[Problem]], ...] = (
    _nothing_crosses_machines_in_the_clear,
    _languages_exist,
)
PRODUCTION: tuple[Callable[[Settings], Iterator[Problem]], ...] = (
    _production_has_no_shortcuts,
    _production_knows_its_proxies,
    _production_uses_real_hosts,
)
