"""Faults of the claims of the person: code, birth date, names."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from mock_idp.faults.model import ALL_DIALECTS, Fault, Minting, Where
from mock_idp.people.identity_code import personal_identity_code, spoil_check
from mock_idp.protocol.dialects import PersonClaims

Bend = Callable[[dict[str, Any], PersonClaims], None]


def _fault(
    name: str, title: str, bend: Bend, code: str | None = "integrity_error", dialects: tuple[str, ...] = ALL_DIALECTS
) -> Fault:
    def claims(values: dict[str, Any], minting: Minting) -> None:
        bend(values, minting.request.issuer.dialect.claims)

    step = "normalise" if code else None
    return Fault(name, title, Where.CLAIMS, expected_code=code, expected_step=step, dialects=dialects, claims=claims)


def _code(change: Callable[[str], Any]) -> Bend:
    def bend(values: dict[str, Any], names: PersonClaims) -> None:
        values[names.personal_identity_code] = change(values[names.personal_identity_code])

    return bend


def _real_range(values: dict[str, Any], names: PersonClaims) -> None:
    # A code of the register's own range, but of 1890: nobody alive has it.
    born = date(1890, 1, 1)
    values[names.personal_identity_code] = personal_identity_code(born, 2)
    values[names.birthdate] = born.isoformat()


def _set(claim: str, value: Any) -> Bend:
    def bend(values: dict[str, Any], names: PersonClaims) -> None:
        values[getattr(names, claim)] = value

    return bend


def _drop(*claims: str) -> Bend:
    def bend(values: dict[str, Any], names: PersonClaims) -> None:
        for claim in claims:
            values.pop(getattr(names, claim), None)

    return bend


def _impossible_date(code: str) -> str:
    digits = f"310203{code[7:10]}"
    return f"310203{code[6]}{code[7:10]}{'0123456789ABCDEFHJKLMNPRSTUVWXY'[int(digits) % 31]}"


FAULTS = (
    _fault("hetu-missing", "No personal identity code", _drop("personal_identity_code"), "not_supported"),
    _fault("hetu-empty", "The personal identity code is empty", _set("personal_identity_code", ""), "not_supported"),
    _fault("hetu-invalid-check", "Its check character is wrong", _code(spoil_check)),
    _fault("hetu-impossible-date", "It tells 31 February", _code(_impossible_date)),
    _fault("hetu-truncated", "Its last character is cut off", _code(lambda code: code[:-1])),
    _fault("hetu-wrong-type", "It is a list", _code(lambda code: [code])),
    _fault("hetu-without-separator", "It comes without its separator", _code(lambda code: code[:6] + code[7:])),
    _fault("hetu-real-range", "It is of the range that the register gives out", _real_range),
    _fault("hetu-birthdate-mismatch", "The birth date is another one", _set("birthdate", "1951-03-07")),
    _fault("birthdate-malformed", "The birth date is no ISO date", _set("birthdate", "1.2.1970")),
    _fault("birthdate-wrong-type", "The birth date is a number", _set("birthdate", 19700101)),
    _fault("names-missing", "No name at all", _drop("given_name", "family_name", "name")),
    _fault("given-name-wrong-type", "The given name is a list", _set("given_name", ["Aino"])),
    _fault("hetu-lowercase", "It comes in lower case", _code(str.lower), None),
    _fault("hetu-with-spaces", "Spaces around it", _code(lambda code: f" {code} "), None),
    _fault("birthdate-missing", "No birth date", _drop("birthdate"), None),
    _fault("family-name-control-character", "A control character in a name", _set("family_name", "Test\x96"), None),
    _fault("given-name-with-tab", "A tab within the given names", _set("given_name", "Aino\tOlivia"), None),
    _fault("given-name-long", "A given name of 300 characters", _set("given_name", "Aino" * 75), None),
    _fault("name-with-markup", "Markup in the given name", _set("given_name", "<b>Aino</b>"), None),
)
