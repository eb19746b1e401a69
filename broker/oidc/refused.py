"""Authorization requests that were refused, kept for an hour, so that a client's developer can be told why.

`tunnus clients refused` lists them. Kept are the reason and what was sent as client and address, both bounded and
printable; no state, nonce, hint or code, and no value of an address's query. Whatever is sent, a client has at most
MOST of them, and all that name no client of ours have as many together.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from broker.store import Key, Store, StoreUnavailable, from_members, to_members
from kit import logs
from kit.logs.withheld import withhold

MOST = 100
LIFETIME = 3600
"""Seconds that refused requests are kept."""
MOST_A_MINUTE = 30
"""How many a process keeps a minute for each client; more are counted and logged only."""
_LONGEST_ID = 64
_LONGEST_ADDRESS = 300


@dataclass(frozen=True, slots=True)
class RefusedRequest:
    """One refused request. at: seconds since the epoch. client: known to us, or None. reason: a constant of ours.

    sent_client_id, sent_redirect_uri: as `shown` and `shown_address` give them. error: what the client was told;
    None if the browser got a page, whose code is the reference.
    """

    at: int
    client: str | None
    reason: str
    sent_client_id: str = ""
    sent_redirect_uri: str = ""
    error: str | None = None
    reference: str | None = None


class RefusedRequests:
    """Keeps refused requests. clock: seconds since the epoch. count: called with client and error, for metrics."""

    def __init__(self, store: Store, clock: Callable[[], float], count: Callable[..., None]) -> None:
        self._store = store
        self._clock = clock
        self._count = count
        self._lock = threading.Lock()
        self._minute = 0
        self._kept: dict[str | None, int] = {}

    def add(
        self,
        reason: str,
        *,
        client: str | None,
        sent_client_id: str | None,
        sent_redirect_uri: str | None,
        error: str | None = None,
        reference: str | None = None,
    ) -> None:
        """Log, count and keep a refused request. Without the store it is logged and counted only."""
        refused = RefusedRequest(
            int(self._clock()),
            client,
            reason,
            shown(sent_client_id or "", _LONGEST_ID),
            shown_address(sent_redirect_uri or ""),
            error,
            reference,
        )
        logs.add(
            client=client,
            outcome="refused",
            reason=f"{error}: {reason}" if error else reason,
            sent_client_id=refused.sent_client_id,
            sent_redirect_uri=refused.sent_redirect_uri,
            txn=reference,
        )
        self._count(client=client, error=error or "page")
        if not self._may_keep(refused):
            return
        with suppress(StoreUnavailable):  # the answer to the browser does not hang on it, and the log has the line
            self._store.push(_key(client), to_members(refused), most=MOST, ttl=LIFETIME)

    def _may_keep(self, refused: RefusedRequest) -> bool:
        with self._lock:
            if refused.at // 60 != self._minute:
                self._minute = refused.at // 60
                self._kept.clear()
            kept = self._kept.get(refused.client, 0)
            self._kept[refused.client] = kept + 1
            return kept < MOST_A_MINUTE


def kept_requests(store: Store, clients: Iterable[str], since: float) -> list[RefusedRequest]:
    """The refused requests of these clients, and those that name none of ours, oldest first.

    since: seconds since the epoch. Raises StoreUnavailable.
    """
    rings: list[str | None] = [None, *clients]
    found = [from_members(RefusedRequest, value) for ring in rings for value in store.recent(_key(ring))]
    return sorted((one for one in found if one.at >= since), key=lambda one: one.at)


def shown(text: str, longest: int) -> str:
    """A text of a stranger as it may be logged: printable ASCII, not too long, no personal identity code."""
    printable = "".join(character if " " <= character <= "~" else "·" for character in text[: longest + 1])
    return withhold(printable if len(printable) <= longest else printable[:longest] + "…")


def shown_address(address: str) -> str:
    """An address as it may be logged: without user and fragment, of its query the names alone."""
    printable = shown(address, _LONGEST_ADDRESS)
    try:
        parts = urlsplit(printable)
        names = [name for name, _ in parse_qsl(parts.query, keep_blank_values=True)]
    except ValueError:
        return printable.partition("?")[0].partition("#")[0]
    scheme = f"{parts.scheme}:" if parts.scheme else ""
    place = f"//{parts.netloc.rpartition('@')[2]}" if parts.netloc else ""
    query = "&".join(f"{shown(name, _LONGEST_ID)}=…" for name in names)
    return f"{scheme}{place}{parts.path}{'?' if query else ''}{query}"


def _key(client: str | None) -> Key:
    return Key("refused", "", client or "")
