"""A bank's signing keys: verified, cached, refetched by one caller at a time, kept while the bank is down.

Sources: OP Identity Service Broker API §2, §14 (at most a day; again when a `kid` is unknown).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from joserfc.jwk import RSAKey

from providers.connection import Connection, PinnedJwks, SignedJwks
from providers.engine.compact import Malformed, loads
from providers.engine.entity_statement import NotTrusted, usable_keys, verify_signed_jwks
from providers.engine.http import BankHttp, BankUnreachable, Budget
from providers.errors import IdentificationError, IntegrityError, Step, Unavailable
from providers.model import Observer

SCHEDULED = 3600
"""Seconds after which the set is fetched again on the next use, long before the allowed day is over."""
LONGEST = 24 * 3600
"""Seconds a set is used at most while the bank's endpoint is down."""
FLOOR = 60
"""Seconds between two fetches that an unknown `kid` forces: an attacker chooses the kid."""


class BankKeys:
    """The signing keys of one connection. clock: seconds since the epoch."""

    def __init__(self, connection: Connection, http: BankHttp, observer: Observer, clock: Callable[[], float]) -> None:
        self._connection = connection
        self._http = http
        self._observer = observer
        self._clock = clock
        self._fetching = threading.Lock()
        self._keys: Mapping[str, RSAKey] = {}
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        self._forced_at: float | None = None
        self._ended = 0
        """How many fetches have ended: who waited through the end of one goes by what it brought."""
        self._failure: Callable[[], IdentificationError] | None = None
        """What the last fetch ended in, for those who waited for it."""
        source = connection.jwks
        self._pinned = isinstance(source, PinnedJwks)
        self._entity_keys = usable_keys(source.entity_keys) if isinstance(source, SignedJwks) else {}
        if isinstance(source, PinnedJwks):
            self._keys = usable_keys(source.keys)

    def find(self, kid: str, budget: Budget) -> RSAKey:
        """The key of a `kid`.

        Raises Unavailable at `id_token` if it is not known after one refresh, or no set could ever be fetched;
        IntegrityError if the fetched set does not verify and no earlier one is at hand.
        """
        if not self._pinned:
            self._refresh_if_due(budget)
            if kid not in self._keys:
                self._refresh_for_unknown(kid, budget)
        key = self._keys.get(kid)
        if key is None:
            raise Unavailable(Step.ID_TOKEN, "the bank's key is unknown after one refresh", claim="kid")
        return key

    def _refresh_if_due(self, budget: Budget) -> None:
        now, fetched_at, ended = self._clock(), self._fetched_at, self._ended
        if fetched_at is not None and now - fetched_at < SCHEDULED:
            return
        at_hand = fetched_at is not None and now - fetched_at < LONGEST
        if at_hand:
            # One caller goes, and not again at once after a failure; the others need not wait for it.
            tried_lately = self._tried_at is not None and now - self._tried_at < FLOOR
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

    def _refresh_for_unknown(self, kid: str, budget: Budget) -> None:
        if not self._fetching.acquire(timeout=budget.left):
            return
        try:
            lately = self._forced_at is not None and self._clock() - self._forced_at < FLOOR
            if kid not in self._keys and not lately:
                self._forced_at = self._clock()
                self._fetch(budget, keep=True)
        finally:
            self._fetching.release()

    def _fetch(self, budget: Budget, *, keep: bool) -> None:
        """Fetch and verify. keep: a good set is at hand, so a failure is counted and not raised."""
        self._tried_at = self._clock()
        self._failure = None
        try:
            keys = self._verified(budget)
        except (BankUnreachable, NotTrusted, Malformed) as error:
            self._observer.event("jwks_stale" if keep else "jwks_failed", connection=self._connection.id)
            self._failure = _unreachable if isinstance(error, BankUnreachable) else _not_trusted
            if keep:
                return
            self._keys = {}
            raise self._failure() from error
        else:
            self._observer.event("jwks_fetched", connection=self._connection.id)
            self._keys, self._fetched_at = keys, self._clock()
        finally:
            self._ended += 1

    def _verified(self, budget: Budget) -> Mapping[str, RSAKey]:
        source = self._connection.jwks
        if isinstance(source, PinnedJwks):
            return self._keys
        answer = self._http.get(source.uri, budget)
        if answer.status != 200:
            raise BankUnreachable("the key set was not answered with 200")
        if isinstance(source, SignedJwks):
            text = answer.body.decode("ascii", errors="replace")
            return verify_signed_jwks(text, source.entity_id, self._entity_keys, int(self._clock()))
        keys = usable_keys(loads(answer.body, "jwks").get("keys"))
        if not keys:
            raise NotTrusted("it holds no usable key", "keys")
        return keys


def _unreachable() -> Unavailable:
    return Unavailable(Step.ID_TOKEN, "the bank's keys cannot be fetched")


def _not_trusted() -> IntegrityError:
    return IntegrityError(Step.ID_TOKEN, "the bank's key set does not verify", claim="jwks")
