"""Where URLs, the store and the database may be, and by what they may be reached: rules of both services.

Production's pages and endpoints are on the internet, by https. What only a service itself calls may be on its own
machine, and on a private network where `private_network = true` says that there is one: there a connection without
TLS is the operator's choice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import parse_qs, unquote, urlsplit

from kit.settings.hosts import PRIVATE_KINDS, Kind, host_of, is_this_machine, kind_of
from kit.settings.placeholders import FILL_IN
from kit.settings.report import KeyPath, Problem, shown

Urls = Mapping[KeyPath, str | None]
"""By key; None where there is none."""
_PUBLIC = "use a public https URL"
NOT_PUBLIC: Mapping[Kind, tuple[str, str]] = {
    "placeholder": ("is still a placeholder", FILL_IN),
    "sandbox": ("is a sandbox, and environment is production", "use the URL of the contract"),
    "this machine": ("is this machine, and environment is production", _PUBLIC),
    "private": ("is in a private network, and environment is production", _PUBLIC),
    "one label": ("is a name of one label, and environment is production", f"{_PUBLIC}, with the host's full name"),
    "link-local": ("is a link-local address, and environment is production", _PUBLIC),
    "unspecified": ("is the address of no machine, and environment is production", _PUBLIC),
    "multicast": ("is a multicast address, and environment is production", _PUBLIC),
    "reserved": ("is a reserved address, and environment is production", _PUBLIC),
    "no host": ("has a host that is neither a name nor an address", "mend the host"),
}
WITHOUT_TLS = "use TLS, or say private_network = true where nobody else can listen"
_TLS_MODES = frozenset({"require", "verify-ca", "verify-full"})


def _given(urls: Urls) -> list[tuple[KeyPath, str]]:
    return [(key, url) for key, url in urls.items() if url]


def in_production(urls: Urls, *, private: bool = False, here: bool = False) -> Iterator[Problem]:
    """The URLs that production cannot have. private: our private network is allowed. here: our machine is."""
    for key, url in _given(urls):
        kind = kind_of(host_of(url))
        if (private and kind in PRIVATE_KINDS) or (here and kind == "this machine"):
            continue
        if kind != "public":
            wrong, mend = NOT_PUBLIC[kind]
            if here and kind in PRIVATE_KINDS:
                mend = f"{mend}, or say private_network = true if it is in a private network of yours"
            yield Problem(key, wrong, shown(key, url), mend=mend)
        elif url.startswith("http:"):
            yield Problem(key, "is plain http, and environment is production", shown(key, url), mend="use https")


def host_and_port(text: str) -> str:
    """The host of `host:port`, or of a host alone; an IPv6 address may stand without brackets where no port follows."""
    return text if text.count(":") > 1 and "[" not in text else host_of(f"//{text}") or text


def password_in(url: str | None) -> str | None:
    """The password within a URL; None if there is none."""
    try:
        return unquote(urlsplit(url or "").password or "") or None
    except ValueError:
        return None


def of_nobody(hosts: Urls) -> Iterator[Problem]:
    """The hosts, by key, of what production itself reaches where nothing can be; none, or a path, is no host.

    It may be on the internet, on this machine and, under whatever name, on a network of ours.
    """
    for key, host in _given(hosts):
        kind = kind_of(host)
        if not host.startswith("/") and kind not in {"public", "this machine", *PRIVATE_KINDS}:
            wrong, mend = NOT_PUBLIC[kind]
            mend = "name the machine that it is on" if mend == _PUBLIC else mend
            yield Problem(key, wrong, shown(key, host), mend=mend)


def plain_http(urls: Urls, *, private: bool = False) -> Iterator[Problem]:
    """The URLs that are plain http to another machine. private: our private network is allowed."""
    for key, url in _given(urls):
        kind = kind_of(host_of(url))
        if url.startswith("http:") and kind != "this machine" and not (private and kind in PRIVATE_KINDS):
            mend = "use https (http on this machine only; insecure_http = true only in a demo's containers)"
            yield Problem(key, "is plain http to another machine", shown(key, url), mend=mend)


def store_in_the_clear(url: str, key: KeyPath) -> Iterator[Problem]:
    """A store that is reached without TLS, or by a TLS that does not look whom it talks to."""
    parts = urlsplit(url)
    if parts.scheme == "redis" and not is_this_machine(parts.hostname or "localhost"):
        yield Problem(key, "is redis:// (no TLS) to another host", shown(key, url), "rediss://, unix://", WITHOUT_TLS)
    options = {name: values[-1].lower() for name, values in parse_qs(parts.query).items()}
    if options.get("ssl_cert_reqs", "required") not in {"required", "cert_required"} or options.get(
        "ssl_check_hostname", "true"
    ) in {"false", "f", "no", "n", "0"}:
        wrong = "does not look at the store's certificate"
        yield Problem(key, wrong, shown(key, url), mend="remove ssl_cert_reqs and ssl_check_hostname from it")


def hosts_in_the_clear(hosts: tuple[str, ...], key: KeyPath) -> Iterator[Problem]:
    """Hosts (`name:port`) that are reached without TLS."""
    for number, host in enumerate(hosts):
        if not is_this_machine(host.rpartition(":")[0]):
            yield Problem((*key, number), "is reached without TLS", shown((), host), mend=WITHOUT_TLS)


def postgres_in_the_clear(host: str | None, sslmode: str | None, key: KeyPath) -> Iterator[Problem]:
    """A PostgreSQL that is reached without TLS. host: None or a path for a socket of this machine."""
    if host and not host.startswith("/") and not is_this_machine(host) and sslmode not in _TLS_MODES:
        wrong = "reaches PostgreSQL on another host without TLS"
        allowed = "?sslmode=verify-full (or verify-ca, require)"
        yield Problem(key, wrong, "(hidden)", allowed, f"add ?sslmode=verify-full to it: {WITHOUT_TLS}")
