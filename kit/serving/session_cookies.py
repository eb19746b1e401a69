"""Flask's session cookie, signed by the cookie key that is in use now and verified by each that still is."""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol

from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import URLSafeTimedSerializer


class CookieKeys(Protocol):
    """The keys of a service."""

    @property
    def cookie(self) -> tuple[bytes, ...]:
        """All of them verify, the last one signs."""


class SessionCookies(SecureCookieSessionInterface):
    """As Flask's own, whose keys stand in the application's configuration from its start on."""

    def __init__(self, keys: CookieKeys) -> None:
        self._keys = keys

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer:
        """See Flask."""
        return self._signing_by(*self._keys.cookie)

    @classmethod
    @lru_cache(maxsize=8)
    def _signing_by(cls, *keys: bytes) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(
            list(keys),
            salt=cls.salt,
            serializer=cls.serializer,
            signer_kwargs={"key_derivation": cls.key_derivation, "digest_method": cls.digest_method},
        )
