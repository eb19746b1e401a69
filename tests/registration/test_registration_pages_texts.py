"""Registration's catalogues: whole, alike in their placeholders, no text that nobody shows, none outside of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from gettext import NullTranslations

import html5lib
import polib
import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from jinja2 import Environment

from registration import i18n, pages
from registration.i18n import LOCALES
from tests.registration.page_house import PAGES, PageHouse, build_page_house

PLACEHOLDER = re.compile(r"%\(\w+\)s")
MARKS = "⟦⟧"


def catalogue(locale: str) -> polib.POFile:
    return polib.pofile(str(i18n.FOLDER / locale / "LC_MESSAGES" / "messages.po"))


def texts_of_the_source() -> set[str]:
    """Every msgid of registration that `pybabel extract` finds, by the settings of babel.cfg."""
    with (pages.FOLDER.parent / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)
    keywords = {"N_": None, "_": None, "gettext": None}
    found = extract_from_dir(pages.FOLDER, methods, options, keywords)
    return {message[2] if isinstance(message[2], str) else message[2][0] for message in found}


@pytest.mark.parametrize("locale", LOCALES)
def test_a_catalogue_of_registration_holds_every_text_and_no_other(locale: str) -> None:
    held, used = {entry.msgid for entry in catalogue(locale)}, texts_of_the_source()
    assert (used - held, held - used) == (set(), set())


@pytest.mark.parametrize("locale", LOCALES)
def test_every_text_of_registration_is_translated_and_none_is_fuzzy_or_obsolete(locale: str) -> None:
    file = catalogue(locale)
    assert not file.untranslated_entries()
    assert not file.fuzzy_entries()
    assert not file.obsolete_entries()
    assert len({entry.msgid for entry in file}) == len(file)


@pytest.mark.parametrize("locale", LOCALES)
def test_registration_keeps_the_placeholders_and_line_ends_of_the_msgid(locale: str) -> None:
    for entry in catalogue(locale):
        assert sorted(PLACEHOLDER.findall(entry.msgstr)) == sorted(PLACEHOLDER.findall(entry.msgid))
        assert "%" not in PLACEHOLDER.sub("", entry.msgstr)
        assert entry.msgstr == entry.msgstr.strip()
        assert entry.msgstr[-1:] == entry.msgid[-1:] or entry.msgid[-1:] not in ".?:,"


def test_the_english_texts_of_registration_are_the_msgids() -> None:
    assert all(entry.msgstr == entry.msgid for entry in catalogue("en"))


@pytest.mark.parametrize("locale", ["fi", "sv"])
def test_no_word_of_the_machinery_reaches_people_who_register(locale: str) -> None:
    shown = [entry.msgstr.lower() for entry in catalogue(locale) if entry.msgid != "Error: %(title)s"]
    machinery = (
        r"\b(istunto|session|sessionen|autentisering|token|virhe|väärin|sosiaaliturvatunnus|personnummer|formulär)\b"
    )
    assert not re.search(machinery, " ".join(shown))


@pytest.mark.parametrize("locale", ["fi", "sv"])
def test_placeholders_of_registration_are_never_inflected(locale: str) -> None:
    assert not [entry.msgstr for entry in catalogue(locale) if re.search(r"%\(\w+\)s[\w:]", entry.msgstr)]


def test_registration_and_broker_say_the_same_thing_in_the_same_words() -> None:
    for locale in LOCALES:
        folder = i18n.FOLDER.parents[1] / "broker" / "translations" / locale / "LC_MESSAGES" / "messages.po"
        of_broker = {entry.msgid: entry.msgstr for entry in polib.pofile(str(folder))}
        for entry in catalogue(locale):
            assert of_broker.get(entry.msgid, entry.msgstr) == entry.msgstr


class Marking(NullTranslations):
    """Puts marks around every text, so that text without them was never given to the catalogues."""

    def gettext(self, message: str) -> str:
        return f"{MARKS[0]}{message}{MARKS[1]}"


@pytest.fixture
def marked() -> PageHouse:
    house = build_page_house()
    environment: Environment = house.pages._environments["en"]
    environment.install_gettext_translations(Marking(), newstyle=True)  # type: ignore[attr-defined]
    environment.filters["moment"] = lambda seconds: f"{MARKS[0]}{seconds}{MARKS[1]}"
    return house


def shown_texts(html: str) -> Iterable[str]:
    """Everything that a page shows or says, attributes too."""
    for element in html5lib.parse(html).iter():
        yield from (element.text or "", element.tail or "")
        for key in ("alt", "title", "aria-label", "data-show", "data-hide", "data-label"):
            yield element.get(key, "")


VALUES = re.compile(
    "0a1b2c3d|Esimerkkienergia en|010\\s123 4567|Suomi|Svenska|English|2026-11-01|What the terms are about|A text|One|"
    "ABCDEFGH|"
    "Pohjois-Hämeen Sähköurakointi ja Kiinteistöhuolto Virtanen & Pojat Oy|1234567-1|7001234|Hilja Maria|"
    "Korhonen-Lindqvist|[\\w.-]+@example.fi|hilja|Firefox, Windows|Safari, iPhone"
)


@pytest.mark.parametrize("name", PAGES)
def test_no_word_on_a_page_bypasses_the_catalogues(marked: PageHouse, name: str) -> None:
    html = marked.draw(name, "en").get_data(as_text=True)
    joined = "\n".join(shown_texts(html))
    while MARKS[0] in joined:
        joined, count = re.subn(f"{MARKS[0]}[^{MARKS}]*{MARKS[1]}", " ", joined)
        assert count
    bare = VALUES.sub(" ", joined)
    assert not re.search(r"\w{2,}", bare), re.findall(r"\w{2,}", bare)
