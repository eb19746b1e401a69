"""What the banks know of their one relying party: its entity statement, and its signed JWKS.

The statement is read when first needed, and again when a redirect URI is not in it, so that the relying party
may start after the banks. Its JWKS is verified with the entity key, kept for at most a day, and fetched again
at once when a key id is unknown. Source: OP Identity Service Broker API §13-§14; OpenID Federation 1.0.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from mock_idp.config import Config, FetchFailed, named
from mock_idp.protocol import jose

CACHE_SECONDS = 86400
CLOCK_SKEW = 60


class RelyingPartyUnknown(Exception):
    """The relying party's statement or keys cannot be had or do not hold; the text says why."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A verified entity statement of a relying party."""

    entity_id: str
    entity_keys: Mapping[str, RSAPublicKey]
    redirect_uris: tuple[str, ...]
    signed_jwks_uri: str
    organization_name: str


@dataclass(frozen=True, slots=True)
class PublishedKey:
    """One key of the relying party's JWKS. alg: the only one it is for; None: any that fits (RFC 7517 §4.4)."""

    kid: str
    use: str
    key: RSAPublicKey
    alg: str | None = None

    def is_for(self, alg: str) -> bool:
        """Whether the relying party lets it be used so."""
        return self.alg in (None, alg)


class RelyingParty:
    """The relying party as the banks see it; safe for threads."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._guard = threading.RLock()
        self._statement: Statement | None = None
        self._keys: dict[str, PublishedKey] = {}
        self._keys_until = 0.0

    def forget(self) -> None:
        """Read everything anew when it is next needed."""
        with self._guard:
            self._statement = None
            self._keys_until = 0.0

    def statement(self, now: float) -> Statement:
        """The entity statement. Raises RelyingPartyUnknown."""
        with self._guard:
            if self._statement is None:
                self._statement = self._read_statement(now)
            return self._statement

    def take_next_statement(self, now: float) -> None:
        """Take the next entity statement, if a key of the one at hand has signed it. Raises RelyingPartyUnknown."""
        with self._guard:
            self._statement = self._read_statement(now, self.statement(now))

    def registered(self, redirect_uri: str, now: float) -> bool:
        """Whether a redirect URI is registered, by exact comparison; reads the statement again if not."""
        if redirect_uri in self.statement(now).redirect_uris:
            return True
        with self._guard:
            self._statement = self._read_statement(now)
            return redirect_uri in self._statement.redirect_uris

    def signing_key(self, kid: str, now: float) -> RSAPublicKey | None:
        """The signing key of that id, after one refetch if it is unknown."""
        with self._guard:
            if now >= self._keys_until or kid not in self._keys:
                self._fetch_keys(now)
            found = self._keys.get(kid)
        return found.key if found and found.use == "sig" else None

    def encryption_key(self, now: float) -> PublishedKey | None:
        """The first published encryption key that may do RSA-OAEP."""
        with self._guard:
            if now >= self._keys_until:
                self._fetch_keys(now)
            return next((key for key in self._keys.values() if key.use == "enc" and key.is_for("RSA-OAEP")), None)

    def _fetch(self, source: str) -> jose.Jws:
        try:
            return jose.parse_jws(self._config.fetch(source).decode("ascii").strip())
        except (FetchFailed, UnicodeDecodeError, jose.Malformed) as error:
            raise RelyingPartyUnknown(f"{named(source)}: {error}") from error

    def _read_statement(self, now: float, known: Statement | None = None) -> Statement:
        source = self._config.relying_party
        if source is None:
            raise RelyingPartyUnknown("no entity statement of a relying party is configured")
        jws, source = self._fetch(source), named(source)
        try:
            claims = jose.from_json(jws.payload, "the entity statement")
            keys = {str(jwk["kid"]): jose.read_public_jwk(jwk) for jwk in claims["jwks"]["keys"]}
            metadata = claims["metadata"]["openid_relying_party"]
            statement = Statement(
                entity_id=str(claims["iss"]),
                entity_keys=keys,
                redirect_uris=tuple(metadata.get("redirect_uris", ())),
                signed_jwks_uri=str(metadata["signed_jwks_uri"]),
                organization_name=str(metadata.get("organization_name", self._config.client_id)),
            )
        except (jose.Malformed, KeyError, TypeError) as error:
            raise RelyingPartyUnknown(f"{source}: the entity statement lacks or spoils {error}") from error
        if jws.header.get("typ") != "entity-statement+jwt":
            raise RelyingPartyUnknown(f"{source}: typ of the entity statement is not entity-statement+jwt")
        _verify(source, jws, claims, known.entity_keys if known else keys, statement.entity_id, now)
        return statement

    def _fetch_keys(self, now: float) -> None:
        statement = self.statement(now)
        source = self._config.relying_party_signed_jwks_uri or statement.signed_jwks_uri
        jws, source = self._fetch(source), named(source)
        try:
            claims = jose.from_json(jws.payload, "the signed JWKS")
            found = [
                PublishedKey(str(k["kid"]), str(k["use"]), jose.read_public_jwk(k), k.get("alg"))
                for k in claims["keys"]
            ]
        except (jose.Malformed, KeyError, TypeError) as error:
            raise RelyingPartyUnknown(f"{source}: the signed JWKS lacks or spoils {error}") from error
        _verify(source, jws, claims, statement.entity_keys, statement.entity_id, now)
        self._keys = {key.kid: key for key in found}
        self._keys_until = min(float(claims.get("exp", now + CACHE_SECONDS)), now + CACHE_SECONDS)


def _verify(
    source: str,
    jws: jose.Jws,
    claims: Mapping[str, Any],
    keys: Mapping[str, RSAPublicKey],
    entity_id: str,
    now: float,
) -> None:
    key = keys.get(str(jws.header.get("kid")))
    if key is None or not jose.verify_rs256(jws, key):
        raise RelyingPartyUnknown(f"{source}: not signed RS256 by the relying party's entity key")
    if claims.get("iss") != entity_id or claims.get("sub") != entity_id:
        raise RelyingPartyUnknown(f"{source}: iss and sub are not the entity id {entity_id}")
    if not float(claims.get("iat", 0)) - CLOCK_SKEW <= now < float(claims.get("exp", now + 1)):
        raise RelyingPartyUnknown(f"{source}: not valid now, by iat and exp")
