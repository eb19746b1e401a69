"""`private_key_jwt`: a client proves itself by a JWT that it has signed (RFC 7523 §3, OpenID Connect Core §9).

Authlib's verifier takes a life of ten years, a foreign second audience and any algorithm that joserfc recommends; so
the whole of it is ours. Nothing of an assertion is repeated in a reason.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import Key, import_key
from joserfc.util import urlsafe_b64decode

from kit.client_authentication.errors import ClientRefused

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ALGORITHMS = ("RS256", "ES256", "PS256")
LONGEST_LIFE = 600
"""Seconds an assertion may still live."""
CLOCK_SKEW = 60
"""Seconds a client's clock may differ from ours. A `jti` is remembered for longer than exp and skew together."""

_ALGORITHMS_OF = {("RSA", None): ("RS256", "PS256"), ("EC", "P-256"): ("ES256",)}
"""What a kind of key may sign a client assertion with."""
_LONGEST = 4096
_LONGEST_JTI = 512
_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_TYPES = {"jwt", "client-authentication+jwt"}
"""RFC 7515 §4.1.9, without `application/`. Other kinds of JWT have types of their own (RFC 8725 §3.11)."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A client's public key for its assertions, and the algorithms it may be used with."""

    kid: str | None
    algorithms: tuple[str, ...]
    key: Key = field(repr=False)


@dataclass(frozen=True, slots=True)
class Assertion:
    """A client assertion whose signature holds. audiences: that it may be made out to. now: seconds since the epoch."""

    client_id: str
    claims: dict[str, Any]
    audiences: frozenset[str]
    now: float

    @property
    def remembered_for(self) -> int:
        """Seconds for which its `jti` must be kept as used: exp may lie a skew ahead, and is honoured a skew late."""
        return int(self.claims["exp"] - self.now) + 2 * CLOCK_SKEW


def signing_keys(jwks: Sequence[Mapping[str, Any]]) -> tuple[SigningKey, ...]:
    """The keys of a client that it may sign with; those published for another use or algorithm are left out."""
    found = []
    for jwk in jwks:
        algorithms = _ALGORITHMS_OF.get((jwk["kty"], jwk.get("crv")), ())
        narrowed = tuple(alg for alg in algorithms if jwk.get("alg", alg) == alg)
        if jwk.get("use", "sig") == "sig" and narrowed:
            found.append(SigningKey(jwk.get("kid"), narrowed, public_key(jwk)))
    return tuple(found)


def public_key(jwk: Mapping[str, Any]) -> Key:
    """The bare key. What else its JWK says of it has been read by us, and must not be read otherwise by a library."""
    return import_key({name: str(jwk[name]) for name in ("kty", "n", "e", "crv", "x", "y") if name in jwk})


def read_assertion(
    compact: str, keys_of: Callable[[str, str | None], Sequence[SigningKey]], audiences: frozenset[str], now: float
) -> Assertion:
    """A client assertion, its signature and each of CHECKS held. Its `jti` is still to be used up.

    compact: as it came. keys_of: the keys of a client by its id, and the unverified `kid` that was named; may raise
    ClientRefused itself. audiences: the values it may be made out to. Raises ClientRefused.
    """
    if len(compact) > _LONGEST or not _COMPACT.fullmatch(compact):
        raise ClientRefused("not a compact JWS")
    unverified_header, unverified_claims = (_object(part) for part in compact.encode().split(b".")[:2])
    client_id = unverified_claims.get("sub")
    if not isinstance(client_id, str):
        raise ClientRefused("sub is not a known client")
    kid = unverified_header.get("kid")
    _verify_signature(compact, unverified_header, keys_of(client_id, kid if isinstance(kid, str) else None))
    assertion = Assertion(client_id, unverified_claims, audiences, now)
    for check in CHECKS:
        check(assertion)
    return assertion


def _object(part: bytes) -> dict[str, Any]:
    """The header or the claims, as they came."""
    try:
        value = json.loads(urlsafe_b64decode(part), object_pairs_hook=_without_duplicates)
    except (ValueError, RecursionError) as error:
        raise ClientRefused("header or claims are not JSON") from error
    if not isinstance(value, dict):
        raise ClientRefused("header or claims are not a JSON object")
    return value


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ClientRefused("a member is repeated")
    return value


def _verify_signature(compact: str, header: Mapping[str, Any], keys: Sequence[SigningKey]) -> None:
    """By a registered key, of the header's `kid` if it names one; the key's kind decides what `alg` may be."""
    alg, kid, typ = header.get("alg"), header.get("kid"), header.get("typ", "JWT")
    if alg not in ALGORITHMS:
        raise ClientRefused("alg is not accepted")
    if "crit" in header or "b64" in header:
        raise ClientRefused("the header has an extension")
    if not isinstance(typ, str) or typ.lower().removeprefix("application/") not in _TYPES:
        raise ClientRefused("typ is not that of a client assertion")
    for candidate in keys:
        if alg in candidate.algorithms and (kid is None or candidate.kid in (None, kid)):
            try:
                jws.deserialize_compact(compact, candidate.key, algorithms=[alg])
            except (JoseError, ValueError):
                continue
            return
    raise ClientRefused("no registered key verifies the signature")


def _issuer_is_the_client(assertion: Assertion) -> None:
    if assertion.claims.get("iss") != assertion.client_id:
        raise ClientRefused("iss must be the client_id")


def _audience_is_ours_alone(assertion: Assertion) -> None:
    audience = assertion.claims.get("aud")
    if isinstance(audience, list) and len(audience) == 1:
        audience = audience[0]
    if not isinstance(audience, str) or audience not in assertion.audiences:
        raise ClientRefused("aud must be exactly one value: our issuer, or this endpoint")


def _has_not_expired(assertion: Assertion) -> None:
    if assertion.now >= _seconds(assertion, "exp") + CLOCK_SKEW:
        raise ClientRefused("exp is past")


def _expires_soon(assertion: Assertion) -> None:
    if _seconds(assertion, "exp") > assertion.now + LONGEST_LIFE + CLOCK_SKEW:
        raise ClientRefused("exp must be within 10 minutes")


def _was_issued_sanely(assertion: Assertion) -> None:
    if "iat" not in assertion.claims:
        return
    issued = _seconds(assertion, "iat")
    if not assertion.now - LONGEST_LIFE - CLOCK_SKEW <= issued <= assertion.now + CLOCK_SKEW:
        raise ClientRefused("iat lies in the future, or more than 10 minutes back")


def _may_be_used_already(assertion: Assertion) -> None:
    if "nbf" in assertion.claims and _seconds(assertion, "nbf") > assertion.now + CLOCK_SKEW:
        raise ClientRefused("nbf lies in the future")


def _has_an_id(assertion: Assertion) -> None:
    jti = assertion.claims.get("jti")
    if not isinstance(jti, str) or not 1 <= len(jti) <= _LONGEST_JTI or not jti.isprintable():
        raise ClientRefused("jti must be a printable string of 1 to 512 characters")


def _seconds(assertion: Assertion, claim: str) -> float:
    value = assertion.claims.get(claim)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1 << 40:
        raise ClientRefused(f"{claim} must be a number of seconds")
    return float(value)


CHECKS: tuple[Callable[[Assertion], None], ...] = (
    _issuer_is_the_client,
    _audience_is_ours_alone,
    _has_not_expired,
    _expires_soon,
    _was_issued_sanely,
    _may_be_used_already,
    _has_an_id,
)
