"""What the shipped templates hold to be filled in is found, and what an operator writes is not taken for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from kit.settings.placeholders import is_placeholder_phone, placeholder_files, placeholder_in

CONFIG = Path(__file__).parents[3] / "config"


@pytest.mark.parametrize("folder", ["terms/2026-11-01", "accessibility"])
def test_every_shipped_text_is_found_in_each_language(folder: str) -> None:
    found = [problem.wrong for problem in placeholder_files(CONFIG / folder, ("x",), brackets=True)]
    assert len(found) == 3


@pytest.mark.parametrize(
    "text",
    [
        "write to help@energy.example",
        "see https://www.example.com/privacy",
        "call +358 9 000 0000 now",
        "call 09-0000000",
        "Exempelenergi Ab",
        "*These terms are made up. The company writes its own.*",
    ],
)
def test_what_is_to_be_filled_in_is_found(text: str) -> None:
    assert placeholder_in(text, prose=True) is not None


@pytest.mark.parametrize(
    "text",
    [
        "write to help@energia.fi, for example on weekdays",
        "esimerkki, exempel, example: an example of a bill",
        "call +358 20 123 4567",
        "[WCAG 2.2](https://www.w3.org/TR/WCAG22/)",
        "https://www.saavutettavuusvaatimukset.fi",
    ],
)
def test_what_an_operator_writes_is_no_placeholder(text: str) -> None:
    assert placeholder_in(text, prose=True) is None


@pytest.mark.parametrize("phone", ["+358 9 000 0000", "09 000 0000", "(09) 0000000", "+358-9-000-0000", "0000000"])
def test_a_number_that_nobody_has_is_found_in_any_form(phone: str) -> None:
    assert is_placeholder_phone(phone)
