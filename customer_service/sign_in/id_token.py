"""The checks of an ID token: OpenID Connect Core §3.1.3.7, every one of them, whatever a claim is for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import BadSignatureError, JoseError
from joserfc.jwk import KeySet
from joserfc.registry import JWS_HEADER_REGISTRY

LEEWAY = 60
"""Seconds by which clocks may differ."""
LONGEST_SUB = 255


class IdTokenRefused(Exception):
    """A check that does not hold. The message is constant: it is the reason in the log."""


class UnknownKey(IdTokenRefused):
    """It is signed by a key that is not in the provider's set: by another `kid`, or by another key under one of it."""


class _Signature(jws.JWSRegistry):
    """joserfc's own bound of a header is 512 bytes, less than a chain of certificates (`x5c`), which is ignored."""

    max_header_length = 8 * 1024


@dataclass(frozen=True, slots=True)
class Expected:
    """What an ID token must be. max_age: seconds since the person was asked, if they had to be."""

    issuer: str
    client_id: str
    nonce: str
    algorithms: Sequence[str]
    max_age: int | None


def verify(token: str, keys: Sequence[Mapping[str, Any]], expected: Expected, now: float) -> dict[str, Any]:
    """The claims of an ID token whose signature and checks hold. keys: public JWKs. now: seconds since the epoch.

    Raises IdTokenRefused.
    """
    try:
        usable = KeySet.import_key_set({"keys": [dict(key) for key in keys]})
        registry = _registry(expected.algorithms)
        kid = _kid_of(token, registry)
        if kid is not None and kid not in {key.kid for key in usable.keys}:
            raise UnknownKey("its key is not in the provider's set")
        claims = dict(jwt.decode(token, usable, registry=registry).claims)
    except BadSignatureError as error:
        raise UnknownKey("its signature does not hold") from error
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise IdTokenRefused("its signature does not hold, or its algorithm is not taken") from error
    claims = {name: value for name, value in claims.items() if value not in (None, "")}  # which says nothing
    for check in _CHECKS:
        check(claims, expected, now)
    return claims


def _registry(algorithms: Sequence[str]) -> jws.JWSRegistry:
    """These algorithms, and in the header whatever means nothing to us."""
    registry = _Signature(algorithms=list(algorithms), strict_check_header=False)
    registry.header_registry = {name: JWS_HEADER_REGISTRY[name] for name in ("alg", "crit")}
    return registry


def _kid_of(token: str, registry: jws.JWSRegistry) -> str | None:
    kid = jws.extract_compact(token.encode(), registry=registry).headers().get("kid")
    return kid if isinstance(kid, str) else None


def _issuer(claims: Mapping[str, Any], expected: Expected, _now: float) -> None:
    if claims.get("iss") != expected.issuer:
        raise IdTokenRefused("iss is another issuer")


def _audience(claims: Mapping[str, Any], expected: Expected, _now: float) -> None:
    aud = claims.get("aud")
    audiences = [aud] if isinstance(aud, str) else aud
    if not isinstance(audiences, list) or expected.client_id not in audiences:
        raise IdTokenRefused("aud is not this client")
    if (len(audiences) > 1 or "azp" in claims) and claims.get("azp") != expected.client_id:
        raise IdTokenRefused("azp is not this client")


def _times(claims: Mapping[str, Any], _expected: Expected, now: float) -> None:
    if not _is_number(claims.get("exp")) or claims["exp"] <= now - LEEWAY:
        raise IdTokenRefused("exp is missing or over")
    if not _is_number(claims.get("iat")) or claims["iat"] > now + LEEWAY:
        raise IdTokenRefused("iat is missing or to come")


def _nonce(claims: Mapping[str, Any], expected: Expected, _now: float) -> None:
    if claims.get("nonce") != expected.nonce:
        raise IdTokenRefused("nonce is another one")


def _subject(claims: Mapping[str, Any], _expected: Expected, _now: float) -> None:
    sub = claims.get("sub")
    if not isinstance(sub, str) or not 1 <= len(sub) <= LONGEST_SUB or not sub.isprintable():
        raise IdTokenRefused("sub is missing or unusable")


def _auth_time(claims: Mapping[str, Any], expected: Expected, now: float) -> None:
    if expected.max_age is None:
        return
    asked_at = claims.get("auth_time")
    if not _is_number(asked_at) or asked_at < now - expected.max_age - LEEWAY:  # type: ignore[operator]
        raise IdTokenRefused("auth_time is missing or too long ago")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 2**53  # NaN is not


_CHECKS = (_issuer, _audience, _times, _nonce, _subject, _auth_time)
