"""Verified claims become an Identity: typed, checked against each other, nothing invented.

Sources: FTN profile, claims and identifiers; Decree 690/2022 (separators of the personal identity code);
python-stdnum `fi.hetu` for the check character and the real-date check.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from typing import Any, Literal

from stdnum.exceptions import ValidationError
from stdnum.fi import hetu

from providers.connection import Connection
from providers.errors import IntegrityError, NotSupported, Step
from providers.model import Assurance, Evidence, Identifier, Identity, Provider, VerifiedClaims

STEP = Step.NORMALISE
LONGEST_NAME = 200
"""Characters."""

LEVELS: dict[str, tuple[Literal["substantial", "high"], bool]] = {
    "http://ftn.ficora.fi/2017/loa2": ("substantial", False),
    "http://ftn.ficora.fi/2017/loa3": ("high", False),
    "http://ftn.ficora.fi/2017/loatest2": ("substantial", True),
    "http://ftn.ficora.fi/2017/loatest3": ("high", True),
}
"""Each level of assurance of the FTN, and whether it is one of the test environment."""

CENTURIES = {"+": 1800} | dict.fromkeys("-YXWVU", 1900) | dict.fromkeys("ABCDEF", 2000)

_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}\Z")
_OPAQUE = re.compile(r"[_{]?[0-9A-Fa-f]{8}[0-9A-Fa-f-]{8,}\}?\Z")


def normalise(
    claims: VerifiedClaims, connection: Connection, provider: Provider | None, evidence_kids: tuple[str, str]
) -> Identity:
    """The Identity of verified claims. evidence_kids: the bank's signing kid and our encryption kid.

    Raises NotSupported (no personal identity code) or IntegrityError at `normalise`.
    """
    names = connection.dialect.claims
    code = _identity_code(claims, connection)
    given, family = _name(claims, names.given_name), _name(claims, names.family_name)
    methods = tuple(claims.get("amr", ()))
    return Identity(
        identifier=Identifier("hetu", "FI", code),
        given_name=given,
        family_name=family,
        name=_display_name(claims, connection, given, family),
        birthdate=_birthdate(claims, connection, code),
        assurance=_assurance(claims, connection),
        provider=provider.id if provider else None,
        provider_known=_how_known(methods, connection, provider),
        amr=methods,
        auth_time=int(claims["auth_time"]),
        evidence=Evidence(_reference(claims, connection), *evidence_kids),
    )


def _identity_code(claims: VerifiedClaims, connection: Connection) -> str:
    claim = connection.dialect.claims.personal_identity_code
    value = claims.get(claim)
    if value is None or value == "":
        raise NotSupported(STEP, "the answer holds no personal identity code", claim=claim)
    if not isinstance(value, str):
        raise _mismatch("the personal identity code is no string", claim)
    code = value.strip().upper()
    if connection.test and code in connection.allowed_identity_codes:
        return code
    try:
        hetu.validate(code, allow_temporary=True)
    except ValidationError as error:
        raise _mismatch("the personal identity code is not valid", claim) from error
    if len(code) != 11 or hetu.compact(code) != code:
        raise _mismatch("the personal identity code is not valid", claim)
    artificial = int(code[7:10]) >= 900
    if artificial != connection.test:
        raise _mismatch("an artificial personal identity code in production, or a real one in test", claim)
    return code


def _birthdate(claims: VerifiedClaims, connection: Connection, code: str) -> date:
    """Derived from the code; the claim, where there is one, must say the same."""
    claim = connection.dialect.claims.birthdate
    try:
        derived = date(CENTURIES[code[6]] + int(code[4:6]), int(code[2:4]), int(code[0:2]))
    except (KeyError, ValueError) as error:
        raise _mismatch("the personal identity code holds no date", claim) from error
    said = claims.get(claim)
    if said is None:
        return derived
    if not isinstance(said, str) or not _ISO_DATE.match(said) or said != derived.isoformat():
        raise _mismatch("the birth date is not that of the personal identity code", claim)
    return derived


def _name(claims: VerifiedClaims, claim: str) -> str | None:
    """A name as received, in NFC; the whole string, never split, never re-cased."""
    value: Any = claims.get(claim)
    if value is None:
        return None
    if not isinstance(value, str):
        raise _mismatch("a name is no string", claim)
    name = unicodedata.normalize("NFC", value.strip())
    if len(name) > LONGEST_NAME or any(unicodedata.category(character) == "Cc" for character in name):
        raise _mismatch("a name has no acceptable form", claim)
    return name or None


def _display_name(claims: VerifiedClaims, connection: Connection, given: str | None, family: str | None) -> str:
    """Given before family, built from the two parts; the bank's own, which it orders as it likes, only without them."""
    if given and family:
        return f"{given} {family}"
    claim = connection.dialect.claims.name
    whole = _name(claims, claim)
    if whole and whole != claims.get("sub") and not _OPAQUE.match(whole):
        return whole
    if given or family:
        return given or family or ""
    raise _mismatch("the answer holds no name", claim)


def _assurance(claims: VerifiedClaims, connection: Connection) -> Assurance:
    level, test = LEVELS.get(claims["acr"], (None, None))
    if level is None:
        raise _mismatch("the level of assurance is none of the FTN's", "acr")
    if test != connection.test:
        raise _mismatch("the level of assurance belongs to another environment", "acr")
    return Assurance(level, claims["acr"])


def _how_known(
    methods: tuple[str, ...], connection: Connection, provider: Provider | None
) -> Literal["confirmed", "chosen", "unknown"]:
    """Where the answer names the bank, it must be the chosen one."""
    if provider is None:
        return "unknown"
    if connection.dialect.names_bank_in is None or not methods:
        return "chosen"
    wanted = {*provider.amr, connection.selectors.get(provider.id)} - {None}
    if not wanted:
        return "chosen"
    if {method.rsplit("/", 1)[-1] for method in methods}.isdisjoint(wanted):
        raise _mismatch("the answer names another bank than the chosen one", "amr")
    return "confirmed"


def _reference(claims: VerifiedClaims, connection: Connection) -> str | None:
    """The bank's own reference of the event, unless it holds the personal identity code."""
    code = str(claims.get(connection.dialect.claims.personal_identity_code))
    for name in connection.dialect.claims.reference:
        value = claims.get(name)
        if isinstance(value, str) and value and code.strip().upper() not in value.upper():
            return value[:255]
    return None


def _mismatch(reason: str, claim: str) -> IntegrityError:
    return IntegrityError(STEP, reason, claim=claim)
