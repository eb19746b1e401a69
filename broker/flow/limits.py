"""How many identifications may begin from one address and in all, and how often the waiting page may look.

Counted in windows of time under keyed digests of addresses, none of which lives longer than its window. A person who
has acted is under way: no limit ends what goes on, and the first attempts of a transaction are not counted here.

    open_per_address     begun and not acted on: given back at the first act, so that honest people use none of it up;
                         where a request is its own first act, by a hint, there must be room and none is taken
    starts_per_address   begun
    starts_in_all        begun, whoever it was
    repeats_…            attempts of a transaction beyond its first ones: of a browser, of an address, in all
    looks_per_address    looks of the waiting page, in a minute
"""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from broker.flow.attempts import Trip
from broker.settings.models import LimitSettings
from broker.store import Key, Step, Store, steps
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
_MOST_REACHED = 1000


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
    by: int = 1

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
        self._reached: dict[str, None] = {}
        self._lock = threading.Lock()

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

    def start(
        self, address: str | None, now: int, begin: Callable[[tuple[str, ...]], Trip], *, acted: bool
    ) -> Trip | Reached:
        """Count an authorization request and store what begins by it, in one go; or the limit that is reached.

        address: of the browser; None, or what is no address, counts in all only. now: seconds since the epoch.
        begin: makes what begins, of what is to be given back at its first act. Where this process has seen a limit
        reached, that is looked at first: what is refused again and again costs no signature. acted: the request is
        its own first act.
        """
        window, seconds = now // WINDOW, WINDOW - now % WINDOW
        digests = self._digests(address)
        room, by = (1, 0) if acted else (0, 1)
        opened = [*_of_address(_OPEN, self._settings.open_per_address, digests, window, room=room, by=by)]
        counters = [
            *opened,
            *_of_address("starts_per_address", self._settings.starts_per_address, digests, window),
            _Counter("starts_in_all", f"starts_in_all.{window}.", self._settings.starts_in_all),
        ]
        counted = () if acted else tuple(counter.secret for counter in opened)
        doubtful = any(counter.secret in self._reached for counter in counters)
        if doubtful and (reached := self._count(counters, seconds)):
            return reached
        trip = begin(counted)
        if doubtful:
            self._store.run(*trip.act)
            return trip
        return self._count(counters, seconds, trip.act) or trip

    def repeat(self, address: str | None, browser: str, now: int) -> Reached | None:
        """Count an attempt of a transaction that has had its first ones; the limit, if it is reached.

        address: as for `start`. browser: the fingerprint of its secret.
        """
        window, digests = now // WINDOW, self._digests(address)
        of_browser = f"repeats_per_browser.{window}.{self._digest(browser)}"
        counters = [
            _Counter("repeats_per_browser", of_browser, self._settings.repeats_per_browser),
            *_of_address("repeats_per_address", self._settings.repeats_per_address, digests, window),
            _Counter("repeats_in_all", f"repeats_in_all.{window}.", self._settings.repeats_in_all),
        ]
        return self._count(counters, WINDOW - now % WINDOW)

    def give_back(self, counted: Sequence[str], now: int) -> list[Step]:
        """What is to be done once somebody has acted on what was counted, or it has ended."""
        running = [_key(secret) for secret in counted if secret.split(".")[1] == str(now // WINDOW)]
        return [steps.count(key, ttl=WINDOW - now % WINDOW, by=-1) for key in running]

    def look(self, address: str | None, now: int) -> Reached | None:
        """Count a look of the waiting page; the limit, if it is reached."""
        most = self._settings.looks_per_address
        counters = list(_of_address("looks_per_address", most, self._digests(address), now // LOOKS_WINDOW))
        return self._count(counters, LOOKS_WINDOW - now % LOOKS_WINDOW)

    def _digests(self, address: str | None) -> list[str]:
        """What an address is counted under, narrowest first."""
        return [self._digest(network) for network in networks_of(address)]

    def _digest(self, value: str) -> str:
        return base64.urlsafe_b64encode(self._keyed_digest(value.encode())).decode()[:_DIGEST_LENGTH]

    def _count(self, counters: Sequence[_Counter], seconds: int, then: Sequence[Step] = ()) -> Reached | None:
        """Count under each, unless that is too many for one of them. seconds: left of the window. then: what to do."""
        if not counters:
            return None
        counting = [steps.count(one.key, ttl=seconds, by=one.by, most=one.most) for one in counters]
        counts = self._store.run(*counting, *then)[: len(counters)]
        over = counters[len(counts) - 1] if counting[len(counts) - 1].ends(counts[-1]) else None
        for counter, count in zip(counters, counts, strict=False):
            if counter.limit.endswith("_in_all"):
                self._seen[counter.limit] = (int(counter.secret.split(".")[1]), min(count, counter.most))
        if over is None:
            return None
        self._remember(over.secret)
        logs.add(code="too_many", step="request", limit=over.limit)
        return Reached(over.limit, seconds)

    def _remember(self, secret: str) -> None:
        """Note a counter that was full, until many others have been."""
        with self._lock:
            self._reached[secret] = None
            while len(self._reached) > _MOST_REACHED:
                del self._reached[next(iter(self._reached))]


def _of_address(
    limit: str, most: int, digests: Sequence[str], window: int, *, room: int = 0, by: int = 1
) -> Iterator[_Counter]:
    """The counters of an address. room: how much of the limit must be left."""
    for number, digest in enumerate(digests):
        allowed = (most * OF_A_SITE if number else most) - room
        yield _Counter(limit, f"{limit}.{window}.{digest}", allowed, by)


def _key(secret: str) -> Key:
    return Key("limit", _SLOT, secret)
