"""The clients as a process knows them: looked up by a read of a dict, changed where they stand in files that change."""

from __future__ import annotations

import threading
from collections.abc import Callable

from broker.oidc.clients import Client
from broker.oidc.fetched_keys import Count, FetchedKeys, fetch_of
from broker.settings import Settings
from broker.settings.models import ClientSettings
from kit.keys.sets import KeysOfFile, WatchedKeySets


class NeedsRestart(ValueError):
    """A change that is not made while the broker runs; the message says which, in constant words."""


class RegisteredClients:
    """Every client, once in each dict. sections: its settings. clients: as Authlib wants to see it.

    fetched: the keys of those that publish them. clock: seconds since the epoch. count_fetch: counts their fetches.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float], count_fetch: Count) -> None:
        self.sections: dict[str, ClientSettings] = {}
        self.clients: dict[str, Client] = {}
        self.fetched: dict[str, FetchedKeys] = {}
        self._reachable = settings.addresses_of_clients
        self._developer_uri = settings.developer_uri
        self._clock = clock
        self._count_fetch = count_fetch
        self._lock = threading.Lock()
        for name, section in settings.clients.items():
            self._put(name, section)
        self._watch_key_files()

    def look_at_key_files(self) -> None:
        """Take the keys of those files of keys that have changed, at most every half minute."""
        self._key_files.look_again()

    def has(self, name: str, section: ClientSettings) -> bool:
        """Whether a client is as this section says, its keys from the same file."""
        held = self.sections.get(name)
        return held == section and getattr(held.jwks, "path", None) == getattr(section.jwks, "path", None)

    def take(self, name: str, section: ClientSettings) -> None:
        """Take a new client, or a changed one from now on. Raises NeedsRestart, and then it is as it was."""
        with self._lock:
            self._put(name, section)
            self._watch_key_files()

    def _take_keys(self, name: str, keys: KeysOfFile) -> None:
        with self._lock:
            self._put(name, ClientSettings.model_validate({**self.sections[name].model_dump(), "jwks": keys}))

    def _put(self, name: str, section: ClientSettings) -> None:
        before = self.sections.get(name)
        if before is not None:
            _refuse_while_running(before, section)
        if section.jwks_uri is None:
            self.fetched.pop(name, None)
        elif before is None or _publication(before) != _publication(section):
            fetch = fetch_of(section, self._reachable)
            self.fetched[name] = FetchedKeys(name, fetch, self._clock, self._count_fetch)
        # The section first: whoever finds a client finds its section.
        self.sections[name] = section
        self.clients[name] = Client.of(name, section, self._developer_uri)

    def _watch_key_files(self) -> None:
        sets = {name: section.jwks for name, section in self.sections.items()}
        self._key_files = WatchedKeySets(sets, self._take_keys, self._clock)


def _publication(section: ClientSettings) -> tuple[object, ...]:
    """What is fetched where, and for what."""
    return section.jwks_uri, section.jwks_ca_bundle, section.signing_algorithms


def _refuse_while_running(before: ClientSettings, after: ClientSettings) -> None:
    """What would be noticed by people, or by nobody, must not happen by a file that somebody saves."""
    if after.sector != before.sector:
        raise NeedsRestart("its sector is another, which makes every person another sub")
    if before.encryption_key is not None and after.encryption_key != before.encryption_key:
        raise NeedsRestart("the key that its identity tokens are encrypted to is another")
