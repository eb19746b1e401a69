"""Reading the requests of the control API: strict, and saying what is allowed."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, get_args

from mock_idp.faults import FAULTS
from mock_idp.people.faces import FACES
from mock_idp.people.personas import NotAnAdult, Persona, make_adult, personas
from mock_idp.protocol.dialects import DIALECTS
from mock_idp.protocol.issuers import SHARED, Issuer, find_issuer
from mock_idp.state import Disturbance, FaultUse, Outcome, Scripted

_PERSON = (
    "personal_identity_code",
    "given_name",
    "family_name",
    "name",
    "birthdate",
    "satu",
    "eidas",
)
LANGUAGES = ("fi", "sv", "en")
FILTERS = ("kind", "provider", "dialect", "issuer", "violations")
"""Of captured requests; the last one takes any value."""
KINDS = ("authorization", "token", "attacker")
FARTHEST = 50 * 365 * 86_400
"""Seconds by which the banks' clock may be moved."""


class Invalid(ValueError):
    """A request of the control API that cannot be read; the text says what is wrong and what is allowed."""


def _only(body: Mapping[str, Any], allowed: Iterable[str]) -> None:
    if unknown := set(body) - set(allowed):
        raise Invalid(f"unknown member {sorted(unknown)[0]}; allowed: {', '.join(allowed) or 'none'}")


def _one_of(body: Mapping[str, Any], name: str, allowed: Iterable[str], default: str | None = None) -> Any:
    value = body.get(name, default)
    if value is not None and value not in (allowed := tuple(allowed)):
        raise Invalid(f"{name} must be one of: {', '.join(allowed)}")
    return value


def read_number(body: Mapping[str, Any], name: str) -> float:
    """A number that must be there."""
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not -(10**15) <= value <= 10**15:
        raise Invalid(f"{name} must be a number")  # JSON of Python has NaN and Infinity, too
    return float(value)


def read_offset(body: Mapping[str, Any]) -> float:
    """By how many seconds the banks' clock is moved."""
    offset = read_number(body, "offset")
    if abs(offset) > FARTHEST:
        raise Invalid(f"offset must be between -{FARTHEST} and {FARTHEST} seconds")
    return offset


def read_filters(wanted: Mapping[str, str]) -> Mapping[str, str]:
    """Which captured requests are asked for: what no request can have is no filter, and would hide every one."""
    if unknown := wanted.keys() - set(FILTERS):
        raise Invalid(f"unknown filter {sorted(unknown)[0]}; allowed: {', '.join(FILTERS)}")
    for name, allowed in (("kind", KINDS), ("provider", FACES), ("dialect", DIALECTS)):
        _one_of(wanted, name, allowed)
    return wanted


def read_scripted(body: Mapping[str, Any], now: float) -> Scripted:
    """The next outcome for a face. Raises Invalid."""
    _only(body, ("provider", "dialect", "shape", "outcome", "persona", "fault", "faults", "times"))
    provider = _one_of(body, "provider", ("*", *FACES), "*")
    dialect = _one_of(body, "dialect", DIALECTS)
    faults = tuple(_fault_use(item, dialect) for item in _listed_faults(body))
    times = body.get("times", 1)
    if isinstance(times, bool) or not isinstance(times, int) or times < 0:
        raise Invalid("times must be a whole number; 0 means until a reset")
    return Scripted(
        provider=provider,
        dialect=dialect,
        shape=_one_of(body, "shape", ("shared", "own")),
        outcome=_one_of(body, "outcome", get_args(Outcome), "approve"),
        persona=_persona(body.get("persona"), now),
        faults=faults,
        times=times,
    )


def _listed_faults(body: Mapping[str, Any]) -> list[Any]:
    faults = body.get("faults", [])
    if not isinstance(faults, list):
        raise Invalid("faults must be a list of names, or of objects with name and options")
    return [*faults, body["fault"]] if "fault" in body else faults


