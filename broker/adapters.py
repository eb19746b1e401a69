"""One adapter for each connection of the configuration, and how much of the process a bank may hold."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from broker.settings import Settings
from kit.keys.roca import has_roca_fingerprint
from providers.engine.adapter import OidcAdapter
from providers.engine.http import BankHttp, places
from providers.model import Adapter, Keys, Observer


def places_of(settings: Settings) -> int:
    """How many threads may be in calls to one bank."""
    return places(settings.server.threads, len(settings.connections))


def create_adapters(
    settings: Settings,
    keys: Keys,
    observer: Observer,
    clock: Callable[[], float],
    traced: Callable[[str], AbstractContextManager[None]] | None = None,
) -> dict[str, Adapter]:
    """One adapter for each connection of the config, each with HTTP, breaker and keys of its own.

    traced: put around each call to a bank.
    """
    adapters: dict[str, Adapter] = {}
    for name in settings.connections:
        connection = settings.connection_of(name)
        http = BankHttp(connection, places_of(settings), observer, traced=traced)
        served = settings.providers_of(name)
        adapters[name] = OidcAdapter(connection, served, keys, http, observer, clock, has_roca_fingerprint)
    return adapters
