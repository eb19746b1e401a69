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
from providers.errors import IntegrityError, Step, Unavailable
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
        source = connection.jwks
        self._pinned = isinstance(source, PinnedJwks)
        self._entity_keys = usable_keys(source.entity_keys) if isinstance(source, SignedJwks) else {}
        if isinstance(source, PinnedJwks):
            self._keys = usable_keys(source.keys)

    def find(self, kid: str, budget: Budget) -> RSAKey:
        """The key of a `kid`.

        Raises Unavailable at `id_token` if it is not known after one refresh, or no set could ever be fetched;
        IntegrityError if the fetched set does not verify and no earlier one holds the key.
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
        age = None if self._fetched_at is None else self._clock() - self._fetched_at
        if age is not None and age < SCHEDULED:
            return
        tried = None if self._tried_at is None else self._clock() - self._tried_at
        if age is not None and tried is not None and tried < FLOOR and age < LONGEST:
            return
        seen = self._fetched_at
        # While a good set is at hand, only one caller goes; the others need not wait for it.
        if not self._fetching.acquire(blocking=age is None or age >= LONGEST):
            return
        try:
            if self._fetched_at == seen:
                self._fetch(budget, keep=age is not None and age < LONGEST)
        finally:
            self._fetching.release()

    def _refresh_for_unknown(self, kid: str, budget: Budget) -> None:
        with self._fetching:
            if kid in self._keys:
                return
            if self._forced_at is not None and self._clock() - self._forced_at < FLOOR:
                return
            self._forced_at = self._clock()
            self._fetch(budget, keep=True)

    def _fetch(self, budget: Budget, *, keep: bool) -> None:
        """Fetch and verify. keep: a good set is at hand, so a failure is counted and not raised."""
        self._tried_at = self._clock()
        try:
            keys = self._verified(budget)
        except (BankUnreachable, NotTrusted, Malformed) as error:
            self._observer.event("jwks_failed", connection=self._connection.id)
            if keep:
                return
            self._keys = {}
            if isinstance(error, BankUnreachable):
                raise Unavailable(Step.ID_TOKEN, "the bank's keys cannot be fetched") from error
            raise IntegrityError(Step.ID_TOKEN, "the bank's key set does not verify", claim="jwks") from error
        self._observer.event("jwks_fetched", connection=self._connection.id)
        self._keys, self._fetched_at = keys, self._clock()

    def _verified(self, budget: Budget) -> dict[str, RSAKey]:
        source = self._connection.jwks
        if isinstance(source, PinnedJwks):
            return usable_keys(source.keys)
        answer = self._http.get(source.uri, budget)
        if answer.status != 200:
            raise BankUnreachable("the key set was not answered with 200")
        if isinstance(source, SignedJwks):
            text = answer.body.decode("ascii", errors="replace")
            return verify_signed_jwks(text, source.entity_id, self._entity_keys, int(self._clock()))
        return usable_keys(loads(answer.body, "jwks").get("keys"))
