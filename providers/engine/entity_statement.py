"""Entity statements and signed JWKS: pinning a bank's, making ours.

Sources: OpenID Federation 1.0 §3; OP Identity Service Broker API §12-§14; Telia guide §2.2.
OP's own signed JWKS carries `typ: JWS`, others none or `jwk-set+jwt`: all three are taken, the last is given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from joserfc.errors import JoseError

from providers.engine.compact import (
    Malformed,
    check_header,
    check_type,
    decode,
    given,
    loads,
    seconds,
    segments,
    unverified_header,
)
from providers.engine.public_keys import ALGORITHMS, KeySet, keys_of, usable_keys, verify_by_one
from providers.model import Keys

STATEMENT_TYPE = "entity-statement+jwt"
JWKS_TYPE = "jwk-set+jwt"
SKEW = 60
"""Seconds a bank's clock may be off."""


class NotTrusted(Exception):
    """A statement or key set does not verify. reason: constant; where: the member or check."""

    def __init__(self, reason: str, where: str) -> None:
        super().__init__(f"{reason} ({where})")
        self.reason = reason
        self.where = where


@dataclass(frozen=True, slots=True)
class EntityStatement:
    """A verified entity statement. keys: public entity keys as JWKs; exp: seconds since the epoch."""

    entity_id: str
    keys: tuple[Mapping[str, Any], ...]
    metadata: Mapping[str, Any]
    exp: int


def verify_jws(
    token: str, keys: KeySet, *, types: Sequence[str], typed: bool, kid_required: bool = True
) -> dict[str, Any]:
    """The payload of a compact JWS by one of the keys. types: of `typ`, which must be there if typed.

    Without a `kid`, unless that is required, by the one key there is. Raises NotTrusted.
    """
    try:
        header = unverified_header(segments(token, 3)[0])
        kid = check_header(header, algorithms=ALGORITHMS, kid_required=kid_required)
        check_type(header, "typ", types, required=typed)
        named = keys_of(keys, kid)
        if not named:
            raise NotTrusted("it is signed by a key that is not pinned", "kid")
        payload, _key = verify_by_one(token, named, ALGORITHMS)
        return loads(payload, "payload")
    except Malformed as error:
        raise NotTrusted(error.reason, error.where) from error
    except JoseError as error:
        raise NotTrusted("the signature does not hold", "signature") from error


def parse_entity_statement(token: str, now: int) -> EntityStatement:
    """Verify a self-signed entity statement that the operator has reviewed and pinned; now: seconds.

    Raises NotTrusted if it is not signed by a key it holds, not typed as one, or not valid now.
    """
    token = token.strip()
    try:
        unverified = loads_payload(token)
    except Malformed as error:
        raise NotTrusted(error.reason, error.where) from error
    jwks = unverified.get("jwks")
    listed = jwks.get("keys") if isinstance(jwks, Mapping) else None
    keys = usable_keys(listed)
    payload = verify_jws(token, keys, types=(STATEMENT_TYPE,), typed=True)
    entity_id = payload.get("iss")
    if not isinstance(entity_id, str) or not entity_id or payload.get("sub") != entity_id:
        raise NotTrusted("issuer and subject differ", "sub")
    check_times(payload, now, required=True)
    metadata = given(payload).get("metadata", {})
    if not isinstance(metadata, Mapping):
        raise NotTrusted("it has no metadata", "metadata")
    return EntityStatement(
        entity_id=entity_id,
        keys=tuple({**key.as_dict(private=False), "kid": kid} for kid, held in keys.items() for key in held),
        metadata=metadata,
        exp=int(payload["exp"]),
    )


def loads_payload(token: str) -> dict[str, Any]:
    """The payload of a compact JWS, unverified. Raises Malformed."""
    return loads(decode(segments(token, 3)[1]), "payload")


def check_times(payload: Mapping[str, Any], now: int, *, required: bool) -> None:
    """iat <= now < exp, SKEW allowed; either may be absent unless required. Raises NotTrusted."""
    times = {name: seconds(value) for name, value in given(payload).items() if name in ("iat", "exp")}
    for name in ("iat", "exp"):
        if times.get(name) is None and (required or name in times):
            raise NotTrusted("a time is missing or no number", name)
    if (times.get("iat") or 0) > now + SKEW:
        raise NotTrusted("it is from the future", "iat")
    if "exp" in times and (times["exp"] or 0) <= now - SKEW:
        raise NotTrusted("it has expired", "exp")


def verify_signed_jwks(
    token: str, entity_id: str, entity_keys: KeySet, now: int, *, kid_required: bool = True
) -> KeySet:
    """The signing keys of a bank's signed JWKS, at least one. Raises NotTrusted (FTN profile, signed JWKS)."""
    types = ("JWS", "JWT", JWKS_TYPE)
    payload = verify_jws(token.strip(), entity_keys, types=types, typed=False, kid_required=kid_required)
    if payload.get("iss") != entity_id or payload.get("sub") != entity_id:
        raise NotTrusted("issuer or subject is another entity", "iss")
    check_times(payload, now, required=False)
    keys = usable_keys(payload.get("keys"), kid_required=kid_required)
    if not keys:
        raise NotTrusted("it holds no usable key", "keys")
    return keys


def build_entity_statement(
    keys: Keys,
    *,
    entity_id: str,
    redirect_uris: Sequence[str],
    organization_name: str,
    signed_jwks_uri: str,
    now: int,
    lifetime: int,
) -> str:
    """Our entity statement, as OP demands it (OP API §13). now, lifetime: seconds. Raises KeyFailure."""
    metadata = {
        "redirect_uris": list(redirect_uris),
        "application_type": "web",
        "id_token_signed_response_alg": "RS256",
        "id_token_encrypted_response_alg": "RSA-OAEP",
        "id_token_encrypted_response_enc": "A128CBC-HS256",
        "request_object_signing_alg": "RS256",
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": "RS256",
        "client_registration_types": [],
        "organization_name": organization_name,
        "signed_jwks_uri": signed_jwks_uri,
    }
    claims = {
        "iss": entity_id,
        "sub": entity_id,
        "iat": now,
        "exp": now + lifetime,
        "jwks": {"keys": keys.public_set("entity")},
        "metadata": {"openid_relying_party": metadata},
    }
    return keys.sign("entity", claims, typ=STATEMENT_TYPE)


def build_signed_jwks(keys: Keys, entity_id: str, *, now: int, lifetime: int) -> str:
    """Our signing and encryption keys, signed by the entity key (OP API §14). Raises KeyFailure."""
    published = keys.public_set("rp-sig") + keys.public_set("rp-enc")
    claims = {"iss": entity_id, "sub": entity_id, "iat": now, "exp": now + lifetime, "keys": published}
    return keys.sign("entity", claims, typ=JWKS_TYPE)
