"""Languages of the pages: which one a request gets, the texts, the time of day and the order of names.

The texts are gettext catalogues with English msgids, `translations/<language>/LC_MESSAGES/messages.po`. They are
read once, when the pages are made, and compiled in memory: there is no build step and no file to forget.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations
from flask import Request, Response

Locale = Literal["fi", "sv", "en"]

LOCALES: tuple[Locale, ...] = ("fi", "sv", "en")
"""Every language of the pages, in the order of their links."""
LANGUAGE_NAMES: Mapping[Locale, str] = {"fi": "Suomi", "sv": "Svenska", "en": "English"}
COOKIE = "tunnus_locale"
PARAMETER = "ui_locales"
FOLDER = Path(__file__).parent / "translations"

HELSINKI = ZoneInfo("Europe/Helsinki")
_TIME_PATTERNS: Mapping[str, str] = {
    "fi": "d.M.y 'klo'\N{NO-BREAK SPACE}H.mm",
    "sv": "d.M.y 'kl.'\N{NO-BREAK SPACE}H.mm",
    "en": "d MMMM y, HH:mm",
}
_ALPHABET = "abcdefghijklmnopqrstuvwxyzåäö"
_MOST_TAGS = 20
"""How many language tags of a request are looked at; a list can be as long as an address."""


def N_(text: str) -> str:
    """Mark a text for the catalogues where it is not translated yet; returns it as it is."""
    return text


def first_supported(tags: str | None) -> Locale | None:
    """The first language we have in a list of BCP 47 tags (`ui_locales`, OpenID Connect Core §3.1.2.1)."""
    for tag in (tags or "").split()[:_MOST_TAGS]:
        language = tag.partition("-")[0].lower()
        if language in LOCALES:
            return language
    return None


def locale_of(request: Request, preferred: str | None = None, default: str = "fi") -> Locale:
    """The language of a request's page.

    preferred: a client's `ui_locales`, where it is not in the address. Then `ui_locales` in the address (a
    language link), the cookie, Accept-Language, and the default.
    """
    return (
        first_supported(preferred)
        or first_supported(request.args.get(PARAMETER))
        or first_supported(request.cookies.get(COOKIE))
        or first_supported(request.accept_languages.best_match(LOCALES))
        or first_supported(default)
        or LOCALES[0]
    )


def remember(response: Response, locale: str, *, secure: bool) -> None:
    """Let the browser keep the language until it is closed, so that the pages after this one have it too."""
    response.set_cookie(COOKIE, locale, secure=secure, httponly=True, samesite="Lax", path="/")


@cache
def translations(locale: str) -> Translations:
    """The catalogue of a language. Raises OSError if its file is missing, PoFileError if it does not parse."""
    with (FOLDER / locale / "LC_MESSAGES" / "messages.po").open("rb") as file:
        catalogue = read_po(file, locale=locale, abort_invalid=True)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(compiled)


def format_time(when: datetime, locale: str) -> str:
    """A moment as people in Finland read it, Helsinki time, to the minute; when: with a time zone."""
    return format_datetime(when.astimezone(HELSINKI), _TIME_PATTERNS[locale], locale=locale)


def collation_key(name: str) -> tuple[int, ...]:
    """Sorts names as Finnish and Swedish do: Å Ä Ö after Z, other accents and case ignored, word by word."""
    places = []
    for character in unicodedata.normalize("NFC", name).casefold():
        base = character if character in "åäö" else unicodedata.normalize("NFD", character)[0]
        if base in _ALPHABET:
            places.append(100 + _ALPHABET.index(base))
        elif base.isalnum():
            places.append(10 + ord(base) % 80)
        elif base.isspace():
            places.append(0)
    return tuple(places)
