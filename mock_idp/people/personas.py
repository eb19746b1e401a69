"""The persons of the mock banks: published test persons, one for each variant of the data, and adults made on demand.

All codes are artificial (900-999). Sources: Telia integration guide §1.4, Idura's and Signicat's test pages,
OP Identity Service Broker API §9; where those name no person, the name is ours.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Literal

from mock_idp.people.identity_code import ARTIFICIAL, birthdate_of, personal_identity_code

PhoneOutcome = Literal["approve", "cancel", "time_out", "wrong_spam_code", "unknown_number"]


@dataclass(frozen=True, slots=True)
class Phone:
    """What a mobile certificate's holder does: after so many looks at the waiting page, this."""

    outcome: PhoneOutcome
    polls: int = 1


@dataclass(frozen=True, slots=True)
class Persona:
    """One artificial person, as a bank knows them.

    name: how the display name reads, where it is not made of the parts in the dialect's order. birthdate: ISO;
    None: as the code tells. split: given and family name are known. expected_code and expected_step: the
    refusal a relying party should answer with, None for an identification.
    """

    id: str
    title: str
    personal_identity_code: str | None = field(repr=False)
    given_name: str | None
    family_name: str | None
    name: str | None = None
    birthdate: str | None = None
    satu: str | None = None
    eidas: str | None = None
    faces: tuple[str, ...] = ()
    phone: Phone | None = None
    expected_code: str | None = None
    expected_step: str | None = None

    @property
    def split(self) -> bool:
        """Whether the bank knows the parts of the name."""
        return self.given_name is not None or self.family_name is not None

    @property
    def born(self) -> str | None:
        """The birth date a bank tells, ISO."""
        if self.birthdate or self.personal_identity_code is None:
            return self.birthdate
        return birthdate_of(self.personal_identity_code).isoformat()

    def display_name(self, *, family_name_first: bool) -> str:
        """The display name in a dialect's order."""
        if self.name is not None:
            return self.name
        parts = (self.family_name, self.given_name) if family_name_first else (self.given_name, self.family_name)
        return " ".join(part for part in parts if part)


def _published(id_: str, face: str, code: str, given: str, family: str, **more: Any) -> Persona:
    return Persona(id_, f"{given} {family}", code, given, family, faces=(face,), **more)


_PUBLISHED = (
    _published("tero-ayramo", "aktia", "010170-999R", "Tero Testi", "Äyrämö"),
    _published("dan-testman", "danske-bank", "220768-905K", "Dan", "Testman"),
    _published("hanna-testlund", "handelsbanken", "010190-999W", "Hanna", "Testlund"),
    _published("tessa-testila", "nooa", "010280-952L", "TESSA", "TESTILÄ"),
    _published("onni-korhonen", "nordea", "010200A9618", "Onni Juhani", "Korhonen"),
    _published("aino-virtanen", "nordea", "291292-918R", "Aino Olivia", "Virtanen"),
    _published("eino-makinen", "nordea", "030883-925M", "Eino Ilmari", "Mäkinen"),
    _published("helmi-nieminen", "nordea", "170677-924F", "Helmi Aurora", "Nieminen"),
    _published("eppu-uusivalimerkki", "nordea", "030516D9026", "Eppu Aura", "Uusivälimerkki"),
    _published("vaino-tunnistus", "op", "070770-905D", "Väinö", "Tunnistus"),
    _published("matti-von-mottonen", "op", "010100-969P", "Matti Matias", "von Möttonen"),
    _published("paula-testinen", "pop", "220750-999Y", "Paula", "Testinen"),
    _published("sanna-testilainen", "s-banken", "270996-997L", "Sanna", "Testiläinen"),
    _published("testi-tapio", "lokaltapiola", "010170-960F", "Testi", "Tapio"),
    _published("alva-testholm", "alandsbanken", "141002A909X", "Alva", "Testholm"),
    _published("maija-mobiili", "mobile-certificate", "261202A9985", "Maija", "Mobiili"),
)

INVALID_CODES = ("280453-111A", "010101-000Z", "010100A001N")
"""Published test codes with a wrong check character: only an exact allow-list may let one through."""


def _invalid(id_: str, face: str, code: str, given: str, family: str) -> Persona:
    return Persona(
        id_,
        f"Published code with a wrong check character ({given} {family})",
        code,
        given,
        family,
        faces=(face,),
        expected_code="integrity_error",
        expected_step="normalise",
    )


_NAMES = (
    Persona("name-capitals", "Name in capitals", "010100A902J", "TEEMU", "TESTAAJA"),
    Persona("name-diacritics", "Å, Ä, Ö, é and š", "010100A902J", "Åke André", "Öšterä"),
    Persona("name-hyphenated", "Hyphenated given name", "010100A902J", "Anna-Liisa Hilkka", "Testinen"),
    Persona("name-three-given", "Three given names", "010100A902J", "Matti Elmeri Valdemar", "Testinen"),
    Persona("name-two-word-surname", "Surname of two words", "010100A902J", "Maria", "von Essen"),
    Persona("name-only", "Only a display name, not split", "010100A902J", None, None, name="Testinen Toini"),
    Persona("name-given-missing", "No given name", "010100A902J", None, "Testinen", name="Testinen Toini"),
    Persona("name-opaque", "Display name is an opaque id", "010100A902J", "Toini", "Testinen", name="_19cfbd64a0f2"),
    Persona(
        "name-family-first", "Display name family first", "010100A902J", "Toini", "Testinen", name="Testinen Toini"
    ),
    Persona("name-given-first", "Display name given first", "010100A902J", "Toini", "Testinen", name="Toini Testinen"),
)

