"""Authorization codes and access tokens: what stands in the store for each, and under which key.

A code is used by one `SET NX` on its *used-code* key, which names the access token that this use will give.
A second use finds that key taken, and ends that access token: if it is not stored yet, a tombstone takes its
place, so that the first use finds it when it comes to store the token. There is no moment between.

A use that could not be answered (audit disk full, store cut) may be repeated by the same request within seconds:
its access token is marked as unsent, which no use undoes, and the repetition takes the next number, again by
one `SET NX`. The token is stored before it is sent, so that one that was sent is never taken for unsent.

A store that fails over to a replica, or dies and starts again, can forget its last writes, and with them that a code
was used. So a code is good only in the history of the store in which it was issued.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from broker.oidc.clients import Client
from broker.oidc.unsent import RETRY_WITHIN, Unsent
from broker.store import Entry, Key, Store, slot_of, slotted, to_members

CODE_LIFETIME = 120
FAPI_CODE_LIFETIME = 60
TOKEN_LIFETIME = 300
USED_CODE_LIFETIME = CODE_LIFETIME + TOKEN_LIFETIME
"""Seconds; of a client of FAPI a code lives FAPI_CODE_LIFETIME (FAPI 2.0 Security Profile §5.3.2.1).

A used code is known as used for longer than it, or the token it gave, can live.
"""

ANSWERED_WITHIN = 2
"""Seconds after which a use without a token counts as one whose broker could not finish it."""
MOST_USES = 8
"""How often one code may be tried, the first time among them."""

_UNSENT = {"ended": True, "unsent": True}
_SECRET = re.compile(r"[0-9a-f]{8}[A-Za-z0-9_-]{43}\Z")


def new_secret(slot: str) -> str:
    """A code or an access token: the slot's 8 characters and 256 random bits."""
    return slot + secrets.token_urlsafe(32)


def is_well_formed(secret: str) -> bool:
    """Whether a code or access token could be one of ours."""
    return _SECRET.match(secret) is not None


@dataclass(frozen=True, slots=True)
class AuthorizationCode:
    """What a code stands for. claims: those of the identity token that come from the identification.

    Only what the scope asks for is in the claims, so that the store never holds more than the client gets.
    issued_at: seconds since the epoch. dpop_jkt: the key it is bound to. lifetime: seconds. history: of the store, then
    (see `Claimed`); "" if it was not told. traceparent: of the trace that the login is part of, if it is traced.
    """

    client_id: str
    redirect_uri: str = field(repr=False)
    scope: str
    nonce: str | None = field(repr=False)
    code_challenge: str | None = field(repr=False)
    claims: Mapping[str, Any] = field(repr=False)
    issued_at: int
    code_challenge_method: str = "S256"
    history: str = ""
    dpop_jkt: str | None = None
    lifetime: int = CODE_LIFETIME
    traceparent: str | None = None

    def entry(self, code: str) -> Entry:
        """To put it under its code; what plain clients have no use for only if it is there."""
        members = to_members(self) | {"claims": dict(self.claims)}
        if self.dpop_jkt is None and self.lifetime == CODE_LIFETIME:
            del members["dpop_jkt"], members["lifetime"]
        if self.traceparent is None:
            del members["traceparent"]
        return Entry(slotted("code", code), members, self.lifetime)

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> AuthorizationCode:
        """The reverse of `entry`; a member that another version of the broker added is dropped."""
        known = AuthorizationCode.__slots__
        return AuthorizationCode(**{name: held for name, held in value.items() if name in known})

    def is_valid_for(self, client: Client, now: float) -> bool:
        """Whether this client may use the code now, and is still allowed all that the scope asks for.

        The store forgets a lapsed code by itself; a replica that lags behind may not have.
        """
        lives = now < self.issued_at + self.lifetime
        return lives and self.client_id == client.client_id and client.get_allowed_scope(self.scope) is not None

    def get_redirect_uri(self) -> str:
        """For Authlib."""
        return self.redirect_uri

    def get_scope(self) -> str:
        """For Authlib."""
        return self.scope


@dataclass(frozen=True, slots=True)
class Retry:
    """What lets a use of a code follow one that came to nothing. by: `mark_of` the request. now: seconds.

    unsent: the access tokens that this process made and never sent.
    """

    by: str = field(repr=False)
    now: float
    unsent: Unsent = field(repr=False)

    @staticmethod
    def mark_of(client_id: str, redirect_uri: str, code_verifier: str) -> str:
        """What two token requests with one code must have in common to be the same request, sent again."""
        joined = "\x00".join((client_id, redirect_uri, code_verifier))
        return hashlib.sha256(joined.encode()).hexdigest()


