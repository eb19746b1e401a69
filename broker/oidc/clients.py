"""Our clients, as Authlib wants to see them: made once from the settings, never changed."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from joserfc.jwk import Key, import_key

from broker.settings_models import ClientSettings

AuthMethod = Literal["private_key_jwt", "client_secret_basic"]

_ALGORITHMS = {("RSA", None): ("RS256", "PS256"), ("EC", "P-256"): ("ES256",)}
"""What a kind of key may sign a client assertion with."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A client's public key for its assertions, and the algorithms it may be used with."""

    kid: str | None
    algorithms: tuple[str, ...]
    key: Key = field(repr=False)


@dataclass(frozen=True, slots=True)
class EncryptionKey:
    """The public RSA key that a client's identity tokens are encrypted to."""

    kid: str | None
    key: Key = field(repr=False)


@dataclass(frozen=True, slots=True)
class Client:
    """A client. sector: clients of one sector see the same `sub`. audiences: further audiences of its tokens."""

    client_id: str
    redirect_uris: tuple[str, ...]
    scopes: frozenset[str]
    auth_method: AuthMethod
    sector: str
    id_token_alg: Literal["RS256", "ES256"]
    audiences: tuple[str, ...] = ()
    signing_keys: tuple[SigningKey, ...] = field(default=(), repr=False)
    encryption_key: EncryptionKey | None = field(default=None, repr=False)
    secret_hash: str | None = field(default=None, repr=False)

    @staticmethod
    def of(client_id: str, settings: ClientSettings) -> Client:
        """A client from its section of the settings, its keys parsed."""
        keys, encryption = settings.jwks or (), settings.encryption_key
        return Client(
            client_id=client_id,
            redirect_uris=tuple(settings.redirect_uris),
            scopes=frozenset(settings.scopes),
            auth_method=settings.auth_method,
            sector=settings.sector,
            id_token_alg=settings.id_token_alg,
            audiences=tuple(settings.audiences),
            signing_keys=_signing_keys(keys),
            encryption_key=EncryptionKey(encryption.get("kid"), _public_key(encryption)) if encryption else None,
            secret_hash=settings.secret_hash,
        )

    def get_client_id(self) -> str:
        """For Authlib."""
        return self.client_id

    def get_default_redirect_uri(self) -> None:
        """For Authlib: there is none, every request must name its own."""
        return

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """For Authlib: the scope, each value once; None (`invalid_scope`) without `openid` or if one is not allowed."""
        wanted = list(dict.fromkeys((scope or "").split()))
        return " ".join(wanted) if "openid" in wanted and self.scopes.issuperset(wanted) else None

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """True if exactly this URI is registered."""
        return redirect_uri in self.redirect_uris

    def check_client_secret(self, client_secret: str) -> bool:
        """Compare a secret with the hashed one, in constant time.

        The hash is a plain SHA-256: secrets are made by `tunnus client-secret` out of random bits, never chosen,
        so a slow hash would protect nothing and cost every login.
        """
        scheme, _, expected = (self.secret_hash or "").partition(":")
        digest = hashlib.sha256(client_secret.encode()).hexdigest()
        return scheme == "sha256" and hmac.compare_digest(expected, digest)

    def check_response_type(self, response_type: str) -> bool:
        """For Authlib: every client uses the code flow and nothing else."""
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        """For Authlib: every client uses the code flow and nothing else."""
        return grant_type == "authorization_code"


def _signing_keys(keys: Sequence[Mapping[str, Any]]) -> tuple[SigningKey, ...]:
    found = []
    for jwk in keys:
        algorithms = _ALGORITHMS.get((jwk["kty"], jwk.get("crv")), ())
        if jwk.get("use", "sig") == "sig" and algorithms:
            narrowed = tuple(alg for alg in algorithms if jwk.get("alg", alg) == alg)
            found.append(SigningKey(jwk.get("kid"), narrowed, _public_key(jwk)))
    return tuple(found)


def _public_key(jwk: Mapping[str, Any]) -> Key:
    """The bare key. What else its JWK says of it has been read by us, and must not be read otherwise by a library."""
    return import_key({name: str(jwk[name]) for name in ("kty", "n", "e", "crv", "x", "y") if name in jwk})