_CODES = (
    Persona("code-separator-y", "New separator Y (born 1994)", "010594Y9021", "Ypsilon", "Testinen"),
    Persona("code-separator-x", "New separator X (born 1994)", "020594X903P", "Xaver", "Testinen"),
    Persona("code-separator-b", "New separator B (born 2002)", "141002B909X", "Birgit", "Testinen"),
    Persona("born-1900", "Born in 1900", "010100-969P", "Impi", "Testinen"),
    Persona("born-1800s", "Born in the 1800s (+)", "010100+901H", "Hilma", "Testinen"),
    Persona(
        "code-invalid-check",
        "Wrong check character",
        "010100A902K",
        "Virhe",
        "Testinen",
        expected_code="integrity_error",
        expected_step="normalise",
    ),
    Persona(
        "birthdate-differs",
        "Date of birth that the code does not tell",
        "010100A902J",
        "Ero",
        "Testinen",
        birthdate="2001-01-01",
        expected_code="integrity_error",
        expected_step="normalise",
    ),
    Persona(
        "foreign-eidas",
        "No personal identity code, an eIDAS identifier",
        None,
        "Erik",
        "Utlänning",
        birthdate="1985-05-17",
        eidas="FI/SE/198505170000",
        expected_code="not_supported",
        expected_step="normalise",
    ),
    _invalid("danske-published", "danske-bank", "280453-111A", "Testi", "Danske"),
    _invalid("danske-published-2", "danske-bank", "010101-000Z", "Testi", "Danskebank"),
    _invalid("nooa-published", "nooa", "010100A001N", "TEEMU", "TESTAAJA"),
    _invalid("handelsbanken-published", "handelsbanken", "010100A001N", "Testi", "Handelsbank"),
)


def _phone(outcome: PhoneOutcome, title: str, polls: int = 1) -> Persona:
    name = outcome.replace("_", "-") if outcome != "approve" else f"after-{polls}-polls"
    code = (
        None
        if outcome == "approve"
        else "idp_failed"
        if outcome in ("wrong_spam_code", "unknown_number")
        else "cancelled"
    )
    return Persona(
        f"mobile-{name}",
        title,
        "261202A9985",
        "Maija",
        "Mobiili",
        faces=("mobile-certificate",),
        phone=Phone(outcome, polls),
        expected_code=code,
        expected_step="response" if code else None,
    )


_PHONES = (
    _phone("approve", "Confirms after three looks at the page", 3),
    _phone("cancel", "Cancels on the phone"),
    _phone("time_out", "Never answers: five minutes"),
    _phone("wrong_spam_code", "Wrong spam prevention code"),
    _phone("unknown_number", "Unknown phone number"),
    Persona(
        "mobile-satu",
        "Electronic client identifier (SATU) present",
        "261202A9985",
        "Maija",
        "Mobiili",
        satu="11223344D",
        faces=("mobile-certificate",),
    ),
)

_FIXED = (*_PUBLISHED, *_NAMES, *_CODES, *_PHONES)
_GIVEN = ("Aada", "Eero", "Linnea", "Väinö", "Siiri", "Åke", "Helmi", "Onni", "Fredrika", "Toivo")
_FAMILY = ("Testinen", "Koemäki", "Mallinen", "Provström", "Esimerkki", "Testlund", "Kokeilu", "Näytelä")


def _today(now: float) -> date:
    return datetime.fromtimestamp(now, UTC).date()


def _years_before(today: date, years: int) -> date:
    return today.replace(year=today.year - years, day=min(today.day, 28))


def personas(now: float) -> Mapping[str, Persona]:
    """Every fixed person by id; the minor is always fifteen. now: seconds since the epoch."""
    minor = personal_identity_code(_years_before(_today(now), 15), 903)
    young = Persona("minor", "Minor of fifteen", minor, "Minna", "Testinen")
    return {persona.id: persona for persona in (*_FIXED, young)}


def personas_of(face: str, now: float) -> tuple[list[Persona], list[Persona]]:
    """The persons a face knows: its own ones first, and those that any face may show."""
    everyone = personas(now).values()
    own = [persona for persona in everyone if face in persona.faces]
    return own, [persona for persona in everyone if not persona.faces]


def default_persona(face: str, now: float) -> Persona:
    """The first person of a face, used where a script names none."""
    return personas_of(face, now)[0][0]


class NotAnAdult(ValueError):
    """A birth date on which no adult of today was born."""


def make_adult(now: float, birthdate: date | None = None) -> Persona:
    """A made-up adult with an artificial code; birthdate: theirs, else drawn. Raises NotAnAdult."""
    today = _today(now)
    oldest, youngest = date(1900, 1, 1), _years_before(today, 18)
    if birthdate is None:
        first = date(1930, 1, 1).toordinal()
        birthdate = date.fromordinal(first + secrets.randbelow(youngest.toordinal() - first))
    if not oldest <= birthdate <= youngest:
        raise NotAnAdult(f"an adult is born between {oldest} and {youngest}")
    code = personal_identity_code(birthdate, secrets.choice(ARTIFICIAL))
    return Persona(
        f"made-{secrets.token_hex(4)}", "Made on demand", code, secrets.choice(_GIVEN), secrets.choice(_FAMILY)
    )