def _fault_use(item: Any, dialect: str | None) -> FaultUse:
    options = dict(item) if isinstance(item, dict) else {"name": item}
    name = options.pop("name", None)
    fault = FAULTS.get(name) if isinstance(name, str) else None
    if fault is None:
        raise Invalid(f"no fault of the name {name!r}; GET /control/faults lists them")
    if dialect is not None and dialect not in fault.dialects:
        raise Invalid(f"{name} applies to: {', '.join(fault.dialects)}")
    _only(options, fault.options)
    return FaultUse(fault.name, {key: read_number(options, key) for key in options})


def _persona(value: Any, now: float) -> Persona | None:
    """None, an id, `random`, or an inline person; one with only a birth date is made up around it."""
    if value is None:
        return None
    if value == "random":
        return make_adult(now)
    if isinstance(value, str):
        if value not in personas(now):
            raise Invalid(f"no persona of the id {value!r}; GET /control/personas lists them")
        return personas(now)[value]
    if not isinstance(value, dict):
        raise Invalid("persona must be an id, random, or an object")
    _only(value, _PERSON)
    if not all(item is None or isinstance(item, str) for item in value.values()):
        raise Invalid("each member of persona must be a string or null")
    return _inline(value, now)


def _inline(value: Mapping[str, str | None], now: float) -> Persona:
    birthdate = value.get("birthdate")
    if "personal_identity_code" not in value and "eidas" not in value:
        try:
            made = make_adult(now, date.fromisoformat(birthdate) if birthdate else None)
        except (NotAnAdult, ValueError) as error:
            raise Invalid(f"persona.birthdate: {error}") from error
        value = {
            "personal_identity_code": made.personal_identity_code,
            "given_name": made.given_name,
            "family_name": made.family_name,
            **value,
        }
    persona = Persona(
        id=f"inline-{secrets.token_hex(4)}",
        title="Given inline",
        personal_identity_code=value.get("personal_identity_code"),
        given_name=value.get("given_name"),
        family_name=value.get("family_name"),
        name=value.get("name"),
        birthdate=birthdate,
        satu=value.get("satu"),
        eidas=value.get("eidas"),
    )
    try:
        _ = persona.born
    except (ValueError, IndexError) as error:
        raise Invalid("persona.personal_identity_code tells no date of birth: mend it, or add birthdate") from error
    return persona


def read_issuers(body: Mapping[str, Any]) -> list[Issuer]:
    """The issuers a request names by realm and dialect; without a dialect all three. Raises Invalid."""
    _only(body, ("realm", "dialect", "kind"))
    realm = _one_of(body, "realm", (SHARED, *FACES), SHARED)
    dialect = _one_of(body, "dialect", DIALECTS)
    found = [find_issuer(realm, name) for name in ([dialect] if dialect else DIALECTS)]
    return [issuer for issuer in found if issuer]


def _texts(body: Mapping[str, Any], name: str) -> Mapping[str, str]:
    value = body.get(name, {})
    if isinstance(value, str):
        return dict.fromkeys(LANGUAGES, value)
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise Invalid(f"{name} must be a text, or an object of texts by language")
    _only(value, LANGUAGES)
    return value


def read_disturbance(body: Mapping[str, Any]) -> tuple[str, Disturbance | None, frozenset[str] | None]:
    """Whom a disturbance touches, its notice (None ends it), and the providers not listed (None: as before)."""
    _only(body, ("provider", "header", "text", "unlisted"))
    provider = _one_of(body, "provider", ("*", *FACES), "*")
    header, text = _texts(body, "header"), _texts(body, "text")
    unlisted = body.get("unlisted")
    if unlisted is not None and (not isinstance(unlisted, list) or not set(map(str, unlisted)) <= set(FACES)):
        raise Invalid(f"unlisted must be a list of: {', '.join(FACES)}")
    notice = Disturbance(header, text) if header or text else None
    return provider, notice, None if unlisted is None else frozenset(unlisted)


def read_notice_fault(body: Mapping[str, Any], known: Iterable[str]) -> str | None:
    """How the notices are bent from now on; None ends it. Raises Invalid."""
    _only(body, ("fault",))
    return _one_of(body, "fault", sorted(known))  # type: ignore[no-any-return]
