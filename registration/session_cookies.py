"""Flask's session cookie, signed by the cookie key that is in use now and verified by each that still is."""

from __future__ import annotations

from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import URLSafeTimedSerializer

from registration.keys import Keys


class SessionCookies(SecureCookieSessionInterface):
    """As Flask's own, whose keys stand in the application's configuration from its start on."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer:
        """See Flask."""
        return URLSafeTimedSerializer(
            list(self._keys.cookie),
            salt=self.salt,
            serializer=self.serializer,
            signer_kwargs={"key_derivation": self.key_derivation, "digest_method": self.digest_method},
        )
