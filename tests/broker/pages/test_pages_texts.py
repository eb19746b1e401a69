"""The catalogues: whole, alike in their placeholders, and no text in them that nobody shows."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import polib
import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from flask import Flask, request

from broker import i18n
from broker.i18n import LOCALES, Languages

ROOT = Path(__file__).parents[3]
LANGUAGES = Languages.of_service({}, "fi")


def catalogue(locale: str) -> polib.POFile:
    return polib.pofile(str(i18n.FOLDER / locale / "LC_MESSAGES" / "messages.po"))


def texts_of_the_source() -> set[str]:
    """Every msgid that `pybabel extract` finds, by the settings of babel.cfg."""
    with (ROOT / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)
    keywords = {"N_": None, "_": None, "gettext": None}
    found = extract_from_dir(ROOT / "broker", methods, options, keywords)
    return {message[2] if isinstance(message[2], str) else message[2][0] for message in found}


@pytest.mark.parametrize("locale", LOCALES)
def test_a_catalogue_holds_every_text_and_no_other(locale: str) -> None:
    assert {entry.msgid for entry in catalogue(locale)} == texts_of_the_source()


@pytest.mark.parametrize("locale", LOCALES)
def test_every_text_is_translated_and_none_is_fuzzy_or_obsolete(locale: str) -> None:
    file = catalogue(locale)
    assert not file.untranslated_entries()
    assert not file.fuzzy_entries()
    assert not file.obsolete_entries()


@pytest.mark.parametrize("locale", LOCALES)
def test_placeholders_and_line_ends_are_those_of_the_msgid(locale: str) -> None:
    for entry in catalogue(locale):
        assert sorted(re.findall(r"%\(\w+\)s", entry.msgstr)) == sorted(re.findall(r"%\(\w+\)s", entry.msgid))
        assert entry.msgstr == entry.msgstr.strip()
        assert entry.msgstr[-1:] == entry.msgid[-1:] or entry.msgid[-1:] not in ".?"


def test_the_english_texts_are_the_msgids() -> None:
    assert all(entry.msgstr == entry.msgid for entry in catalogue("en"))


@pytest.mark.parametrize("locale", ["fi", "sv"])
def test_no_word_of_the_machinery_reaches_people(locale: str) -> None:
    text = " ".join(entry.msgstr.lower() for entry in catalogue(locale))
    assert not re.search(
        r"\b(istunto|session|autentisering|token|virhe|väärin|sosiaaliturvatunnus|personnummer)\b", text
    )


@pytest.mark.parametrize(
    ("locale", "expected"),
    [
        ("fi", "24.11.2026 klo\N{NO-BREAK SPACE}1.04"),
        ("sv", "24.11.2026 kl.\N{NO-BREAK SPACE}1.04"),
        ("en", "24 November 2026, 01:04"),
    ],
)
def test_time_is_that_of_helsinki(locale: str, expected: str) -> None:
    assert i18n.format_time(datetime(2026, 11, 23, 23, 4, tzinfo=UTC), locale) == expected


def test_summer_time_is_kept() -> None:
    assert i18n.format_time(datetime(2026, 7, 1, 9, 0, tzinfo=UTC), "fi") == "1.7.2026 klo\N{NO-BREAK SPACE}12.00"


def test_names_are_in_the_order_of_a_finnish_list() -> None:
    names = ["Ålandsbanken", "Öresund", "S-Pankki", "Äyrämö", "Aktia", "S Zeta", "POP Pankki", "Éclair", "OP", "1822"]
    expected = [
        "1822",
        "Aktia",
        "Éclair",
        "OP",
        "POP Pankki",
        "S Zeta",
        "S-Pankki",
        "Ålandsbanken",
        "Äyrämö",
        "Öresund",
    ]
    assert sorted(names, key=i18n.collation_key) == expected


@pytest.mark.parametrize(
    ("asked", "address", "cookie", "accepted", "expected"),
    [
        ("de sv-FI en", "en", "en", "en", "sv"),
        (None, "en", "sv", "sv", "en"),
        ("de", "x", "sv", "en", "sv"),
        (None, "", "kl", "de, en-GB;q=0.8", "en"),
        (None, "", "", "de", "fi"),
        ("", "<script>", "\N{SNOWMAN}", "", "fi"),
        (" ".join(["de"] * 5000) + " sv", "", "", "", "fi"),
    ],
)
def test_language_is_the_clients_then_the_addresss_the_cookies_the_browsers(
    asked: str | None, address: str, cookie: str, accepted: str, expected: str
) -> None:
    headers = {"Cookie": f"tunnus_locale={cookie}".encode().decode("latin-1"), "Accept-Language": accepted}
    with Flask("texts").test_request_context("/", query_string={"ui_locales": address}, headers=headers):
        assert LANGUAGES.of(request, asked) == expected


def test_the_default_language_is_a_setting() -> None:
    with Flask("texts").test_request_context("/"):
        assert Languages(LANGUAGES.names, "sv").of(request) == "sv"
