"""The catalogues of kit and the services: whole, alike in their placeholders, no text that nobody shows."""

from __future__ import annotations

import re
from functools import cache
from itertools import combinations
from pathlib import Path

import polib
import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg

from kit.pages.languages import LOCALES

ROOT = Path(__file__).parents[3]
SERVICES = ("broker", "registration", "customer_service")
PACKAGES = ("kit", *SERVICES)
PLACEHOLDER = re.compile(r"%\(\w+\)s")
each_catalogue = pytest.mark.parametrize(
    ("package", "locale"), [(package, locale) for package in PACKAGES for locale in LOCALES]
)


def catalogue(package: str, locale: str) -> polib.POFile:
    return polib.pofile(str(ROOT / package / "pages" / "translations" / locale / "LC_MESSAGES" / "messages.po"))


@cache
def texts_of_the_source(package: str) -> set[str]:
    """Every msgid that `pybabel extract` finds, by the settings of babel.cfg."""
    with (ROOT / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)
    keywords = {"N_": None, "_": None, "gettext": None}
    found = extract_from_dir(ROOT / package, methods, options, keywords)
    return {message[2] if isinstance(message[2], str) else message[2][0] for message in found}


def shared_texts() -> set[str]:
    """What the pages of all services have, and what more than one service says."""
    said = [texts_of_the_source(service) for service in SERVICES]
    return texts_of_the_source("kit").union(*(one & other for one, other in combinations(said, 2)))


@each_catalogue
def test_a_catalogue_holds_every_text_and_no_other(package: str, locale: str) -> None:
    shared = shared_texts()
    used = shared if package == "kit" else texts_of_the_source(package) - shared
    held = {entry.msgid for entry in catalogue(package, locale)}
    assert (used - held, held - used) == (set(), set())


@each_catalogue
def test_every_text_is_translated_and_none_is_fuzzy_or_obsolete(package: str, locale: str) -> None:
    file = catalogue(package, locale)
    assert not file.untranslated_entries()
    assert not file.fuzzy_entries()
    assert not file.obsolete_entries()
    assert len({entry.msgid for entry in file}) == len(file)


@each_catalogue
def test_placeholders_and_line_ends_are_those_of_the_msgid(package: str, locale: str) -> None:
    for entry in catalogue(package, locale):
        assert sorted(PLACEHOLDER.findall(entry.msgstr)) == sorted(PLACEHOLDER.findall(entry.msgid))
        assert "%" not in PLACEHOLDER.sub("", entry.msgstr)
        assert entry.msgstr == entry.msgstr.strip()
        assert entry.msgstr[-1:] == entry.msgid[-1:] or entry.msgid[-1:] not in ".?:,"


@pytest.mark.parametrize("package", PACKAGES)
def test_the_english_texts_are_the_msgids(package: str) -> None:
    assert all(entry.msgstr == entry.msgid for entry in catalogue(package, "en"))


@pytest.mark.parametrize(("package", "locale"), [(package, locale) for package in PACKAGES for locale in ("fi", "sv")])
def test_no_word_of_the_machinery_reaches_people_and_no_placeholder_is_inflected(package: str, locale: str) -> None:
    shown = [entry.msgstr.lower() for entry in catalogue(package, locale) if entry.msgid != "Error: %(title)s"]
    machinery = (
        r"\b(istunto|session|sessionen|autentisering|token|virhe|väärin|sosiaaliturvatunnus|personnummer|formulär)\b"
    )
    assert not re.search(machinery, " ".join(shown))
    assert not [text for text in shown if re.search(r"%\(\w+\)s[\w:]", text)]
