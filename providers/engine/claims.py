"""What the ID token says: every claim in its order, once the signature holds.

Each check is a small function that reads values; CHECKS is the order in which they run.
Sources: OpenID Connect Core §3.1.3.7; FTN profile, ID token checks.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from providers.engine.assurance import LEVELS, is_enough
from providers.engine.compact import given, seconds
from providers.errors import IntegrityError, Step
from providers.model import UnverifiedClaims

STEP = Step.ID_TOKEN
_HALF_PAIR = re.compile(r"[\ud800-\udfff]")
OLDEST = 3600
"""Seconds since `iat` after which a token is refused whatever its `exp` says: banks give 10 minutes."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What the claims must fit. started_at, now, skew: seconds. test: the level is to be one of test, else of none."""

    issuer: str
    client_id: str
    nonce: str = field(repr=False)
    acr_values: tuple[str, ...]
    test: bool
    started_at: int
    now: int
    skew: int
    access_token: str | None = field(default=None, repr=False)


Claims = UnverifiedClaims


def check_issuer(claims: Claims, expected: Expected) -> None:
    """`iss` is the connection's issuer, character by character."""
    _require(claims.get("iss") == expected.issuer, "iss", "it is another issuer, or missing")


def check_audience(claims: Claims, expected: Expected) -> None:
    """`aud` is our client id and nobody else's, as a string or a list."""
    audience = claims.get("aud")
    audiences = [audience] if isinstance(audience, str) else audience
    _require(isinstance(audiences, list) and audiences == [expected.client_id], "aud", "it is not for us alone")


def check_authorized_party(claims: Claims, expected: Expected) -> None:
    """`azp`, if present, is our client id."""
    _require("azp" not in claims or claims["azp"] == expected.client_id, "azp", "it is another client")


def check_expiry(claims: Claims, expected: Expected) -> None:
    """`exp` lies ahead."""
    _require(_seconds(claims, "exp") > expected.now - expected.skew, "exp", "the token has expired")


def check_issue_time(claims: Claims, expected: Expected) -> None:
    """`iat` is neither in the future nor long past, and `nbf`, if present, is past."""
    issued = _seconds(claims, "iat")
    _require(issued <= expected.now + expected.skew, "iat", "the token is from the future")
    _require(issued >= expected.now - OLDEST, "iat", "the token is too old")
    if "nbf" in claims:
        _require(_seconds(claims, "nbf") <= expected.now + expected.skew, "nbf", "the token is not valid yet")


def check_nonce(claims: Claims, expected: Expected) -> None:
    """`nonce` is the one of this attempt."""
    _require(claims.get("nonce") == expected.nonce, "nonce", "it is another nonce, or missing")


def check_subject(claims: Claims, expected: Expected) -> None:
    """`sub` is there; it is a reference of the event, nothing hangs on it."""
    subject = claims.get("sub")
    _require(isinstance(subject, str) and 0 < len(subject) <= 255, "sub", "it is missing or no string")


def check_assurance(claims: Claims, expected: Expected) -> None:
    """`acr` is the FTN's word for a level at or above the lowest one that was asked for, of this environment."""
    acr = claims.get("acr")
    level = LEVELS.get(acr) if isinstance(acr, str) else None
    if level is None:
        raise IntegrityError(STEP, "the level of assurance is none of the FTN's", claim="acr")
    _require(level.test == expected.test, "acr", "it belongs to another environment")
    _require(is_enough(str(acr), expected.acr_values), "acr", "the level of assurance is not accepted")


def check_authentication_time(claims: Claims, expected: Expected) -> None:
    """`auth_time` lies within this attempt: a bank's session must not identify the next person."""
    at = _seconds(claims, "auth_time")
    _require(at >= expected.started_at - expected.skew, "auth_time", "it is older than the request")
    _require(at <= expected.now + expected.skew, "auth_time", "it is in the future")


def check_access_token_hash(claims: Claims, expected: Expected) -> None:
    """`at_hash`, if present, fits the access token (OpenID Connect Core §3.1.3.6)."""
    if "at_hash" not in claims:
        return
    digest = hashlib.sha256((expected.access_token or "").encode(errors="surrogatepass")).digest()
    wanted = base64.urlsafe_b64encode(digest[:16]).decode().rstrip("=")
    _require(expected.access_token is not None and claims["at_hash"] == wanted, "at_hash", "it fits no access token")


def check_authentication_methods(claims: Claims, expected: Expected) -> None:
    """`amr`, if present, is a list of strings, few and short enough to hand on, without half a surrogate pair."""
    methods = claims.get("amr", [])
    _require(isinstance(methods, list) and all(isinstance(m, str) for m in methods), "amr", "it is no list of strings")
    _require(len(methods) <= 10 and all(len(m) <= 255 for m in methods), "amr", "it is too long")
    _require(not _HALF_PAIR.search("".join(methods)), "amr", "it holds half a surrogate pair")


CHECKS: tuple[Callable[[Claims, Expected], None], ...] = (
    check_issuer,
    check_audience,
    check_authorized_party,
    check_expiry,
    check_issue_time,
    check_nonce,
    check_subject,
    check_assurance,
    check_authentication_time,
    check_access_token_hash,
    check_authentication_methods,
)


def usual_form(claims: dict[str, Any]) -> UnverifiedClaims:
    """What says nothing is left out, before anything is checked; methods are a list, also where there is one only."""
    said = given(claims)
    methods = said.get("amr")
    if isinstance(methods, str | list):
        said["amr"] = [methods] if isinstance(methods, str) else [one for one in methods if one not in (None, "")]
    return UnverifiedClaims(said)


def _seconds(claims: Claims, name: str) -> float:
    value = seconds(claims.get(name))
    if value is None:
        raise IntegrityError(STEP, "it is missing or no time", claim=name)
    return value


def _require(holds: bool, claim: str, reason: str) -> None:
    if not holds:
        raise IntegrityError(STEP, reason, claim=claim)
