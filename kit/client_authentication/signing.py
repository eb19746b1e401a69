"""Client assertions that we sign (RFC 7523 §3), as a client of the broker, of another provider or of registration."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oauth2.rfc7523.assertion import private_key_jwt_sign
from joserfc.jwk import ECKey

ASSERTION_SECONDS = 300
"""How long a client assertion is valid. Authlib's own is an hour; ten minutes is what the broker takes."""


def sign_assertion(key: ECKey, client_id: str, audience: str, now: float, **claims: Any) -> str:
    """A client assertion. claims: further ones. now: seconds since the epoch."""
    signed: str = private_key_jwt_sign(
        key,
        client_id=client_id,
        token_endpoint=audience,
        alg="ES256",
        claims=claims or None,
        header={"kid": key.kid},
        issued_at=int(now),
        expires_at=int(now) + ASSERTION_SECONDS,
    )
    return signed


class ShortAssertion(PrivateKeyJWT):
    """Authlib's private_key_jwt, by our clock and for a shorter time. token_endpoint: its public name, for `aud`."""

    def __init__(self, token_endpoint: str, clock: Callable[[], float]) -> None:
        super().__init__(token_endpoint, alg="ES256")
        self._clock = clock

    def sign(self, auth: Any, token_endpoint: str) -> str:
        """A fresh one for each token request; called by Authlib."""
        return sign_assertion(auth.client_secret, auth.client_id, token_endpoint, self._clock())
