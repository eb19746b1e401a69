"""The one cookie that binds transactions and attempts to the browser that started them."""

from __future__ import annotations

import hashlib
import re
import secrets

from flask import Request, Response

LIFETIME = 24 * 3600
"""Seconds the cookie is kept."""

_VALUE = re.compile(r"[A-Za-z0-9_-]{43}\Z")


class BrowserCookie:
    """Reads and sets the cookie. secure: the issuer is https, so `__Host-` and `Secure` are used."""

    def __init__(self, *, secure: bool) -> None:
        self.secure = secure
        self.name = "__Host-tunnus_browser" if secure else "tunnus_browser"

    def read(self, request: Request) -> str | None:
        """The browser's secret, or None if it brought none that we could have set."""
        value = request.cookies.get(self.name, "")
        return value if _VALUE.match(value) else None

    def new(self) -> str:
        """A secret for a browser that has none: 256 random bits."""
        return secrets.token_urlsafe(32)

    def set(self, response: Response, value: str) -> None:
        """Give the browser its secret. Lax: it must come along when the bank sends the person back."""
        response.set_cookie(
            self.name, value, max_age=LIFETIME, secure=self.secure, httponly=True, samesite="Lax", path="/"
        )


def fingerprint(value: str | None) -> str:
    """What the store keeps of a browser's secret: its SHA-256, empty for none."""
    return hashlib.sha256(value.encode()).hexdigest() if value else ""
