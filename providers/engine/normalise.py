"""Verified claims become an Identity: typed, checked against each other, nothing invented.

Sources: FTN profile, claims and identifiers; Decree 690/2022 (separators of the personal identity code);
python-stdnum `fi.hetu` for the check character and the real-date check.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime
from typing import Literal

from stdnum.exceptions import InvalidFormat, ValidationError
from stdnum.fi import hetu

from providers.connection import Connection
from providers.engine.assurance import LEVELS
from providers.errors import IntegrityError, NotSupported, Step
from providers.model import Assurance, Evidence, Identifier, Identity, Provider, VerifiedClaims
from providers.registry import PROVIDERS

STEP = Step.NORMALISE
LONGEST_NAME = 200
"""Characters."""
NO_LETTERS = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
"""Unicode categories that no name holds: control and formatting characters, unassigned and private ones, breaks."""
JOINERS = frozenset("\u200c\u200d")
"""The formatting characters that some scripts write within names."""

CENTURIES = {"+": 1800} | dict.fromkeys("-YXWVU", 1900) | dict.fromkeys("ABCDEF", 2000)

_PLAIN = re.compile(r"[0-9]{6}[-+A-Z][0-9]{3}[0-9A-Z]\Z")
_OPAQUE = re.compile(r"[_{]?[0-9A-Fa-f]{8}[0-9A-Fa-f-]{8,}\}?\Z")


_METHODS = frozenset(method for provider in PROVIDERS.values() for method in provider.amr)
"""Every word by which a bank shows itself in an answer."""


def normalise(
    claims: VerifiedClaims,
    connection: Connection,
    provider: Provider | None,
    evidence_kids: tuple[str, str],
    *,
    names_asked: bool = True,
) -> Identity:
    """The Identity of verified claims. evidence_kids: the bank's signing kid and our encryption kid.

    names_asked: an answer without any name is refused; else the Identity's name may be empty.
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
        name=_display_name(claims, connection, given, family, names_asked),
        birthdate=_birthdate(claims, connection, code),
        assurance=Assurance(LEVELS[claims["acr"]].level, claims["acr"]),
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
    code = value.strip(" ").upper()
    if connection.test and code in connection.allowed_identity_codes:
        return code
    try:
        if not _PLAIN.match(code):  # python-stdnum takes digits of every script, and a dash of every kind
            raise InvalidFormat
        hetu.validate(code, allow_temporary=True)
    except ValidationError as error:
        raise _mismatch("the personal identity code is not valid", claim) from error
    artificial = int(code[7:10]) >= 900
    if artificial != connection.test:
        raise _mismatch("an artificial personal identity code in production, or a real one in test", claim)
    return code


def _birthdate(claims: VerifiedClaims, connection: Connection, code: str) -> date:
    """Derived from the code; the claim, where there is one, must say the same."""
    names = connection.dialect.claims
    try:
        derived = date(CENTURIES[code[6]] + int(code[4:6]), int(code[2:4]), int(code[0:2]))
    except (IndexError, KeyError, ValueError) as error:
        raise _mismatch("the personal identity code holds no date", names.personal_identity_code) from error
    if not connection.test and derived > datetime.fromtimestamp(claims["auth_time"], UTC).date():
        raise _mismatch("the personal identity code is of somebody who is not born yet", names.personal_identity_code)
    if claims.get(names.birthdate) not in (None, derived.isoformat()):
        raise _mismatch("the birth date is not that of the personal identity code", names.birthdate)
    return derived


def _name(claims: VerifiedClaims, claim: str) -> str | None:
    """A name as received, in NFC; the whole string, never split, never re-cased.

    The personal identity code identifies, not the name: so what no name holds is left out of it (a tab or a line
    break is a space), and what is too long is cut.
    """
    value = claims.get(claim)
    if value is None:
        return None
    if not isinstance(value, str):
        raise _mismatch("a name is no string", claim)
    letters = "".join(_letter(character) for character in value)
    return _cut(unicodedata.normalize("NFC", letters).strip()) or None


def _letter(character: str) -> str:
    if unicodedata.category(character) not in NO_LETTERS or character in JOINERS:
        return character
    return " " if character.isspace() else ""


def _cut(name: str) -> str:
    """At most LONGEST_NAME characters; a letter keeps its marks, or goes with them."""
    end = LONGEST_NAME
    if len(name) <= end:
        return name
    while end and (unicodedata.category(name[end]).startswith("M") or {name[end], name[end - 1]} & JOINERS):
        end -= 1
    return name[: end or LONGEST_NAME].rstrip()


def _display_name(
    claims: VerifiedClaims, connection: Connection, given: str | None, family: str | None, names_asked: bool
) -> str:
    """Given before family, built from the two parts; the bank's own, which it orders as it likes, only without them."""
    if given and family:
        return f"{given} {family}"
    claim = connection.dialect.claims.name
    whole = _name(claims, claim)
    if whole and whole != claims.get("sub") and not _OPAQUE.match(whole):
        return whole
    if names_asked and not (given or family):
        raise _mismatch("the answer holds no name", claim)
    return given or family or ""


def _how_known(
    methods: tuple[str, ...], connection: Connection, provider: Provider | None
) -> Literal["confirmed", "chosen", "unknown"]:
    """Where the answer names the bank, it must be the chosen one."""
    if provider is None:
        return "unknown"
    if connection.dialect.names_bank_in is None or not methods:
        return "chosen"
    wanted = {*provider.amr, connection.selectors.get(provider.id)} - {None}
    named = {method.rsplit("/", 1)[-1] for method in methods}
    # Of a bank whose own word is not known, at least no other bank's may stand there.
    wrong = named.isdisjoint(wanted) if wanted else bool(named & _METHODS)
    if wrong:
        raise _mismatch("the answer names another bank than the chosen one", "amr")
    return "confirmed" if wanted else "chosen"


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
