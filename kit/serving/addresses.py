"""The client's address, as the proxies in front hand it on; `request.remote_addr` holds it.

X-Forwarded-For grows to the right: each proxy adds the address that it was reached from. With N proxies of ours in
front the N-th entry from the right is the one that a proxy of ours has seen; what stands left of it is the client's
own claim, and never looked at. `Forwarded` (RFC 7239) is not read: a proxy that knows only the other header hands a
client's `Forwarded` on as it came, and two headers that may differ are one too many.

What cannot be read must not count as one address, or a few strangers use up everybody's limit:

    it says something (`client-4711`)    `unreadable-<digest>`, so that each value counts by itself
    it says nothing (`unknown`, none)    no address: what is counted by address does not count, other limits hold

An attacker gains nothing by it: whoever can choose the N-th entry from the right could also write there one IPv6
address after another. It is in the log once for each reason, with the mend and without the address.
"""

from __future__ import annotations

import hashlib
import ipaddress
import logging
import re
import threading
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask

from kit.serving.networks import UNREADABLE, parse

log = logging.getLogger("tunnus.proxies")

MISSING = "there is no X-Forwarded-For: let the proxy add to it, or mend server.trusted_proxies"
FEWER = "X-Forwarded-For has fewer addresses than server.trusted_proxies: lower that, or let each proxy add its own"
NO_ADDRESS = "X-Forwarded-For holds no address: let the proxy in front write the client's"
ANOTHER_PROXY = "the client's address is private, with a public one before it: is server.trusted_proxies too low?"

PROBES = frozenset({"/livez", "/readyz"})
"""Paths that an orchestrator asks past the proxies; nobody counts them."""
_SAYS_NOTHING = re.compile(r"(?:|-|unknown|none|null|localhost|\(null\))(?::[0-9]{0,5})?|unix(?::.*)?")
"""The same for everybody, with a port or a socket's path too."""
_PORT = re.compile(r"(?P<address>.+):[0-9]{0,5}")
_BRACKETED = re.compile(r"\[(?P<address>[^\[\]]+)\](?::[0-9]{0,5})?")
_MOST = 100
"""Characters of an entry that can be an address, with zone and port."""


def read_address(entry: str) -> str | None:
    """An address in a form that proxies write it in, canonical; None if it is none.

    `192.0.2.7`, `192.0.2.7:4711`, `2001:db8::7`, `[2001:db8::7]:4711`, with a zone, in quotes, among spaces. An
    IPv4 address within IPv6 is that IPv4 address. Source: RFC 7239 §6 for brackets, quotes and ports.
    """
    text = entry.strip(" \t\"'")
    if len(text) > _MOST:
        return None
    if bracketed := _BRACKETED.fullmatch(text):
        return _canonical(bracketed["address"])
    found = _canonical(text)
    if found is None and (with_port := _PORT.fullmatch(text)):
        found = _canonical(with_port["address"])
    return found


def _canonical(text: str) -> str | None:
    parsed = parse(text)
    return None if parsed is None or parsed.is_unspecified else str(parsed)


def client_address(forwarded: str | None, peer: str | None, trusted_proxies: int) -> tuple[str | None, str | None]:
    """The client's address, or what stands for it, or None; and what is wrong with it, for the log.

    forwarded: X-Forwarded-For, several headers joined by commas. peer: whom the connection is from.
    """
    if trusted_proxies == 0:
        return read_address(peer or ""), None
    if forwarded is None:
        return None, MISSING
    entries = forwarded.rsplit(",", trusted_proxies)[-trusted_proxies:]
    address = read_address(entries[0])
    if forwarded.count(",") < trusted_proxies - 1:
        return _stand_in(address or entries[0]), FEWER
    if address is None:
        return _stand_in(entries[0]), NO_ADDRESS
    return address, ANOTHER_PROXY if _is_a_proxy(address, forwarded, trusted_proxies) else None


def _stand_in(entry: str) -> str | None:
    text = entry.strip(" \t\"'").lower()
    if _SAYS_NOTHING.fullmatch(text) or not (set(text) - set("0:.[]")):
        return None
    return UNREADABLE + hashlib.sha256(text.encode()).hexdigest()[:32]


def _is_a_proxy(address: str, forwarded: str, trusted_proxies: int) -> bool:
    """Whether an address seems to be another proxy's: it is private, and to its left stands a public one."""
    if not ipaddress.ip_address(address).is_private or forwarded.count(",") < trusted_proxies:
        return False
    left = read_address(forwarded.rsplit(",", trusted_proxies + 1)[-trusted_proxies - 1])
    return left is not None and ipaddress.ip_address(left).is_global


def _form(forwarded: str | None) -> str:
    """What the end of a header looks like, without what it says: `00.0.000.0, xxxxxxx`."""
    text = (forwarded or "").strip()[-60:]
    return re.sub(r"[^\W\d_]", "x", re.sub(r"\d", "0", text))


class ClientAddress:
    """WSGI middleware: REMOTE_ADDR becomes the client's address; it is taken away where there is none."""

    def __init__(self, app: Callable[..., Iterable[bytes]], trusted_proxies: int) -> None:
        self._app = app
        self._trusted_proxies = trusted_proxies
        self._logged: set[str] = set()
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """See the class."""
        if environ.get("PATH_INFO") not in PROBES:
            forwarded, peer = environ.get("HTTP_X_FORWARDED_FOR"), environ.get("REMOTE_ADDR")
            address, wrong = client_address(forwarded, peer, self._trusted_proxies)
            if wrong is not None:
                self._log_once(wrong, forwarded)
            environ.pop("REMOTE_ADDR", None)
            if address is not None:
                environ["REMOTE_ADDR"] = address
        return self._app(environ, start_response)

    def _log_once(self, wrong: str, forwarded: str | None) -> None:
        with self._lock:
            if wrong in self._logged:
                return
            self._logged.add(wrong)
        form = _form(forwarded)
        log.error("client_address", extra={"reason": f"{wrong} (it looks like {form})" if form else wrong})


def use_client_address(app: Flask, trusted_proxies: int) -> None:
    """Let `request.remote_addr` be the client's address, in every request of an app."""
    app.wsgi_app = ClientAddress(app.wsgi_app, trusted_proxies)  # type: ignore[method-assign]
