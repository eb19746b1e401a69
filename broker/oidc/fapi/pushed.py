"""Pushed authorization requests, as they are kept: for seconds, sealed, one login each (RFC 9126 §2.2, §7.3).

A `request_uri` may be opened again, as by a reload, until one login by it has ended in a code: whoever enforces it
earlier breaks reloads and link previews (FAPI 2.0 Security Profile §5.3.2.2, note 3).
"""

from __future__ import annotations

from dataclasses import replace

from broker.oidc.codes import new_secret
from broker.oidc.requests import AuthorizationRequest
from broker.store import Entry, Key, Store, new_slot, slotted
from providers.errors import Replay, Step

PREFIX = "urn:ietf:params:oauth:request_uri:"
LIFETIME = 90
"""Seconds until the browser must have brought the `request_uri`."""
USED_LIFETIME = 24 * 3600
"""Seconds that a used one is remembered: longer than any transaction that began by it can live."""


def is_ours(request_uri: str | None) -> bool:
    """Whether a `request_uri` is of the kind that we give out; others are never fetched."""
    return request_uri is not None and request_uri.startswith(PREFIX)


def push(store: Store, request: AuthorizationRequest) -> str:
    """Keep a validated request; return its `request_uri`. Raises StoreUnavailable."""
    handle = new_secret(new_slot())
    store.put(Entry(_key(handle), request.to_json(), LIFETIME))
    return PREFIX + handle


def find(store: Store, request_uri: str, client_id: str) -> AuthorizationRequest | None:
    """The request that this client pushed; None if it is unknown, lapsed, used or another's.

    Raises StoreUnavailable.
    """
    handle = request_uri.removeprefix(PREFIX)
    value, used = store.get(_key(handle), _used_key(handle))
    if value is None or used is not None or value["client_id"] != client_id:
        return None
    return replace(AuthorizationRequest.from_json(value), pushed=handle)


def use(store: Store, request: AuthorizationRequest, transaction: str) -> None:
    """Note that a transaction ends in a code. Raises Replay if another one by the same `request_uri` has already."""
    if request.pushed is None:
        return
    key = _used_key(request.pushed)
    first, (holder,), _ = store.put_new_and_get(Entry(key, {"transaction": transaction}, USED_LIFETIME), key)
    if not first and (holder is None or holder["transaction"] != transaction):
        raise Replay(Step.HAND_OFF, "the request_uri was used by another login")


def _key(handle: str) -> Key:
    return slotted("pushed", handle)


def _used_key(handle: str) -> Key:
    return slotted("used-pushed", handle)
