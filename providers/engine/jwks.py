"""A bank's signing keys: verified, cached, refetched by one caller at a time, kept while the bank is down.

Sources: OP Identity Service Broker API §2, §14 (at most a day; again when a `kid` is unknown). A bank may also
put another key under the `kid` it had: so a signature that does not hold under a key of ours may force a fetch too.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection

from joserfc.jwk import RSAKey

from providers.connection import Connection, PinnedJwks, SignedJwks
from providers.engine.compact import Malformed, loads
from providers.engine.entity_statement import NotTrusted, verify_signed_jwks
from providers.engine.http import BankHttp, BankUnreachable, Budget
from providers.engine.public_keys import KeySet, keys_of, usable_keys
from providers.errors import IdentificationError, IntegrityError, Step, Unavailable
from providers.model import Observer

SCHEDULED = 3600
"""Seconds after which the set is fetched again on the next use, long before the allowed day is over."""
LONGEST = 24 * 3600
"""Seconds a set is used at most while the bank's endpoint is down."""
RETRY = 60
"""Seconds to the next try after a scheduled fetch that failed, while a good set is at hand."""
FORCED = 3
"""Fetches that unknown kids and signatures that do not hold may force in a row: a bank in trouble is not flooded."""
REFILL = 60
"""Seconds until one more may be forced."""


