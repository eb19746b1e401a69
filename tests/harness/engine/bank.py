"""What a bank sends, made by hand so that every part of it can be bent: no check of ours is used here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from joserfc.jwk import RSAKey

from providers.connection import Connection, PinnedJwks
from tests.harness.engine.jose import at_hash, encrypt, public, rsa_key, sign
from tests.harness.engine.parts import CODE, ENTITY_ID, NONCE, NOW, PRODUCTION_LEVEL, TEST_LEVEL


@dataclass(frozen=True)
class Bank:
    """A bank with its keys. signing: signs ID tokens. entity: signs the key set. recipient: our encryption key."""

    signing: RSAKey = field(default_factory=lambda: rsa_key("bank-sig"))
    entity: RSAKey = field(default_factory=lambda: rsa_key("bank-entity"))
    recipient: RSAKey = field(default_factory=lambda: rsa_key("our-enc"))
    attacker: RSAKey = field(default_factory=lambda: rsa_key("attacker"))

    def claims(self, connection: Connection, **changes: Any) -> dict[str, Any]:
        """The claims of a good ID token, changed; None leaves one out."""
        names = connection.dialect.claims
        claims: dict[str, Any] = {
            "iss": connection.issuer,
            "sub": "event-7f3a",
            "aud": connection.client_id,
            "exp": NOW + 600,
            "iat": NOW,
            "auth_time": NOW - 5,
            "nonce": NONCE,
            "acr": TEST_LEVEL if connection.test else PRODUCTION_LEVEL,
            names.personal_identity_code: CODE,
            names.given_name: "Aino Olivia",
            names.family_name: "von Testi",
            names.name: "von Testi Aino Olivia",
            names.birthdate: "1990-01-01",
        }
        return {name: value for name, value in (claims | changes).items() if value is not None}

    def jws(self, claims: Any, key: RSAKey | None = None, **header: Any) -> str:
        """The signed part; header members changed, None leaves one out."""
        members = {"alg": "RS256", "kid": self.signing.kid, "typ": "JWT"} | header
        return sign({n: v for n, v in members.items() if v is not None}, claims, key or self.signing)

    def jwe(self, inner: str | bytes, recipient: RSAKey | None = None, **header: Any) -> str:
        """The encrypted whole."""
        members = {"alg": "RSA-OAEP", "enc": "A128CBC-HS256", "kid": self.recipient.kid, "cty": "JWT"} | header
        content = inner.encode() if isinstance(inner, str) else inner
        return encrypt({n: v for n, v in members.items() if v is not None}, content, recipient or self.recipient)

    def id_token(self, connection: Connection, **changes: Any) -> str:
        """A whole ID token with changed claims."""
        return self.jwe(self.jws(self.claims(connection, **changes)))

    def signed_jwks(
        self, keys: Sequence[Any] | None = None, *, by: RSAKey | None = None, header: Any = None, **changes: Any
    ) -> str:
        """A signed JWKS with changed members; header: members changed, None leaves one out."""
        claims = {"iss": ENTITY_ID, "sub": ENTITY_ID, "iat": NOW, "exp": NOW + 3600}
        claims |= {"keys": [public(self.signing)] if keys is None else keys}
        members = {"alg": "RS256", "kid": self.entity.kid, "typ": "jwk-set+jwt"} | (header or {})
        return sign(
            {n: v for n, v in members.items() if v is not None},
            {n: v for n, v in (claims | changes).items() if v is not None},
            by or self.entity,
        )

    def pinned(self) -> PinnedJwks:
        """Its signing key, pinned."""
        return PinnedJwks((public(self.signing),))

    def token_response(self, connection: Connection, **changes: Any) -> dict[str, Any]:
        """What a token endpoint answers, claims of the ID token changed."""
        claims = {"at_hash": at_hash("access")} | changes
        return {"access_token": "access", "token_type": "Bearer", "id_token": self.id_token(connection, **claims)}
