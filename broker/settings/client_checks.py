"""What must hold of the clients of a configuration, and where their addresses lead."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kit.settings.hosts import PRIVATE_KINDS, host_of, is_address, kind_of
from kit.settings.report import KeyPath, Problem, shown

if TYPE_CHECKING:
    from broker.settings.settings import Settings


def client_urls(settings: Settings) -> dict[KeyPath, str]:
    """The URLs of clients: where people are sent back to, and where their keys are published."""
    found: dict[KeyPath, str | None] = {}
    for name, client in settings.clients.items():
        found["clients", name, "home_uri"] = client.home_uri
        found["clients", name, "jwks_uri"] = client.jwks_uri
        found |= {("clients", name, "redirect_uris", number): uri for number, uri in enumerate(client.redirect_uris)}
    return {key: url for key, url in found.items() if url}


def keys_are_within_reach(settings: Settings) -> Iterator[Problem]:
    """The addresses of keys that would never be fetched; what a name leads to is looked at whenever they are."""
    if settings.environment == "production":  # which refuses all that is not public, or in our private network
        return
    for name, client in settings.clients.items():
        host = host_of(client.jwks_uri or "")
        kind = kind_of(host)
        if not is_address(host) or kind in settings.addresses_of_clients:
            continue
        key = ("clients", name, "jwks_uri")
        ours = kind in PRIVATE_KINDS | {"this machine"}
        mend = "say private_network = true if it is in a network of yours" if ours else "use its public address"
        yield Problem(key, f"is an address that is not connected to ({kind})", shown(key, client.jwks_uri), mend=mend)
