"""What must hold between the keys of a configuration, and what production refuses.

Every check is a small function over the settings; none stops at its first find, so that one report holds all. In a
file with something wrong the settings are as far as they are valid: what else is needed is None, or empty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sqlalchemy.engine import make_url

from kit.audit.settings import unfit_collector
from kit.pages.settings import languages_exist
from kit.settings.assurance import LEVELS
from kit.settings.checks import all_problems
from kit.settings.endpoints import (
    WITHOUT_TLS,
    Urls,
    host_and_port,
    in_production,
    of_nobody,
    plain_http,
    postgres_in_the_clear,
)
from kit.settings.hosts import is_this_machine
from kit.settings.placeholders import example_secrets, is_example_hash, placeholder_files
from kit.settings.proxies import without_proxies
from kit.settings.report import KeyPath, Problem
from kit.settings.service import with_own_texts, without_insecure_http
from registration.settings.models import Settings

LEAST_HASHING = ((47_104, 1), (19_456, 2))
"""KiB and passes of Argon2id, that production needs at least one pair of (OWASP Password Storage Cheat Sheet)."""


def problems_between(settings: Settings) -> list[Problem]:
    """What is wrong between keys that are each right by themselves."""
    return all_problems(settings, CHECKS, PRODUCTION)


def _for_browsers(settings: Settings) -> Urls:
    """The addresses that people are sent to."""
    return {
        ("url",): settings.url,
        ("broker", "issuer"): settings.broker.issuer,
        ("broker", "authorization_endpoint"): settings.broker.authorization_endpoint,
        ("links", "online_service"): settings.links.online_service,
        ("links", "private_customers"): settings.links.private_customers,
        **{("brand", "links", number, "uri"): link.uri for number, link in enumerate(settings.brand.links)},
    }


def _for_ourselves(settings: Settings) -> Urls:
    """The addresses that only this service calls: they may be on this machine."""
    return {
        ("broker", "token_endpoint"): settings.broker.token_endpoint,
        ("broker", "jwks_uri"): settings.broker.jwks_uri,
        ("customer_register", "url"): settings.customer_register.url,
        ("company_check", "url"): settings.company_check.url,
    }


def _of_receivers(settings: Settings) -> Urls:
    return {("webhooks", name, "url"): hook.url for name, hook in settings.webhooks.items()}


def _nothing_crosses_machines_in_the_clear(settings: Settings) -> Iterator[Problem]:
    if settings.insecure_http:
        return
    yield from plain_http(_for_browsers(settings))
    yield from plain_http({**_for_ourselves(settings), **_of_receivers(settings)}, private=settings.private_network)
    mail = settings.mail
    if mail.security == "none" and not settings.private_network and mail.host and not is_this_machine(mail.host):
        mend = f'set security = "starttls" or "tls": {WITHOUT_TLS}'
        yield Problem(("mail", "security"), "would send e-mail in the clear", '"none"', mend=mend)


def _letters_have_a_folder(settings: Settings) -> Iterator[Problem]:
    if settings.rules and settings.rules.founding == "activation" and not (settings.letters and settings.letters.dir):
        mend = "name a folder, such as /var/lib/registration/letters"
        yield Problem(("letters", "dir"), 'is needed with rules.founding = "activation"', mend=mend)


def _production_takes_no_examples(settings: Settings) -> Iterator[Problem]:
    for number, acr in enumerate(settings.broker.accepted_acr):
        if LEVELS[acr] != "production":
            place = ("broker", "accepted_acr", number)
            yield Problem(place, "is a test level of assurance", f'"{acr}"', mend="use …/loa2 or …/loa3")
    for name, client in settings.api.clients.items():
        if client.secret_hash and is_example_hash(client.secret_hash, name):
            mend = "make a secret and its hash: tunnus client-secret"
            key: KeyPath = ("api", "clients", name, "secret_hash")
            yield Problem(key, "is still a placeholder, the hash of an example", "(hidden)", mend=mend)


def _production_has_its_own_secrets(settings: Settings) -> Iterator[Problem]:
    url = settings.database.url
    secrets: dict[KeyPath, str | None] = {
        ("database", "url"): make_url(url).password if url else None,
        ("customer_register", "token"): settings.customer_register.token,
        ("mail", "password"): settings.mail.password,
    }
    yield from example_secrets(secrets)


def _production_hashes_passwords_well(settings: Settings) -> Iterator[Problem]:
    memory, passes = settings.passwords.memory_kib, settings.passwords.time_cost
    if any(memory >= least and passes >= times for least, times in LEAST_HASHING):
        return
    allowed = " or ".join(f"memory_kib {least} with time_cost {times}" for least, times in LEAST_HASHING) + ", or more"
    few = memory >= LEAST_HASHING[-1][0]
    place, value = ("time_cost", passes) if few else ("memory_kib", memory)
    yield Problem(("passwords", place), "is too little to withstand guessing", str(value), allowed, "raise it")


def _production_keeps_its_erasures(settings: Settings) -> Iterator[Problem]:
    if settings.erasures.file is None:
        mend = "name a file that outlives the database and this process, such as /var/lib/registration/erasures.jsonl"
        yield Problem(("erasures", "file"), "is needed: a restored backup would bring back who was erased", mend=mend)


def _production_uses_real_hosts(settings: Settings) -> Iterator[Problem]:
    yield from in_production(_for_browsers(settings))
    yield from in_production(_for_ourselves(settings), private=settings.private_network, here=True)
    # Nothing is ever sent to this machine (`addresses_of_receivers`).
    yield from in_production(_of_receivers(settings), private=settings.private_network)
    mail = settings.mail
    hosts: dict[KeyPath, str | None] = {
        ("mail", "host"): mail.host and host_and_port(mail.host),
        ("mail", "sender"): (mail.sender or "").rpartition("@")[2],
    }
    yield from of_nobody(hosts)
    for host in _database_hosts(settings):
        yield from of_nobody({("database", "url"): host})


def _production_has_its_own_texts(settings: Settings) -> Iterator[Problem]:
    yield from with_own_texts(settings)
    if settings.terms.dir and settings.terms.version:
        yield from placeholder_files(settings.terms.dir / settings.terms.version, ("terms", "version"))


def _production_hides_its_database(settings: Settings) -> Iterator[Problem]:
    if settings.private_network or not settings.database.url:
        return
    mode = make_url(settings.database.url).query.get("sslmode")
    for host in _database_hosts(settings):
        yield from postgres_in_the_clear(host, str(mode) if mode else None, ("database", "url"))


def _database_hosts(settings: Settings) -> list[str]:
    """Each host of PostgreSQL that the database's URL names, without its port; a path is that of a socket."""
    url = make_url(settings.database.url) if settings.database.url else None
    if url is None or url.drivername == "sqlite":
        return []
    hosts = (url.host, url.query.get("host"), url.query.get("hostaddr"))
    return [host_and_port(name) for host in hosts if host for entry in ((host,) if isinstance(host, str) else host)
            for name in entry.split(",")]  # fmt: skip


CHECKS: tuple[Callable[[Settings], Iterator[Problem]], ...] = (
    _nothing_crosses_machines_in_the_clear,
    languages_exist,
    _letters_have_a_folder,
)
PRODUCTION: tuple[Callable[[Settings], Iterator[Problem]], ...] = (
    without_insecure_http,
    _production_takes_no_examples,
    _production_has_its_own_secrets,
    _production_hashes_passwords_well,
    without_proxies,
    _production_keeps_its_erasures,
    _production_uses_real_hosts,
    _production_has_its_own_texts,
    _production_hides_its_database,
    unfit_collector,
)
