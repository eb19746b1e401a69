"""The identity token: the ID token that the broker signs (OpenID Connect Core §2).

`claims_of` says what an identification puts into it, when the code is made; `build` makes the token when the
code is used. Everything comes in as an argument and nothing is kept, so threads cannot mix two people up.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from joserfc import jwe

from broker.oidc.clients import Client, EncryptionKey
from providers.errors import NotSupported, Step
from providers.model import Identity, Keys

LIFETIME = 600
"""Seconds."""

PROFILE_CLAIMS = ("given_name", "family_name", "name", "birthdate")
"""What scope `profile` adds; `/userinfo` gives these and `sub`, and nothing else."""

CLAIMS = (
    *("iss", "sub", "aud", "azp", "exp", "iat", "auth_time", "nonce", "at_hash", "acr", "amr", "idp", "txn"),
    *PROFILE_CLAIMS,
    "personal_identity_code",
)
"""Every claim that an identity token may have."""

JWE_ALG = "RSA-OAEP-256"
JWE_ENC = "A256GCM"


def pairwise_subject(pairwise: Callable[[bytes], bytes], sector: str, identity: Identity) -> str:
    """The `sub` of a person at a sector: HMAC-SHA256 over sector, 0x00, scheme, 0x00, identifier, base64url.

    The same through every bank. Raises NotSupported if the identity has no identifier.
    """
    if identity.identifier is None:
        raise NotSupported(Step.HAND_OFF, "the identity has no identifier to compute a subject of")
    identifier = identity.identifier
    return _base64url(pairwise(b"\x00".join(part.encode() for part in (sector, identifier.scheme, identifier.value))))


def claims_of(
    identity: Identity, *, subject: str, scopes: Iterable[str], txn: str, provider: str | None
) -> dict[str, Any]:
    """The claims that an identification gives to a client with these scopes, none that it did not ask for.

    Raises NotSupported if the personal identity code is asked for and there is none.
    """
    claims: dict[str, Any] = {
        "sub": subject,
        "auth_time": identity.auth_time,
        "acr": identity.assurance.acr,
        "amr": list(identity.amr) or None,
        "idp": provider,
        "txn": txn,
    }
    if "profile" in scopes:
        claims |= {
            "given_name": identity.given_name,
            "family_name": identity.family_name,
            "name": identity.name,
            "birthdate": identity.birthdate.isoformat(),
        }
    if "personal_identity_code" in scopes:
        if identity.identifier is None or identity.identifier.scheme != "hetu":
            raise NotSupported(Step.HAND_OFF, "the identity has no personal identity code")
        claims["personal_identity_code"] = identity.identifier.value
    return {name: value for name, value in claims.items() if value is not None}


def build(
    keys: Keys,
    client: Client,
    claims: Mapping[str, Any],
    *,
    issuer: str,
    nonce: str | None,
    access_token: str,
    now: int,
) -> str:
    """Sign an identity token for a client; encrypt it to the client if it holds the personal identity code.

    claims: as `claims_of` gave them. now: seconds since the epoch. Raises KeyFailure if no key is in use.
    Source: OpenID Connect Core §2, §3.1.3.6 (at_hash), §16.14 (sign, then encrypt).
    """
    encrypted = "personal_identity_code" in claims
    # A further audience could not open a token that is encrypted to the client, and has no business with the code.
    further = () if encrypted else client.audiences
    audience = {"aud": [client.client_id, *further], "azp": client.client_id} if further else {"aud": client.client_id}
    token = keys.sign(
        "id-token-sig",
        {
            **claims,
            "iss": issuer,
            **audience,
            "exp": now + LIFETIME,
            "iat": now,
            **({"nonce": nonce} if nonce is not None else {}),
            "at_hash": half_hash(access_token),
        },
        typ="JWT",
        alg=client.id_token_alg,
    )
    if not encrypted:
        return token
    if client.encryption_key is None:
        raise ValueError("a token with the personal identity code is never sent in the clear")
    return _encrypt(token, client.encryption_key)


def half_hash(access_token: str) -> str:
    """`at_hash` for RS256 and ES256: the left half of the SHA-256 (OpenID Connect Core §3.1.3.6)."""
    return _base64url(hashlib.sha256(access_token.encode()).digest()[:16])


def _encrypt(token: str, key: EncryptionKey) -> str:
    header = {"alg": JWE_ALG, "enc": JWE_ENC, "cty": "JWT"}
    if key.kid is not None:
        header["kid"] = key.kid
    return jwe.encrypt_compact(header, token.encode(), key.key, algorithms=[JWE_ALG, JWE_ENC])


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
