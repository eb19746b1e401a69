"""What an identity token says, and the checks of its claims (OpenID Connect Core §2, §3.1.3.7).

Each check is a small function; CHECKS is the order in which they run. They read values, and know no keys and no clock.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Any

from tunnus_verifier.errors import (
    Expired,
    MissingClaim,
    NotYetValid,
    TooLongAgo,
    WeakAssurance,
    WrongAudience,
    WrongClaim,
    WrongIssuer,
    WrongNonce,
    WrongParty,
)

REQUIRED = ("iss", "sub", "aud", "exp", "iat", "auth_time", "acr")
"""No token without these. `auth_time` and `acr` are always in an identity token; others may leave them out."""

TEXTS = ("sub", "acr", "idp", "txn", "nonce", "azp", "given_name", "family_name", "name", "personal_identity_code")
TIMES = ("exp", "iat", "auth_time", "nbf")
END_OF_TIME = 2**53
"""Seconds. Whole numbers below it are the same in every JSON library (RFC 8259 §6)."""


@dataclass(frozen=True, slots=True)
class IdentityClaims:
    """A verified identity token. Times are seconds since the epoch; None is a claim that the token does not have.

    claims holds all of them, unknown ones too. What tells who the person is does not show in `repr`.
    """

    iss: str
    sub: str = field(repr=False)
    aud: tuple[str, ...]
    azp: str | None
    exp: int
    iat: int
    auth_time: int
    acr: str
    amr: tuple[str, ...] | None
    idp: str | None
    txn: str | None
    nonce: str | None = field(repr=False)
    given_name: str | None = field(repr=False)
    family_name: str | None = field(repr=False)
    name: str | None = field(repr=False)
    birthdate: date | None = field(repr=False)
    personal_identity_code: str | None = field(repr=False)
    claims: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Expected:
    """What a service accepts. now: seconds since the epoch; leeway and max_age: seconds. None: not compared."""

    issuer: str
    audience: str
    authorized_parties: frozenset[str]
    accepted_acr: Collection[str] | None
    leeway: float
    max_age: float | None
    nonce: str | None
    now: float


Claims = Mapping[str, Any]
Check = Callable[[Claims, Expected], None]


def read_claims(claims: dict[str, Any], expected: Expected) -> IdentityClaims:
    """Run every check on the claims of a token whose signature is verified. Raises VerificationError."""
    claims = _usual_form(claims)
    for check in CHECKS:
        check(claims, expected)
    get = claims.get
    aud = claims["aud"]
    amr = get("amr") or None
    return IdentityClaims(
        iss=claims["iss"],
        sub=claims["sub"],
        aud=(aud,) if isinstance(aud, str) else tuple(aud),
        azp=get("azp"),
        exp=claims["exp"],
        iat=claims["iat"],
        auth_time=claims["auth_time"],
        acr=claims["acr"],
        amr=None if amr is None else tuple(amr),
        idp=get("idp"),
        txn=get("txn"),
        nonce=get("nonce"),
        given_name=get("given_name"),
        family_name=get("family_name"),
        name=get("name"),
        birthdate=_birthdate(get("birthdate")),
        personal_identity_code=get("personal_identity_code"),
        claims=MappingProxyType(claims),
    )


def _usual_form(claims: Claims) -> dict[str, Any]:
    """Optional claims that say nothing (null, an empty text or list) are left out; one method is a list of one."""
    said = {name: value for name, value in claims.items() if name in REQUIRED or value not in (None, "", [])}
    methods = said.get("amr")
    if isinstance(methods, str):
        said["amr"] = [methods]
    elif isinstance(methods, list):
        said["amr"] = [method for method in methods if method not in (None, "")]
    return said


def _required(claims: Claims, _: Expected) -> None:
    for name in REQUIRED:
        if claims.get(name) is None:
            raise MissingClaim("not there", claim=name)


def _types(claims: Claims, _: Expected) -> None:
    for name in TEXTS:
        value = claims.get(name, "-")
        if not isinstance(value, str) or not value:
            raise WrongClaim("not a text", claim=name)
    for name in TIMES:
        value = claims.get(name, 0)
        if type(value) is not int or not 0 <= value < END_OF_TIME:  # a bool is an int too
            raise WrongClaim("not whole seconds", claim=name)
    _list_of_texts(claims.get("amr") or ["-"], "amr")
    aud = claims["aud"]
    if not isinstance(aud, str):
        _list_of_texts(aud, "aud")


def _list_of_texts(value: object, name: str) -> None:
    if not isinstance(value, list) or not value or not all(isinstance(one, str) and one for one in value):
        raise WrongClaim("not a list of texts", claim=name)


def _issuer(claims: Claims, expected: Expected) -> None:
    if claims["iss"] != expected.issuer:
        raise WrongIssuer("another issuer", claim="iss")


def _audience(claims: Claims, expected: Expected) -> None:
    aud = claims["aud"]
    if expected.audience not in ((aud,) if isinstance(aud, str) else aud):
        raise WrongAudience("does not name us", claim="aud")


def _authorized_party(claims: Claims, expected: Expected) -> None:
    """OpenID Connect Core §3.1.3.7, 4 and 5. Without it any client's token would open every service it is meant for."""
    azp = claims.get("azp")
    if azp is None:
        if isinstance(claims["aud"], list) and len(claims["aud"]) > 1:
            raise WrongParty("missing, though several audiences are named", claim="azp")
    elif azp != expected.audience and azp not in expected.authorized_parties:
        raise WrongParty("not a party that we accept", claim="azp")


def _times(claims: Claims, expected: Expected) -> None:
    if claims["exp"] + expected.leeway <= expected.now:
        raise Expired("past", claim="exp")
    for name in ("iat", "nbf", "auth_time"):
        if claims.get(name, 0) - expected.leeway > expected.now:
            raise NotYetValid("in the future", claim=name)


def _age(claims: Claims, expected: Expected) -> None:
    if expected.max_age is not None and claims["auth_time"] + expected.max_age + expected.leeway < expected.now:
        raise TooLongAgo("longer ago than max_age", claim="auth_time")


def _assurance(claims: Claims, expected: Expected) -> None:
    if expected.accepted_acr is not None and claims["acr"] not in expected.accepted_acr:
        raise WeakAssurance("not an accepted level", claim="acr")


def _nonce(claims: Claims, expected: Expected) -> None:
    if expected.nonce is not None and claims.get("nonce") != expected.nonce:
        raise WrongNonce("not the one that was sent", claim="nonce")


def _birthdate(value: object) -> date | None:
    """YYYY-MM-DD (OpenID Connect Core §5.1). A year alone, which the standard allows, says too little here."""
    if value is None:
        return None
    if isinstance(value, str) and len(value) == 10:
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise WrongClaim("not a date", claim="birthdate")


CHECKS: tuple[Check, ...] = (
    _required,
    _types,
    _issuer,
    _audience,
    _authorized_party,
    _times,
    _age,
    _assurance,
    _nonce,
)
