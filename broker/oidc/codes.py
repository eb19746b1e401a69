"""Authorization codes and access tokens: what stands in the store for each, and under which key.

A code is used by one `SET NX` on its *used-code* key, which names the access token that this use will give.
A second use finds that key taken, and ends that access token: if it is not stored yet, a tombstone takes its
place, so that the first use finds it when it comes to store the token. There is no moment between.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from broker.oidc.clients import Client
from broker.store import Entry, Key, Store, slotted, to_members

CODE_LIFETIME = 120
TOKEN_LIFETIME = 300
USED_CODE_LIFETIME = CODE_LIFETIME + TOKEN_LIFETIME
"""Seconds. A used code is known as used for longer than it, or the token it gave, can live."""

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
    issued_at: seconds since the epoch.
    """

    client_id: str
    redirect_uri: str = field(repr=False)
    scope: str
    nonce: str = field(repr=False)
    code_challenge: str = field(repr=False)
    claims: Mapping[str, Any] = field(repr=False)
    issued_at: int
    code_challenge_method: str = "S256"

    def entry(self, code: str) -> Entry:
        """To put it under its code."""
        return Entry(slotted("code", code), to_members(self) | {"claims": dict(self.claims)}, CODE_LIFETIME)

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> AuthorizationCode:
        """The reverse of `entry`; a member that another version of the broker added is dropped."""
        known = AuthorizationCode.__slots__
        return AuthorizationCode(**{name: held for name, held in value.items() if name in known})

    def is_valid_for(self, client: Client, now: float) -> bool:
        """Whether this client may use the code now, and is still allowed all that the scope asks for.

        The store forgets a lapsed code by itself; a replica that lags behind may not have.
        """
        lives = now < self.issued_at + CODE_LIFETIME
        return lives and self.client_id == client.client_id and client.get_allowed_scope(self.scope) is not None

    def get_redirect_uri(self) -> str:
        """For Authlib."""
        return self.redirect_uri

    def get_scope(self) -> str:
        """For Authlib."""
        return self.scope


def use_code(store: Store, code: str, access_token: str) -> AuthorizationCode | None:
    """Use a code up, naming the access token that this use will give; None if it is unknown, lapsed or used.

    A second use ends the access token of the first (RFC 6749 §4.1.2).
    """
    used = slotted("used-code", code)
    entry = Entry(used, {"access_token": access_token}, USED_CODE_LIFETIME)
    first, (value, holder) = store.put_new_and_get(entry, slotted("code", code), used)
    if first:
        return AuthorizationCode.from_json(value) if value is not None else None
    if holder is not None:
        _end_token(store, str(holder["access_token"]))
    return None


def keep_token(store: Store, access_token: str, value: Mapping[str, Any]) -> bool:
    """Store what an access token stands for; False if its code was used again meanwhile."""
    return store.put_new(Entry(_token_key(access_token), dict(value), TOKEN_LIFETIME))


def find_token(store: Store, access_token: str) -> dict[str, Any] | None:
    """What an access token stands for; None if it is unknown, lapsed or ended."""
    value = store.get(_token_key(access_token))[0]
    return value if value and not value.get("ended") else None


def _end_token(store: Store, access_token: str) -> None:
    tombstone = Entry(_token_key(access_token), {"ended": True}, TOKEN_LIFETIME)
    if not store.put_new(tombstone):
        store.take(tombstone.key)


def _token_key(access_token: str) -> Key:
    return slotted("token", access_token)
