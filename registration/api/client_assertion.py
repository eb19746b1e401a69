"""`private_key_jwt`: a client proves itself by a JWT that it has signed (RFC 7523 §3, RFC 8725 §3).

The signature is PyJWT's; the claims are checked here, because it reads the clock itself, takes any life time, and
demands neither `exp` nor `jti`. Reasons are constants: nothing of the assertion is repeated in one.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jwt import PyJWK, PyJWS
from jwt.exceptions import PyJWTError

from registration.settings_report import ConfigurationError, Problem

ALGORITHMS = {"EC": "ES256", "RSA": "RS256"}
"""By the kind of the key, so that the header cannot choose."""
LONGEST_LIFE = 600
"""Seconds an assertion may still live."""
CLOCK_SKEW = 60
"""Seconds a client's clock may differ from ours. A `jti` is remembered for longer than exp and skew together."""

_JWS = PyJWS(algorithms=list(ALGORITHMS.values()))
_LONGEST = 4096
_LONGEST_JTI = 512
_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_TYPES = {"jwt", "client-authentication+jwt"}
"""RFC 7515 §4.1.9, without `application/`. Other kinds of JWT have types of their own (RFC 8725 §3.11)."""


class ClientRefused(Exception):
    """A client has not proved itself; the reason is a constant of ours, for the log."""


@dataclass(frozen=True, slots=True)
class Assertion:
    """A client assertion whose signature holds. now: seconds since the epoch."""

    client_id: str
    claims: dict[str, Any]
    audiences: frozenset[str]
    now: float


class SigningKeys:
    """The keys that clients sign with, read once. jwks: public JWKs by client, each with a `kid`.

    Raises ConfigurationError for a client that has none to sign with.
    """

    def __init__(self, jwks: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
        self._keys = {
            client: [PyJWK(dict(jwk), ALGORITHMS[jwk["kty"]]) for jwk in _signing(jwks[client])] for client in jwks
        }
        problems = [_no_key(client) for client, keys in self._keys.items() if not keys]
        if problems:
            raise ConfigurationError("clients of the API", problems)

    def of(self, client_id: Any) -> list[PyJWK] | None:
        """The keys of a client; None if it has none, or does not exist."""
        return self._keys.get(client_id) if isinstance(client_id, str) else None


def read_assertion(compact: str, keys: SigningKeys, audiences: frozenset[str], now: float) -> Assertion:
    """A client assertion, its signature and each of CHECKS held. Its `jti` is still to be used up.

    compact: as it came. audiences: the values it may be made out to. Raises ClientRefused.
    """
    if len(compact) > _LONGEST or not _COMPACT.fullmatch(compact):
        raise ClientRefused("not a compact JWS")
    unverified_header, unverified_claims = (_object(part) for part in compact.split(".")[:2])
    client_id = unverified_claims.get("sub")
    candidates = keys.of(client_id)
    if candidates is None:
        raise ClientRefused("sub is not a client that is set up for private_key_jwt")
    _check_header(unverified_header)
    _verify_signature(compact, unverified_header, candidates)
    assertion = Assertion(str(client_id), unverified_claims, audiences, now)
    for check in CHECKS:
        check(assertion)
    return assertion


def _signing(jwks: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Without the keys that are published for another use or algorithm."""
    return [
        jwk
        for jwk in jwks
        if jwk.get("use", "sig") == "sig" and jwk.get("alg", ALGORITHMS[jwk["kty"]]) == ALGORITHMS[jwk["kty"]]
    ]


def _no_key(client: str) -> Problem:
    allowed = 'EC P-256 for ES256, RSA for RS256, "use": "sig"'
    return Problem(("api", "clients", client, "jwks"), "has no key for signing", allowed=allowed, mend="add one")


def _object(part: str) -> dict[str, Any]:
    """The header or the claims, as they came."""
    try:
        text = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode()
        value = json.loads(text, object_pairs_hook=_without_duplicates)
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


def _check_header(header: Mapping[str, Any]) -> None:
    if "crit" in header or "b64" in header:
        raise ClientRefused("the header has an extension")
    typ = header.get("typ", "JWT")
    if not isinstance(typ, str) or typ.lower().removeprefix("application/") not in _TYPES:
        raise ClientRefused("typ is not that of a client assertion")


def _verify_signature(compact: str, header: Mapping[str, Any], candidates: Sequence[PyJWK]) -> None:
    """By a key of the client, of the header's `kid` if it names one. PyJWS refuses any `alg` but that key's."""
    kid = header.get("kid")
    for key in candidates:
        if kid in (None, key.key_id):
            try:
                _JWS.decode_complete(compact, key, algorithms=[key.algorithm_name])
            except PyJWTError:
                continue
            return
    raise ClientRefused("no key of the client verifies the signature")


def _issuer_is_the_client(assertion: Assertion) -> None:
    if assertion.claims.get("iss") != assertion.client_id:
        raise ClientRefused("iss must be the client's id")


def _audience_is_ours_alone(assertion: Assertion) -> None:
    audience = assertion.claims.get("aud")
    if isinstance(audience, list) and len(audience) == 1:
        audience = audience[0]
    if not isinstance(audience, str) or audience not in assertion.audiences:
        raise ClientRefused("aud must be exactly one value, our address or the endpoint's")


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
