"""The cookies that bind attempts to a browser: one for each attempt, a random token and nothing else.

So two that a browser begins at the same moment both stand, and a foreign page that begins many ends none. They are
kept for as long as the broker's answer is taken, also when the phone ends the browser while a bank's app is in front;
a session's cookie ends with the browser.
"""

from __future__ import annotations

from collections.abc import Iterable

from flask import request
from werkzeug.wrappers import Response

_NAME = "registration-attempt-"
_ID = 12
"""Characters of an attempt's id that stand in its cookie's name."""
MOST_READ = 64
"""Cookies of attempts that are looked at; a browser is given fewer (attempts.MOST_PER_BROWSER)."""


def name_of(id: str, *, secure: bool) -> str:
    """The name of an attempt's cookie."""
    return ("__Host-" if secure else "") + _NAME + id[:_ID]


def token_of(id: str, *, secure: bool) -> str | None:
    """What this browser holds for an attempt; None if it is another browser, or its cookie is lost."""
    return request.cookies.get(name_of(id, secure=secure))


def held_tokens(*, secure: bool) -> list[str]:
    """What this browser holds for all its attempts; the oldest first (RFC 6265 §5.4)."""
    start = name_of("", secure=secure)
    return [token for name, token in request.cookies.items() if name.startswith(start)][:MOST_READ]


def give(response: Response, id: str, token: str, *, seconds: int, secure: bool) -> None:
    """Bind an attempt to this browser."""
    name = name_of(id, secure=secure)
    response.set_cookie(name, token, max_age=seconds, secure=secure, httponly=True, samesite="Lax", path="/")


def take_back(response: Response, ids: Iterable[str], *, secure: bool) -> None:
    """Delete the cookies of attempts that are no more."""
    for id in ids:
        response.delete_cookie(name_of(id, secure=secure), secure=secure, httponly=True, samesite="Lax", path="/")
