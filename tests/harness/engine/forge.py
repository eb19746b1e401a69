"""What a bank sends, made by hand so that every part of it can be bent: no check of ours is used here."""

from __future__ import annotations

import base64
import hashlib
import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from joserfc import jwe, jws
from joserfc.jwk import RSAKey

from providers.connection import Connection, Dialect, JwksSource, PinnedJwks
from providers.dialects import DIALECTS
from providers.engine.signature import encryption_registry
from providers.model import Attempt, BeginRequest, Decrypted, DecryptionFailed, Message, Provider, UnknownKey

NOW = 1_800_000_000
"""Seconds since the epoch: when everything in these tests happens."""
LOA = "http://ftn.ficora.fi/2017/loatest2"
CODE = "010190Y999W"
"""An artificial personal identity code with one of the separators of 2023."""
JWKS_URI = "https://bank.example/signed-jwks"
TOKEN_ENDPOINT = "https://bank.example/token"
ENTITY_ID = "https://bank.example/entity"


def encode(data: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def decode(segment: str) -> bytes:
    """The reverse."""
    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


def as_json(value: Any) -> bytes:
    """JSON as it comes; bytes are taken to be JSON already."""
    return value if isinstance(value, bytes) else json.dumps(value, ensure_ascii=False).encode()


def sign(header: Any, payload: Any, key: RSAKey) -> str:
    """RS256 over any header and any payload."""
    text = f"{encode(as_json(header))}.{encode(as_json(payload))}"
    private = key.private_key
    assert isinstance(private, rsa.RSAPrivateKey)
    return f"{text}.{encode(private.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def payload_of(token: str) -> dict[str, Any]:
    """What a compact JWS says, unverified."""
    return dict(json.loads(decode(token.split(".")[1])))


def header_of(token: str) -> dict[str, Any]:
    """Its header."""
    return dict(json.loads(decode(token.split(".")[0])))


def public(key: RSAKey, **members: Any) -> dict[str, Any]:
    """The public JWK of a signing key, with more members or others; None leaves one out."""
    jwk = {**key.as_dict(private=False), "use": "sig", "alg": "RS256"} | members
    return {name: value for name, value in jwk.items() if value is not None}


@dataclass
class Ring:
    """`providers.model.Keys` in memory. signed, parsed: how often a private key was used, and was parsed."""

    keys: Mapping[str, RSAKey]
    signed: int = 0

    def sign(self, purpose: str, claims: Mapping[str, Any], *, typ: str | None = "JWT", alg: str = "RS256") -> str:
        """See Keys."""
        self.signed += 1
        key = self._of(purpose)
        header = {"alg": alg, "kid": str(key.kid)} | ({"typ": typ} if typ else {})
        return jws.serialize_compact(header, json.dumps(claims), key, algorithms=[alg])

    def decrypt(self, purpose: str, token: str, *, algorithms: Sequence[str], kid_required: bool = True) -> Decrypted:
        """See Keys."""
        key = self._of(purpose)
        if header_of(token).get("kid", None if kid_required else key.kid) != key.kid:
            raise UnknownKey("no such key")
        registry = encryption_registry(algorithms)
        try:
            opened = jwe.decrypt_compact(token, key, registry=registry)
        except Exception as error:
            raise DecryptionFailed("it does not open") from error
        return Decrypted(dict(opened.protected), opened.plaintext or b"", str(key.kid))

    def public_set(self, purpose: str) -> list[dict[str, Any]]:
        """See Keys."""
        key = self._of(purpose)
        members = {"use": "enc"} if purpose == "rp-enc" else {"use": "sig", "alg": "RS256"}
        return [{**key.as_dict(private=False), **members}]

    def _of(self, purpose: str) -> RSAKey:
        if purpose not in self.keys:
            raise UnknownKey(purpose)
        return self.keys[purpose]


@dataclass
class Told:
    """`providers.model.Observer` that remembers."""

    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def event(self, name: str, **fields: str | int | float) -> None:
        """See Observer."""
        self.events.append((name, fields))

    def count(self, name: str) -> int:
        """How often an event was told."""
        return sum(told == name for told, _ in self.events)


@dataclass
class Clock:
    """Seconds, moved by the test."""

    now: float = NOW

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True)
class Bank:
    """A bank with its keys. signing: signs ID tokens. entity: signs the key set. recipient: our encryption key."""

    signing: RSAKey
    entity: RSAKey
    recipient: RSAKey
    attacker: RSAKey

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
            "nonce": "n" * 64,
            "acr": LOA if connection.test else LOA.replace("loatest", "loa"),
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
        members = {n: v for n, v in members.items() if v is not None}
        used = [name for name in (members.get("alg"), members.get("enc"), members.get("zip")) if name]
        registry = jwe.JWERegistry(algorithms=used, strict_check_header=False)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # RSA1_5 is deprecated: that is why a test sends it
            return jwe.encrypt_compact(members, inner, recipient or self.recipient, registry=registry)

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


def make_connection(dialect: str | Dialect = "ftn", jwks: JwksSource | None = None, **changes: Any) -> Connection:
    """A connection to the bank of these tests, in the test environment."""
    return replace(
        Connection(
            id="bank",
            dialect=DIALECTS[dialect] if isinstance(dialect, str) else dialect,
            issuer="https://bank.example/op",
            authorization_endpoint="https://bank.example/authorize",
            token_endpoint=TOKEN_ENDPOINT,
            jwks=jwks or PinnedJwks(()),
            client_id="tunnus",
            redirect_uri="https://tunnus.example/callback/bank",
            service_names={"fi": "Palvelu", "sv": "Tjänst", "en": "Service"},
            test=True,
        ),
        **changes,
    )


def make_request(provider: Provider | None = None, **changes: Any) -> BeginRequest:
    """What the broker asks for one attempt."""
    request = BeginRequest(
        handle="ab" * 32,
        provider=provider,
        ui_locale="sv",
        acr_values=(LOA,),
        profile=True,
        credential="weak",
        now=NOW,
    )
    return replace(request, **changes)


def make_attempt(**changes: Any) -> Attempt:
    """An attempt that expects what `Bank.claims` says."""
    private = {"nonce": "n" * 64, "code_verifier": None, "names_asked": True} | changes.pop("private", {})
    attempt = Attempt(
        connection="bank", provider=None, acr_values=(LOA,), started_at=NOW - 60, expires_at=NOW + 840, private=private
    )
    return replace(attempt, **changes)


def message(**parameters: str | list[str]) -> Message:
    """What a browser brings: each parameter with its values."""
    return {name: value if isinstance(value, list) else [value] for name, value in parameters.items()}


def at_hash(access_token: str) -> str:
    """OpenID Connect Core §3.1.3.6."""
    return encode(hashlib.sha256(access_token.encode()).digest()[:16])
