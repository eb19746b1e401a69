"""The personas: artificial, of every kind that a relying party must cope with."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime

import pytest
from stdnum.fi import hetu

from mock_idp.people.faces import FACES
from mock_idp.people.identity_code import birthdate_of, personal_identity_code
from mock_idp.people.personas import INVALID_CODES, NotAnAdult, make_adult, personas, personas_of

NOW = time.time()


def today(now: float) -> date:
    return datetime.fromtimestamp(now, UTC).date()


def test_every_code_is_artificial_or_one_of_the_published_invalid_ones() -> None:
    for persona in personas(NOW).values():
        code = persona.personal_identity_code
        if code is not None and code not in INVALID_CODES:
            assert 900 <= int(code[7:10]) <= 999, persona.id


def test_the_check_character_is_right_unless_a_refusal_is_expected() -> None:
    for persona in personas(NOW).values():
        code = persona.personal_identity_code
        if code is not None and persona.expected_code is None:
            assert hetu.is_valid(code, allow_temporary=True), persona.id
            assert persona.born == birthdate_of(code).isoformat()


@pytest.mark.parametrize(
    ("born", "individual", "separator", "code"),
    [
        (date(1994, 5, 1), 902, "Y", "010594Y9021"),
        (date(1994, 5, 2), 903, "X", "020594X903P"),
        (date(2016, 5, 1), 903, "B", "010516B903X"),
        (date(1800, 1, 1), 901, "+", "010100+901H"),
        (date(2007, 5, 15), 904, "A", "150507A904N"),
        (date(2004, 2, 29), 902, "A", "290204A902E"),
        (date(1970, 7, 7), 905, None, "070770-905D"),
    ],
)
def test_codes_are_made_as_the_decree_says(born: date, individual: int, separator: str | None, code: str) -> None:
    assert personal_identity_code(born, individual, separator) == code
    assert birthdate_of(code) == born


@pytest.mark.parametrize("face", FACES)
def test_every_face_has_a_first_person_who_can_be_identified(face: str) -> None:
    own, others = personas_of(face, NOW)
    assert own[0].expected_code is None
    assert len(others) > 15


def test_the_minor_is_always_fifteen() -> None:
    for now in (NOW, NOW + 10 * 365 * 86400):
        born = date.fromisoformat(personas(now)["minor"].born or "")
        assert (today(now) - born).days // 365 == 15


def test_made_adults_are_adults_with_valid_artificial_codes() -> None:
    for _ in range(50):
        adult = make_adult(NOW)
        assert adult.personal_identity_code is not None
        assert hetu.is_valid(adult.personal_identity_code, allow_temporary=True)
        assert (today(NOW) - date.fromisoformat(adult.born or "")).days >= 18 * 365


def test_nobody_under_age_is_made() -> None:
    this_day = today(NOW)
    with pytest.raises(NotAnAdult):
        make_adult(NOW, this_day.replace(year=this_day.year - 17, day=1))


def test_there_is_a_persona_for_each_variant_of_names_codes_and_phones() -> None:
    wanted = {
        "name-capitals",
        "name-diacritics",
        "name-hyphenated",
        "name-three-given",
        "name-two-word-surname",
        "name-only",
        "name-given-missing",
        "name-opaque",
        "name-family-first",
        "name-given-first",
        "code-separator-y",
        "code-separator-x",
        "code-separator-b",
        "born-1800s",
        "minor",
        "foreign-eidas",
        "birthdate-differs",
        "code-invalid-check",
        "mobile-after-3-polls",
        "mobile-cancel",
        "mobile-time-out",
        "mobile-wrong-spam-code",
        "mobile-unknown-number",
        "mobile-satu",
    }
    assert wanted <= personas(NOW).keys()
