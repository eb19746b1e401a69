"""Names as a bank sends them become names that can be shown."""

from __future__ import annotations

from typing import Any

import pytest

from providers.errors import IntegrityError
from tests.harness.engine.bank import Bank
from tests.harness.engine.identities import FAMILY, GIVEN, WHOLE, identity_of, not_normalised
from tests.harness.engine.parts import CODE, make_connection

NAMES: list[tuple[Any, Any, Any, str]] = [
    ("Tero Testi", "Äyrämö", "Äyrämö Tero Testi", "Tero Testi Äyrämö"),
    ("Matti Matias", "von Möttonen", None, "Matti Matias von Möttonen"),
    ("TEEMU", "TESTAAJA", "TESTAAJA TEEMU", "TEEMU TESTAAJA"),
    ("Anna-Liisa Hilkka", "MCDONALD-Šéf", "x", "Anna-Liisa Hilkka MCDONALD-Šéf"),
    ("A\u0308iti", "Ma\u0308kinen", None, "Äiti Mäkinen"),
    (None, None, "Virtanen Aino Olivia", "Virtanen Aino Olivia"),
    (None, "Virtanen", "Virtanen Aino", "Virtanen Aino"),
    ("Aino", None, None, "Aino"),
    (None, "Virtanen", "_19cfbd64a1b2c3d4e5f6", "Virtanen"),
    (None, "Virtanen", "event-7f3a", "Virtanen"),
    ("  Aino ", "Virtanen\n", None, "Aino Virtanen"),
    ("", "Virtanen", "Virtanen Aino", "Virtanen Aino"),
]


@pytest.mark.parametrize(("given", "family", "whole", "shown"), NAMES)
def test_the_name_is_built_of_its_parts_and_never_split(
    bank: Bank, given: Any, family: Any, whole: Any, shown: str
) -> None:
    identity = identity_of(bank, **{GIVEN: given, FAMILY: family, WHOLE: whole})
    assert identity.name == shown
    assert (identity.given_name is None, identity.family_name is None) == (not given, not family)


def test_names_are_not_in_the_identitys_repr(bank: Bank) -> None:
    shown = repr(identity_of(bank))
    assert all(word not in shown for word in ("Aino", "Testi", "1990", CODE))


BAD_NAMES: list[tuple[str, Any]] = [
    (GIVEN, 7),
    (GIVEN, ["Aino"]),
    (FAMILY, {"a": 1}),
    (FAMILY, True),
    (WHOLE, 7),
]


@pytest.mark.parametrize(("claim", "value"), BAD_NAMES)
def test_a_name_that_is_no_text_is_refused(bank: Bank, claim: str, value: Any) -> None:
    parts: dict[str, Any] = {} if claim != WHOLE else {GIVEN: None, FAMILY: None}
    not_normalised(IntegrityError, claim, bank, **parts, **{claim: value})


LEFT_OUT: dict[str, tuple[str, str]] = {
    "a dash of Windows-1252": ("Virtanen\x96Korhonen", "VirtanenKorhonen"),
    "a bell": ("Te\x07sti", "Testi"),
    "NUL": ("\x00Testi\x00", "Testi"),
    "a tab": ("von\tTesti", "von Testi"),
    "a line break": ("von\r\nTesti", "von  Testi"),
    "a line separator": ("von\u2028Testi", "von Testi"),
    "a byte order mark": ("\ufeffTesti", "Testi"),
    "the other direction": ("\u202eTesti\u202c", "Testi"),
    "a soft hyphen": ("Virta\xadnen", "Virtanen"),
    "nothing of any width": ("Te\u200bsti", "Testi"),
    "what is not assigned": ("Testi\U000e0fff\uffff", "Testi"),
    "half a surrogate pair": ("Testi\ud83d", "Testi"),
    "private use": ("Testi\ue000", "Testi"),
    "what comes together when it is gone": ("A\x00\u0308yra\u0308mo\u0308", "Äyrämö"),
    "kept: joiners": ("\u0645\u06cc\u200c\u0631", "\u0645\u06cc\u200c\u0631"),
    "kept: an apostrophe, a full stop, a hyphen": ("O’Connor-Št. 'x", "O’Connor-Št. 'x"),
}


@pytest.mark.parametrize("row", LEFT_OUT)
def test_what_no_name_holds_is_left_out_of_it(bank: Bank, row: str) -> None:
    sent, read = LEFT_OUT[row]
    identity = identity_of(bank, **{FAMILY: sent})
    assert (identity.family_name, identity.name) == (read, f"Aino Olivia {read}")


CUT: dict[str, tuple[str, str]] = {
    "as long as may be": ("a" * 200, "a" * 200),
    "one too long": ("a" * 201, "a" * 200),
    "far too long": ("a" * 20_000, "a" * 200),
    "a letter with a mark at the edge": ("a" * 199 + "x\u0323\u0331b", "a" * 199),
    "a joined letter at the edge": ("a" * 198 + "b\u200dc", "a" * 198),
    "a space at the edge": ("a" * 199 + " b", "a" * 199),
    "long by what is left out": ("a" * 200 + "\x96" * 50, "a" * 200),
    "long by what comes together": ("a\u0308" * 200, "ä" * 200),
    "beyond the basic plane": ("\U00020000" * 201, "\U00020000" * 200),
    "marks alone": ("a" + "\u0331" * 300, "a" + "\u0331" * 199),
}


@pytest.mark.parametrize("row", CUT)
def test_a_name_that_is_too_long_is_cut_at_a_whole_character(bank: Bank, row: str) -> None:
    sent, read = CUT[row]
    assert identity_of(bank, **{GIVEN: sent}).given_name == read


@pytest.mark.parametrize("nothing", ["", " ", "\t", "\x00\x96", "\u200b\ufeff"])
def test_a_name_of_which_nothing_is_left_is_no_name(bank: Bank, nothing: str) -> None:
    assert identity_of(bank, **{GIVEN: nothing}).given_name is None
    not_normalised(IntegrityError, WHOLE, bank, **dict.fromkeys((GIVEN, FAMILY, WHOLE), nothing))


@pytest.mark.parametrize("whole", [None, "event-7f3a", "_19cfbd64a1b2c3d4e5f6", "{19cfbd64-a1b2-c3d4-e5f6}", "", 7])
def test_an_answer_without_any_name_is_refused(bank: Bank, whole: Any) -> None:
    not_normalised(IntegrityError, WHOLE, bank, **{GIVEN: None, FAMILY: None, WHOLE: whole})


def test_where_no_names_were_asked_none_is_needed(bank: Bank) -> None:
    nameless = {"given_name": None, "family_name": None, "name": None}
    identity = identity_of(bank, make_connection("isb"), names_asked=False, **nameless)
    assert (identity.name, identity.given_name, identity.family_name) == ("", None, None)
