"""Sign-ins under way: each a cookie of its own, sealed, so that nobody who is not signed in costs us any memory.

An attempt is found by its `state` and bound to its browser by being in its cookie alone. Its code is taken once: the
cookie goes with the answer, and the provider takes a code but once.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import astuple, dataclass
from typing import Any

from flask import request
from werkzeug.wrappers import Response

from customer_service.keys import Keys

LIFETIME = 900
"""Seconds in which the provider's answer is taken."""
MOST = 6
"""Of a browser; then the latest one goes: a foreign page that begins many ends none that was there."""
_NAME = "customer-service-sign-in-"
_ID = 12


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one authorization request needs to be answered. to: the page to go on to."""

    state: str
    nonce: str
    code_verifier: str
    to: str
    begun_at: int


def new_attempt(to: str, now: int) -> Attempt:
    """An attempt; all but its page and time is random."""
    return Attempt(secrets.token_hex(32), secrets.token_hex(32), secrets.token_urlsafe(48), to, now)


def keep(response: Response, attempt: Attempt, keys: Keys, *, secure: bool) -> None:
    """Bind an attempt to this browser."""
    start = _cookie_name("", secure=secure)
    held = [name for name in request.cookies if name.startswith(start)]
    for name in held[MOST - 1 :]:
        response.delete_cookie(name, secure=secure, httponly=True, samesite="Lax", path="/")
    name = _cookie_name(attempt.state, secure=secure)
    sealed = keys.seal(f"attempt:{attempt.state}", list(astuple(attempt)))
    response.set_cookie(name, sealed, max_age=LIFETIME, secure=secure, httponly=True, samesite="Lax", path="/")


def find(state: str, keys: Keys, now: int, *, secure: bool) -> Attempt | None:
    """This browser's attempt of a state; None if it has none, or no longer."""
    sealed = request.cookies.get(_cookie_name(state, secure=secure))
    opened: Any = keys.unseal(f"attempt:{state}", sealed) if sealed else None
    attempt = Attempt(*opened) if opened else None
    return attempt if attempt and 0 <= now - attempt.begun_at < LIFETIME else None


def forget(response: Response, state: str, *, secure: bool) -> None:
    """The attempt has been answered."""
    name = _cookie_name(state, secure=secure)
    response.delete_cookie(name, secure=secure, httponly=True, samesite="Lax", path="/")


def _cookie_name(state: str, *, secure: bool) -> str:
    id = hashlib.sha256(state.encode()).hexdigest()[:_ID] if state else ""
    return ("__Host-" if secure else "") + _NAME + id
