"""Languages: which one a page has, the time of day and the order of names."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from flask import Flask, request

from kit.pages import languages
from kit.pages.languages import Languages

LANGUAGES = Languages.of_service({}, "fi")


@pytest.mark.parametrize(
    ("locale", "expected"),
    [
        ("fi", "24.11.2026 klo\N{NO-BREAK SPACE}1.04"),
        ("sv", "24.11.2026 kl.\N{NO-BREAK SPACE}1.04"),
        ("en", "24 November 2026, 01:04"),
    ],
)
def test_time_is_that_of_helsinki(locale: str, expected: str) -> None:
    assert languages.format_time(datetime(2026, 11, 23, 23, 4, tzinfo=UTC), locale) == expected


def test_summer_time_is_kept() -> None:
    assert languages.format_time(datetime(2026, 7, 1, 9, 0, tzinfo=UTC), "fi") == "1.7.2026 klo\N{NO-BREAK SPACE}12.00"


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
    assert sorted(names, key=languages.collation_key) == expected


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