class Bucket:
    """How many fetches may still be forced: FORCED at most, one more each REFILL seconds. clock: seconds.

    Not for threads by itself: its one caller holds the lock of the fetch.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.fill()

    def fill(self) -> None:
        """As at the beginning."""
        self._left = float(FORCED)
        self._counted_at = self._clock()

    def take(self) -> bool:
        """Whether one more may be forced now."""
        now = self._clock()
        self._left = min(float(FORCED), self._left + max(0.0, now - self._counted_at) / REFILL)
        self._counted_at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class BankKeys:
    """The signing keys of one connection. clock: seconds since the epoch. factored: see OidcAdapter."""

    def __init__(
        self,
        connection: Connection,
        http: BankHttp,
        observer: Observer,
        clock: Callable[[], float],
        factored: Callable[[int], bool],
    ) -> None:
        self._connection = connection
        self._http = http
        self._observer = observer
        self._clock = clock
        self._factored = factored
        self._fetching = threading.Lock()
        self._keys: KeySet = {}
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        self._forced = Bucket(clock)
        self._started = 0
        """How many fetches were begun: one that was begun after a caller asked is as good as the caller's own."""
        self._ended = 0
        """How many fetches have ended: who waited through the end of one goes by what it brought."""
        self._failure: Callable[[], IdentificationError] | None = None
        """What the last fetch ended in, for those who waited for it."""
        source = connection.jwks
        self._pinned = isinstance(source, PinnedJwks)
        self._kid_required = connection.kid_required
        self._entity_keys: KeySet = usable_keys(source.entity_keys) if isinstance(source, SignedJwks) else {}
        if isinstance(source, PinnedJwks):
            self._keys = usable_keys(source.keys)

    def find(self, kid: str | None, budget: Budget, refused: Collection[RSAKey] = ()) -> tuple[RSAKey, ...]:
        """The keys of a `kid`, at least one; fetched again if it is unknown, or if those there are were refused.

        Without a `kid` the only key that fits. refused: a signature held under none of them.

        The token comes from the bank itself for a code of ours, so that no stranger can make us fetch. A fetch that
        brings nothing else gives the same key again.
        Raises Unavailable at `id_token` if it is not known after one refresh, or no set could ever be fetched;
        IntegrityError if anyone can factor it, or the fetched set does not verify and no earlier one is at hand.
        """
        if not self._pinned:
            self._refresh_if_due(budget)

            def found() -> bool:
                # Each fetch makes its keys anew: the very keys that were refused are of the set that was at hand then.
                keys = keys_of(self._keys, kid)
                return any(all(key is not old for old in refused) and not self._is_weak(key) for key in keys)

            self._refresh_unless(found, budget)
        keys = keys_of(self._keys, kid)
        strong = tuple(key for key in keys if not self._is_weak(key))
        if len(strong) < len(keys):
            self._observer.event("jwks_weak_key", connection=self._connection.id)
        if keys and not strong:
            raise IntegrityError(Step.ID_TOKEN, "anyone can factor the bank's key (ROCA, CVE-2017-15361)", claim="kid")
        if not keys and kid is None:
            raise IntegrityError(Step.ID_TOKEN, "the header names no key, and not exactly one fits", claim="kid")
        if not keys:
            if self._failure is not None:
                self._http.breakers.keys_failed()
            raise Unavailable(Step.ID_TOKEN, "the bank's key is unknown after one refresh", claim="kid")
        return strong

    def _is_weak(self, key: RSAKey) -> bool:
        return self._factored(key.public_key.public_numbers().n)

    def _refresh_if_due(self, budget: Budget) -> None:
        now, fetched_at, ended = self._clock(), self._fetched_at, self._ended
        if fetched_at is not None and 0 <= now - fetched_at < SCHEDULED:  # a clock that was ahead is set back
            return
        at_hand = fetched_at is not None and now - fetched_at < LONGEST
        if at_hand:
            # One caller goes, and not again at once after a failure; the others need not wait for it.
            tried_lately = self._tried_at is not None and 0 <= now - self._tried_at < RETRY
            if tried_lately or not self._fetching.acquire(blocking=False):
                return
        elif not self._fetching.acquire(timeout=budget.left):
            raise Unavailable(Step.ID_TOKEN, "the bank's keys are still being fetched")
        try:
            if self._ended == ended:
                self._fetch(budget, keep=at_hand)
            elif self._failure is not None and not at_hand:
                raise self._failure()
        finally:
            self._fetching.release()

    def _refresh_unless(self, found: Callable[[], bool], budget: Budget) -> None:
        """Force a fetch, unless what is looked for is there, or comes by another caller's fetch."""
        started = self._started
        if found() or not self._fetching.acquire(timeout=budget.left):
            return
        try:
            if not found() and self._started == started and self._forced.take():
                self._fetch(budget, keep=True)
        finally:
            self._fetching.release()

    def _fetch(self, budget: Budget, *, keep: bool) -> None:
        """Fetch and verify. keep: a good set is at hand, so a failure is counted and not raised."""
        self._tried_at = self._clock()
        self._started += 1
        self._failure = None
        try:
            keys = self._verified(budget)
        except (BankUnreachable, NotTrusted, Malformed) as error:
            self._observer.event("jwks_stale" if keep else "jwks_failed", connection=self._connection.id)
            self._failure = _unreachable if isinstance(error, BankUnreachable) else _not_trusted
            if keep:
                return
            self._keys = {}
            self._http.breakers.keys_failed()
            raise self._failure() from error
        else:
            self._observer.event("jwks_fetched", connection=self._connection.id)
            self._http.breakers.keys_came()
            self._keys, self._fetched_at = keys, self._clock()
        finally:
            self._ended += 1

    def _verified(self, budget: Budget) -> KeySet:
        source = self._connection.jwks
        if isinstance(source, PinnedJwks):
            return self._keys
        answer = self._http.get(source.uri, budget)
        if answer.status != 200:
            raise BankUnreachable("the key set was not answered with 200")
        if isinstance(source, SignedJwks):
            text = answer.body.decode("utf-8-sig", errors="replace")
            now = int(self._clock())
            return verify_signed_jwks(text, source.entity_id, self._entity_keys, now, kid_required=self._kid_required)
        keys = usable_keys(loads(answer.body, "jwks").get("keys"), kid_required=self._kid_required)
        if not keys:
            raise NotTrusted("it holds no usable key", "keys")
        return keys


def _unreachable() -> Unavailable:
    return Unavailable(Step.ID_TOKEN, "the bank's keys cannot be fetched")


def _not_trusted() -> IntegrityError:
    return IntegrityError(Step.ID_TOKEN, "the bank's key set does not verify", claim="jwks")
