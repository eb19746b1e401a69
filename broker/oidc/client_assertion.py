"""`private_key_jwt`: a client proves itself by a JWT that it has signed (RFC 7523 §3, OpenID Connect Core §9).

Authlib's verifier takes a life of ten years, a foreign second audience and any algorithm that joserfc
recommends; so the whole of it is ours. Reasons are constants: nothing of the assertion is repeated in one.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.util import urlsafe_b64decode

from broker.oidc.clients import Client
from broker.store import Entry, Key, Store

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ALGORITHMS = ("RS256", "ES256", "PS256")
LONGEST_LIFE = 600
"""Seconds an assertion may still live."""
CLOCK_SKEW = 60
"""Seconds a client's clock may differ from ours. A `jti` is remembered for longer than exp and skew together."""

_LONGEST_JTI = 512


class ClientRefused(Exception):
    """A client has not proved itself; the reason is a constant of ours, for the log and the client."""


@dataclass(frozen=True, slots=True)
class Assertion:
    """A client assertion whose signature holds. audiences: our issuer and token endpoint; now: seconds."""

    client_id: str
    claims: dict[str, Any]
    audiences: frozenset[str]
    now: float


class AssertionVerifier:
    """Verifies client assertions. audiences: the values one may be made out to; store: keeps each `jti`."""

    def __init__(self, audiences: frozenset[str], store: Store, clock: Callable[[], float]) -> None:
        self._audiences = audiences
        self._store = store
        self._clock = clock

    def verify(self, assertion: str, client_of: Callable[[str], Client | None]) -> Client:
        """Return the client that signed the assertion, each of CHECKS held and its `jti` used up.

        Raises ClientRefused; StoreUnavailable if the `jti` cannot be kept.
        """
        header, unverified_claims = _unverified(assertion)
        client_id = unverified_claims.get("sub")
        client = client_of(client_id) if isinstance(client_id, str) else None
        if client is None:
            raise ClientRefused("sub is not a known client")
        if client.auth_method != "private_key_jwt":
            raise ClientRefused("the client is registered for another method")
        claims = _verified_claims(assertion, header, unverified_claims, client)
        checked = Assertion(client.client_id, claims, self._audiences, self._clock())
        for check in CHECKS:
            check(checked)
        self._use_up(checked)
        return client

    def _use_up(self, assertion: Assertion) -> None:
        key = Key("jti", "", f"{assertion.client_id}\x00{assertion.claims['jti']}")
        # Longer than the assertion can be accepted: exp may lie a skew ahead, and is honoured a skew late.
        ttl = int(assertion.claims["exp"] - assertion.now) + 2 * CLOCK_SKEW
        if not self._store.put_new(Entry(key, {}, ttl)):
            raise ClientRefused("jti was used before")


def _unverified(assertion: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The header and claims as they came, only to find the client and its key."""
    if assertion.count(".") != 2:
        raise ClientRefused("not a compact JWS")
    header, claims, _ = assertion.encode().split(b".")
    return _object(header), _object(claims)


def _object(part: bytes) -> dict[str, Any]:
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


def _verified_claims(
    assertion: str, header: dict[str, Any], unverified_claims: dict[str, Any], client: Client
) -> dict[str, Any]:
    """The claims, once the signature holds by a registered key, of the header's `kid` if it names one."""
    alg, kid = header.get("alg"), header.get("kid")
    if alg not in ALGORITHMS:
        raise ClientRefused("alg is not accepted")
    if "crit" in header or "b64" in header:
        raise ClientRefused("the header has an extension")
    candidates = [
        registered
        for registered in client.signing_keys
        if alg in registered.algorithms and (kid is None or registered.kid in (None, kid))
    ]
    for candidate in candidates:
        try:
            jws.deserialize_compact(assertion, candidate.key, algorithms=[alg])
        except (JoseError, ValueError):
            continue
        return unverified_claims
    raise ClientRefused("no registered key verifies the signature")


def _issuer_is_the_client(assertion: Assertion) -> None:
    if assertion.claims.get("iss") != assertion.client_id:
        raise ClientRefused("iss must be the client_id")


def _audience_is_ours_alone(assertion: Assertion) -> None:
    audience = assertion.claims.get("aud")
    if isinstance(audience, list) and len(audience) == 1:
        audience = audience[0]
    if not isinstance(audience, str) or audience not in assertion.audiences:
        raise ClientRefused("aud must be exactly one value, our issuer or our token endpoint")


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
