"""How many identifications may begin from one address and in all, and how often the waiting page may look.

Counted in windows of time under keyed digests of addresses, none of which lives longer than its window. A person who
has acted is under way: no limit ends what goes on, and the first attempts of a transaction are not counted here.

    open_per_address     begun and not acted on: given back at the first act, so that honest people use none of it up
    starts_per_address   begun
    starts_in_all        begun, whoever it was
    repeats_…            attempts of a transaction beyond its first ones: of a browser, of an address, in all
    looks_per_address    looks of the waiting page, in a minute
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from broker.settings.models import LimitSettings
from broker.store import Key, Store
from kit import logs
from kit.serving.networks import networks_of

WINDOW = 600
LOOKS_WINDOW = 60
"""Seconds."""
OF_A_SITE = 4
"""So many times as much may come from an IPv6 /48 as from an IPv4 address or a /64."""
_SLOT = "limits"
"""One slot for all of them: one MULTI counts what belongs together, and what counts all is in one place anyway."""
_DIGEST_LENGTH = 16
_OPEN = "open_per_address"


@dataclass(frozen=True, slots=True)
class Reached:
    """A limit that is reached. limit: its setting. seconds: until it begins anew."""

    limit: str
    seconds: int


@dataclass(frozen=True, slots=True)
class _Counter:
    limit: str
    secret: str = field(repr=False)
    most: int

    @property
    def key(self) -> Key:
        return _key(self.secret)


class Limits:
    """Counts in the store. keyed_digest: of what could be guessed."""

    def __init__(
        self,
        settings: LimitSettings,
        store: Store,
        keyed_digest: Callable[[bytes], bytes],
    ) -> None:
        self._settings = settings
        self._store = store
        self._keyed_digest = keyed_digest
        self._seen: dict[str, tuple[int, int]] = {}

    @property
    def in_all(self) -> dict[str, int]:
        """The limits on all together, and how much each allows."""
        settings = self._settings.model_dump()
        return {name: most for name, most in settings.items() if name.endswith("_in_all")}

    def used(self, limit: str, clock: Callable[[], float]) -> int:
        """How much of a limit on all together is used in this window, as this process last saw it.

        clock: seconds since the epoch.
        """
        window, count = self._seen.get(limit, (0, 0))
        return count if window == clock() // WINDOW else 0

    def start(self, address: str | None, now: int) -> tuple[str, ...] | Reached:
        """Count an authorization request; what is to be given back at its first act, or the limit that is reached.

        address: of the browser; None, or what is no address, counts in all only. now: seconds since the epoch.
        """
        window = now // WINDOW
        counters = [
            *self._of_address(_OPEN, self._settings.open_per_address, address, window),
            *self._of_address("starts_per_address", self._settings.starts_per_address, address, window),
            _Counter("starts_in_all", f"starts_in_all.{window}.", self._settings.starts_in_all),
        ]
        reached = self._count(counters, WINDOW - now % WINDOW)
        return reached or tuple(counter.secret for counter in counters if counter.limit == _OPEN)

    def repeat(self, address: str | None, browser: str, now: int) -> Reached | None:
        """Count an attempt of a transaction that has had its first ones; the limit, if it is reached.

        address: as for `start`. browser: the fingerprint of its secret.
        """
        window = now // WINDOW
        of_browser = f"repeats_per_browser.{window}.{self._digest(browser)}"
        counters = [
            _Counter("repeats_per_browser", of_browser, self._settings.repeats_per_browser),
            *self._of_address("repeats_per_address", self._settings.repeats_per_address, address, window),
            _Counter("repeats_in_all", f"repeats_in_all.{window}.", self._settings.repeats_in_all),
        ]
        return self._count(counters, WINDOW - now % WINDOW)

    def give_back(self, counted: Sequence[str], now: int) -> None:
        """Somebody has acted on what was counted, or it has ended."""
        running = [_key(secret) for secret in counted if secret.split(".")[1] == str(now // WINDOW)]
        if running:
            self._store.count(*running, ttl=WINDOW - now % WINDOW, by=-1)

    def look(self, address: str | None, now: int) -> Reached | None:
        """Count a look of the waiting page; the limit, if it is reached."""
        most = self._settings.looks_per_address
        counters = list(self._of_address("looks_per_address", most, address, now // LOOKS_WINDOW))
        return self._count(counters, LOOKS_WINDOW - now % LOOKS_WINDOW)

    def _of_address(self, limit: str, most: int, address: str | None, window: int) -> Iterator[_Counter]:
        for number, network in enumerate(networks_of(address or "")):
            yield _Counter(limit, f"{limit}.{window}.{self._digest(network)}", most * OF_A_SITE if number else most)

    def _digest(self, value: str) -> str:
        return base64.urlsafe_b64encode(self._keyed_digest(value.encode())).decode()[:_DIGEST_LENGTH]

    def _count(self, counters: Sequence[_Counter], seconds: int) -> Reached | None:
        """Count under each; if that is too many for one of them, take it back. seconds: left of the window."""
        if not counters:
            return None
        keys = [counter.key for counter in counters]
        counts = self._store.count(*keys, ttl=seconds)
        for counter, count in zip(counters, counts, strict=True):
            if counter.limit.endswith("_in_all"):
                self._seen[counter.limit] = (int(counter.secret.split(".")[1]), min(count, counter.most))
        over = [counter for counter, count in zip(counters, counts, strict=True) if count > counter.most]
        if not over:
            return None
        self._store.count(*keys, ttl=seconds, by=-1)
        limit = over[0].limit
        logs.add(code="too_many", step="request", limit=limit)
        return Reached(limit, seconds)


def _key(secret: str) -> Key:
    return Key("limit", _SLOT, secret)
