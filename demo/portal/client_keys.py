"""The key that a client proves itself with: `private_key_jwt` by Authlib (OpenID Connect Core §9)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oauth2.rfc7523.assertion import private_key_jwt_sign
from joserfc.jwk import ECKey

ASSERTION_SECONDS = 300


@dataclass(frozen=True, slots=True)
class ClientKeys:
    """The keys a client authenticates with. current: the one to sign with now."""

    current: Callable[[], ECKey] = field(repr=False)

    @staticmethod
    def generate() -> ClientKeys:
        """A fresh P-256 key."""
        key = ECKey.generate_key("P-256", auto_kid=True)
        return ClientKeys(lambda: key)

    @staticmethod
    def read(path: Path, clock: Callable[[], float] = time.time) -> ClientKeys:
        """The key in a file, a private JWK; or those in a folder of `tunnus client-keys`, each as its time comes.

        clock: seconds since the epoch.
        """
        if path.is_dir():
            return ClientKeys(lambda: _newest(path, clock()))
        key = ECKey.import_key(json.loads(path.read_text()))
        return ClientKeys(lambda: key)

    @property
    def public_jwk(self) -> dict[str, Any]:
        """What the broker's configuration holds of it."""
        key = self.current()
        return {**key.as_dict(private=False), "kid": key.kid, "use": "sig", "alg": "ES256"}

    def authentication(self, token_endpoint: str) -> PrivateKeyJWT:
        """How Authlib authenticates with the key."""
        return ShortLivedAssertion(token_endpoint, self)


def _newest(folder: Path, now: float) -> ECKey:
    """The last of a folder's keys whose use has begun; a folder that was rotated needs no restart."""
    found = [json.loads(path.read_text()) for path in folder.glob("client-*.json")]
    begun = [content for content in found if content["timetable"]["use_from"] <= now]
    return ECKey.import_key(max(begun, key=lambda content: content["timetable"]["use_from"])["jwk"])


class ShortLivedAssertion(PrivateKeyJWT):
    """Authlib's private_key_jwt with a lifetime of five minutes: its own is an hour, the broker takes ten minutes."""

    def __init__(self, token_endpoint: str, keys: ClientKeys) -> None:
        super().__init__(token_endpoint, alg="ES256")
        self._keys = keys

    def sign(self, auth: Any, token_endpoint: str) -> str:
        """A fresh client assertion; called by Authlib for each token request."""
        key = self._keys.current()
        signed: str = private_key_jwt_sign(
            key,
            client_id=auth.client_id,
            token_endpoint=token_endpoint,
            alg=self.alg,
            header={"kid": key.kid},
            expires_in=ASSERTION_SECONDS,
        )
        return signed
