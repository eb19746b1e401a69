"""What production asks of the machines that only the broker reaches: the store, proxies, a collector of traces."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kit.settings.endpoints import (
    WITHOUT_TLS,
    host_and_port,
    hosts_in_the_clear,
    of_nobody,
    password_in,
    store_in_the_clear,
)
from kit.settings.hosts import host_of
from kit.settings.placeholders import example_secrets
from kit.settings.report import KeyPath, Problem

if TYPE_CHECKING:
    from broker.settings.settings import Settings


def reaches_what_is_there(settings: Settings) -> Iterator[Problem]:
    """No host where nothing can be, and no secret of an example."""
    store, sentinel = settings.store, settings.store.sentinel
    hosts: dict[KeyPath, str | None] = {
        ("tracing", "otlp_endpoint"): host_of(settings.tracing.otlp_endpoint or ""),
        ("store", "url"): host_of(store.url or ""),
    }
    hosts |= {("connections", name, "proxy"): host_of(held.proxy or "") for name, held in settings.connections.items()}
    hosts |= {("store", "nodes", number): host_and_port(node) for number, node in enumerate(store.nodes)}
    sentinels = enumerate(sentinel.hosts if sentinel else ())
    hosts |= {("store", "sentinel", "hosts", number): host_and_port(one) for number, one in sentinels}
    yield from of_nobody(hosts)
    secrets: dict[KeyPath, str | None] = {
        ("store", "url"): password_in(store.url),
        ("store", "password"): store.password,
        ("store", "sentinel", "password"): sentinel.password if sentinel else None,
    }
    yield from example_secrets(secrets)


def store_by_tls(settings: Settings) -> Iterator[Problem]:
    """TLS on the way to the store, unless that is a network of ours."""
    if settings.private_network:
        return
    store = settings.store
    if store.url:
        yield from store_in_the_clear(store.url, ("store", "url"))
    if store.url and store.url.startswith("redis:"):
        yield from hosts_in_the_clear(store.nodes, ("store", "nodes"))
    if store.sentinel and not store.sentinel.tls:
        yield from hosts_in_the_clear(store.sentinel.hosts, ("store", "sentinel", "hosts"))
    if store.sentinel and not store.tls:
        yield Problem(("store", "tls"), "is false: the primary is reached without TLS", mend=WITHOUT_TLS)
