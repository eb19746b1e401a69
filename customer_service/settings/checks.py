"""What must hold between the keys of a configuration, and what production refuses.

In a file with something wrong the settings are as far as they are valid: what else is needed is None, or empty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from customer_service.settings.models import Settings
from kit.pages.settings import languages_exist
from kit.settings.checks import all_problems
from kit.settings.endpoints import Urls, in_production, plain_http
from kit.settings.placeholders import example_secrets
from kit.settings.proxies import without_proxies
from kit.settings.report import Problem
from kit.settings.service import with_own_texts, without_insecure_http


def problems_between(settings: Settings) -> list[Problem]:
    """What is wrong between keys that are each right by themselves."""
    return all_problems(settings, CHECKS, PRODUCTION)


def _for_browsers(settings: Settings) -> Urls:
    return {
        ("url",): settings.url,
        ("sign_in", "issuer"): settings.sign_in.issuer,
        **{("brand", "links", number, "uri"): link.uri for number, link in enumerate(settings.brand.links)},
    }


def _for_ourselves(settings: Settings) -> Urls:
    """The addresses that only this service calls: they may be on this machine.

    registration.url is what client assertions are for; where back_url is given nobody calls it.
    """
    registration = settings.registration
    return {
        ("sign_in", "back_url"): settings.sign_in.back_url,
        ("registration", "back_url"): registration.back_url,
        ("registration", "url"): None if registration.back_url else registration.url,
        **{("broker", "operations_urls", number): url for number, url in enumerate(settings.broker.operations_urls)},
    }


def _nothing_crosses_machines_in_the_clear(settings: Settings) -> Iterator[Problem]:
    if not settings.insecure_http:
        yield from plain_http(_for_browsers(settings))
        yield from plain_http(_for_ourselves(settings), private=settings.private_network)


def _idle_within_longest(settings: Settings) -> Iterator[Problem]:
    sign_in = settings.sign_in
    if sign_in.idle and sign_in.longest and sign_in.idle > sign_in.longest:
        wrong = "is longer than a session may be at all"
        yield Problem(("sign_in", "idle"), wrong, str(sign_in.idle), f"at most {sign_in.longest}", "shorten it")


def _production_uses_real_hosts(settings: Settings) -> Iterator[Problem]:
    # A provider for staff is often inside the company, as these pages are.
    yield from in_production(_for_browsers(settings), private=settings.private_network)
    yield from in_production(_for_ourselves(settings), private=settings.private_network, here=True)


def _production_has_its_own_secret(settings: Settings) -> Iterator[Problem]:
    yield from example_secrets({("sign_in", "client_secret"): settings.sign_in.client_secret})


CHECKS: tuple[Callable[[Settings], Iterator[Problem]], ...] = (
    _nothing_crosses_machines_in_the_clear,
    languages_exist,
    _idle_within_longest,
)
PRODUCTION: tuple[Callable[[Settings], Iterator[Problem]], ...] = (
    without_insecure_http,
    without_proxies,
    _production_uses_real_hosts,
    _production_has_its_own_secret,
    with_own_texts,
)
