"""An ID token that holds, each part of which can be bent, and what the engine makes of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from typing import Any

from joserfc.jwk import RSAKey

from providers.engine.claims import Expected
from providers.engine.id_token import VerifiedToken, verify_id_token
from providers.errors import Step, Unavailable
from tests.harness.engine.jose import b64, encrypt, rsa_key, sign
from tests.harness.engine.parts import (
    CLIENT_ID,
    ISSUER,
    NONCE,
    NOW,
    TEST_LEVEL,
    MemoryKeys,
    make_connection,
)

ACCESS_TOKEN = "an-access-token"

AT_HASH = b64(hashlib.sha256(ACCESS_TOKEN.encode()).digest()[:16])

JWS_HEADER: dict[str, Any] = {"alg": "RS256", "kid": "bank-sig", "typ": "JWT"}

JWE_HEADER: dict[str, Any] = {"alg": "RSA-OAEP", "enc": "A128CBC-HS256", "kid": "our-enc", "cty": "JWT"}

CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "aud": [CLIENT_ID],
    "azp": CLIENT_ID,
    "exp": NOW + 600,
    "iat": NOW,
    "nonce": NONCE,
    "sub": "event-17",
    "acr": TEST_LEVEL,
    "auth_time": NOW - 20,
    "at_hash": AT_HASH,
    "amr": [f"{ISSUER}/saml2/names/ac/oidc.nordea.1"],
}

EXPECTED = Expected(
    issuer=ISSUER,
    client_id=CLIENT_ID,
    nonce=NONCE,
    acr_values=(TEST_LEVEL,),
    test=True,
    started_at=NOW - 120,
    now=NOW,
    skew=60,
    access_token=ACCESS_TOKEN,
)

ABSENT = object()


def with_members(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """The base with the changes; ABSENT takes a member away."""
    return {name: value for name, value in (base | changes).items() if value is not ABSENT}


def token(
    claims: dict[str, Any] | bytes = CLAIMS,
    *,
    jws: dict[str, Any] | bytes | None = None,
    jwe: dict[str, Any] | bytes | None = None,
    key: str = "bank-sig",
    how: str = "RS256",
    wrap: str = "RSA-OAEP",
    enc: str = "A128CBC-HS256",
    inner: Callable[[str], str] = lambda text: text,
) -> str:
    """A nested token; jws, jwe: headers. inner: what becomes of the signed token before it is encrypted."""
    signed = inner(sign(jws or JWS_HEADER, claims, key, how))
    return encrypt(jwe or JWE_HEADER, signed.encode(), "our-enc", wrap, enc)


def find_keys(kid: str | None, refused: Collection[RSAKey] = ()) -> tuple[RSAKey, ...]:
    """The bank's keys, which do not change; without a name one of them."""
    kid = kid or "bank-sig"
    if kid not in ("bank-sig", "bank-sig-2"):
        raise Unavailable(Step.ID_TOKEN, "unknown", claim="kid")
    return (rsa_key(kid),)


def verify(text: str, dialect: str = "telia", expected: Expected = EXPECTED, **fields: Any) -> VerifiedToken:
    """What the engine makes of a token; fields: of the connection."""
    return verify_id_token(text, make_connection(dialect, **fields), expected, MemoryKeys(), find_keys)


def jws(**members: Any) -> dict[str, Any]:
    """The signed token's header with other members."""
    return with_members(JWS_HEADER, members)


def jwe(**members: Any) -> dict[str, Any]:
    """The encrypted token's header with other members."""
    return with_members(JWE_HEADER, members)
