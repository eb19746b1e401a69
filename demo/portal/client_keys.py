"""The key that a client proves itself with: `private_key_jwt` by Authlib (OpenID Connect Core §9)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oauth2.rfc7523.assertion import private_key_jwt_sign
from joserfc.jwk import ECKey

ASSERTION_SECONDS = 300


@dataclass(frozen=True, slots=True)
class ClientKeys:
    """The key a client authenticates with."""

    key: ECKey = field(repr=False)

    @staticmethod
    def generate() -> ClientKeys:
        """A fresh P-256 key."""
        return ClientKeys(ECKey.generate_key("P-256", auto_kid=True))

    @staticmethod
    def read(path: Path) -> ClientKeys:
        """The key in a file, a private JWK."""
        return ClientKeys(ECKey.import_key(json.loads(path.read_text())))

    @property
    def public_jwk(self) -> dict[str, Any]:
        """What the broker's configuration holds of it."""
        return {**self.key.as_dict(private=False), "kid": self.key.kid, "use": "sig", "alg": "ES256"}

    def authentication(self, token_endpoint: str) -> PrivateKeyJWT:
        """How Authlib authenticates with the key."""
        return ShortLivedAssertion(token_endpoint, headers={"kid": self.key.kid}, alg="ES256")


class ShortLivedAssertion(PrivateKeyJWT):
    """Authlib's private_key_jwt with a lifetime of five minutes: its own is an hour, the broker takes ten minutes."""

    def sign(self, auth: Any, token_endpoint: str) -> str:
        """A fresh client assertion; called by Authlib for each token request."""
        signed: str = private_key_jwt_sign(
            auth.client_secret,
            client_id=auth.client_id,
            token_endpoint=token_endpoint,
            alg=self.alg,
            header=dict(self.headers),
            expires_in=ASSERTION_SECONDS,
        )
        return signed
