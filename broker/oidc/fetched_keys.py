"""The signing keys of a client that publishes them (`jwks_uri`, OpenID Connect Core §10.1.1), as a process holds them.

A set is fetched when an assertion names a key that is not in it, and once an hour; never more than once a minute,
however many assertions come, because anybody can send one with a `kid` of their own. The last good set is used for a
day at most. Fetching goes on in the background: who needs it waits three seconds at most, and not everybody may wait.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from broker.oidc.checked_address import CheckedAdapter
from broker.settings.models import ClientSettings
from kit.client_authentication.assertion import SigningKey, signing_keys
from kit.keys.sets import usable_public_keys
from kit.settings.hosts import Kind
from providers.engine.bounded import BankUnreachable, BoundedSession
from providers.engine.compact import Malformed, loads

log = logging.getLogger("tunnus.keys")

SECONDS = 3.0
"""To the last byte; and how long a token request waits."""
AGAIN = 60
"""Seconds from one fetch to the next."""
SCHEDULED = 3600
"""Seconds after which a set is fetched again on its next use."""
LONGEST = 24 * 3600
"""Seconds a set is used while its address is down."""
MOST_WAITING = 8
"""Token requests that wait for one client's set at a time; whoever comes then goes by what is at hand."""

Fetch = Callable[[], tuple[SigningKey, ...]]
"""Fetches a set. Raises BankUnreachable, or ValueError if it cannot be used."""
Count = Callable[[str, bool], None]
"""Counts a fetch: client, and whether it brought a set."""


@dataclass(frozen=True, slots=True)
class _Held:
    """A set, and when it was fetched: seconds since the epoch."""

    keys: tuple[SigningKey, ...]
    fetched_at: float


class FetchedKeys:
    """The keys of one client. clock: seconds since the epoch. in_background: runs a function, and does not wait."""

    def __init__(
        self,
        client_id: str,
        fetch: Fetch,
        clock: Callable[[], float],
        count: Count,
        in_background: Callable[[Callable[[], None]], None] | None = None,
    ) -> None:
        self._client_id = client_id
        self._fetch = fetch
        self._clock = clock
        self._count = count
        self._in_background = in_background or _in_a_thread
        self._lock = threading.Lock()
        self._waiting = threading.BoundedSemaphore(MOST_WAITING)
        self._held: _Held | None = None
        self._tried_at: float | None = None
        self._under_way: threading.Event | None = None
        self.failure: str | None = None
        """Why the last fetch brought nothing, in constant words."""

    def keys_for(self, kid: str | None) -> tuple[SigningKey, ...]:
        """The keys that there are; fetched before, if none of them is named `kid`."""
        now = self._clock()
        held = self._current(now)
        if held and (kid is None or any(key.kid == kid for key in held.keys)):
            if not 0 <= now - held.fetched_at < SCHEDULED:
                self._begin(now)  # nobody waits for it: what is at hand will do
            return held.keys
        ended = self._begin(now)
        if ended is not None and self._waiting.acquire(blocking=False):
            try:
                ended.wait(SECONDS)
            finally:
                self._waiting.release()
        held = self._current(now)
        return held.keys if held else ()

    def _current(self, now: float) -> _Held | None:
        held = self._held
        return held if held is not None and now - held.fetched_at < LONGEST else None

    def _begin(self, now: float) -> threading.Event | None:
        """What is set when the fetch under way has ended; None if none may begin yet."""
        with self._lock:
            if self._under_way is not None:
                return self._under_way
            if self._tried_at is not None and 0 <= now - self._tried_at < AGAIN:
                return None
            self._tried_at = now
            ended = self._under_way = threading.Event()
        try:
            self._in_background(lambda: self._run(ended))
        except RuntimeError:
            self._failed("no thread could be started")
            self._end(ended)
        return ended

    def _run(self, ended: threading.Event) -> None:
        try:
            keys = self._fetch()
        except (BankUnreachable, ValueError) as error:
            self._failed(str(error))
        else:
            self._count(self._client_id, True)
            if self.failure is not None:
                log.info("client_keys_fetched_again", extra={"client": self._client_id})
            before = {key.kid for key in self._held.keys} if self._held else set()
            if {key.kid for key in keys} != before:
                log.info("client_keys_changed", extra={"client": self._client_id, "count": len(keys)})
            self._held, self.failure = _Held(keys, self._clock()), None
        finally:
            self._end(ended)

    def _failed(self, reason: str) -> None:
        self._count(self._client_id, False)
        if self.failure is None:  # once, and not again each minute
            log.warning("client_keys_not_fetched", extra={"client": self._client_id, "reason": reason})
        self.failure = reason

    def _end(self, ended: threading.Event) -> None:
        with self._lock:
            self._under_way = None
        ended.set()


def fetch_of(client: ClientSettings, allowed: frozenset[Kind]) -> Fetch:
    """How the set of a client with a `jwks_uri` is fetched. allowed: the kinds of address that are connected to."""
    uri = client.jwks_uri
    if uri is None:
        raise ValueError("this client publishes no keys")
    session = BoundedSession(ca_bundle=client.jwks_ca_bundle, adapter=CheckedAdapter(allowed))

    def fetch() -> tuple[SigningKey, ...]:
        try:
            answer = session.exchange("GET", uri, SECONDS, accept="application/jwk-set+json, application/json")
        finally:
            session.close()  # the next fetch looks at the address anew
        if answer.status != 200:
            raise BankUnreachable(f"it was answered with status {answer.status}")
        keys = signing_keys(usable_public_keys(loads(answer.body, "jwks").get("keys")))
        if not keys:
            raise Malformed("it holds no key that an assertion may be signed with", "keys")
        return keys

    return fetch


def _in_a_thread(run: Callable[[], None]) -> None:
    threading.Thread(target=run, name="client-keys", daemon=True).start()