class HistoryChanged(Exception):
    """The store has another history than when the code was issued: whether the code was used is not known."""


def find_code(store: Store, code: str) -> AuthorizationCode | None:
    """What a code stands for, which is not used by that; None if it is unknown or has lapsed."""
    (value,) = store.get(slotted("code", code))
    return AuthorizationCode.from_json(value) if value is not None else None


def use_code(store: Store, code: str, access_token: str, retry: Retry | None = None) -> AuthorizationCode | None:
    """Use a code up, naming the access token that this use will give; None if it is unknown, lapsed or used.

    A second use ends the access token of the first (RFC 6749 §4.1.2), unless it is the first one sent again after
    that came to nothing. Raises HistoryChanged.
    """
    first, value, holder = _use(store, code, 0, access_token, retry)
    if not first and holder is not None:
        first, value = _use_again(store, code, access_token, retry)
    return AuthorizationCode.from_json(value) if first and value is not None else None


def _use_again(
    store: Store, code: str, access_token: str, retry: Retry | None
) -> tuple[bool, Mapping[str, Any] | None]:
    uses = [use for use in store.get(*(_used_key(code, number) for number in range(MOST_USES))) if use is not None]
    last: Mapping[str, Any] | None = uses[-1] if uses else None
    if last is not None and retry is not None and len(uses) < MOST_USES and _came_to_nothing(store, last, retry):
        first, value, last = _use(store, code, len(uses), access_token, retry)
        if first:
            return True, value
    if last is not None:
        _end_token(store, str(last["access_token"]))
    return False, None


def _use(
    store: Store, code: str, number: int, access_token: str, retry: Retry | None
) -> tuple[bool, Mapping[str, Any] | None, Mapping[str, Any] | None]:
    """Whether this use is the one of its number, what the code stands for, and the use that is.

    Raises HistoryChanged if the use of its number is this one, in another history than the code's.
    """
    used = _used_key(code, number)
    members = {"access_token": access_token} | ({"by": retry.by, "at": retry.now} if retry else {})
    entry = Entry(used, members, USED_CODE_LIFETIME)
    first, (value, holder), history = store.put_new_and_get(entry, slotted("code", code), used)
    if first and value is not None and value.get("history", "") not in ("", history):
        raise HistoryChanged
    return first, value, holder


def _came_to_nothing(store: Store, use: Mapping[str, Any], retry: Retry) -> bool:
    """Whether a use is the same request, and neither has given its access token nor ever will."""
    access_token, at = str(use["access_token"]), use.get("at", 0)
    if use.get("by") != retry.by or retry.now >= at + RETRY_WITHIN:
        return False
    key = _token_key(access_token)
    (token,) = store.get(key)
    if access_token in retry.unsent and not (token and token.get("ended")):
        give_back_token(store, access_token)
        return True
    if token is None and retry.now >= at + ANSWERED_WITHIN:
        # Its broker died or lost the store. Should it still be at work, it finds its token's place taken.
        if store.put_new(Entry(key, _UNSENT, TOKEN_LIFETIME)):
            return True
        (token,) = store.get(key)
    return token is not None and bool(token.get("unsent"))


def keep_token(store: Store, access_token: str, value: Mapping[str, Any]) -> bool:
    """Store what an access token stands for; False if its code was used again meanwhile."""
    return store.put_new(Entry(_token_key(access_token), dict(value), TOKEN_LIFETIME))


def give_back_token(store: Store, access_token: str) -> None:
    """Note that an access token was never sent and never will be, so that its code's use may be repeated."""
    store.put(Entry(_token_key(access_token), _UNSENT, TOKEN_LIFETIME))


def find_token(store: Store, access_token: str) -> dict[str, Any] | None:
    """What an access token stands for; None if it is unknown, lapsed or ended."""
    value = store.get(_token_key(access_token))[0]
    return value if value and not value.get("ended") else None


def _end_token(store: Store, access_token: str) -> None:
    # Put, and not taken away: a token that is about to be stored must find its place taken.
    store.put(Entry(_token_key(access_token), {"ended": True}, TOKEN_LIFETIME))


def _token_key(access_token: str) -> Key:
    return slotted("token", access_token)


def _used_key(code: str, number: int) -> Key:
    return Key("used-code", slot_of(code), f"{code}\x00{number}" if number else code)
