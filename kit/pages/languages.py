"""Languages of the pages: which one a request gets, how it writes the time of day, and the order of names."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from typing import Literal
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from babel.dates import format_time as babel_time
from flask import Request
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import dump_cookie, parse_accept_header
from werkzeug.wrappers import Response

Locale = Literal["fi", "sv", "en"]

LOCALES: tuple[Locale, ...] = ("fi", "sv", "en")
"""The languages that come with the service, in the order of their links; a configuration can add more."""
LANGUAGE_NAMES: Mapping[str, str] = {"fi": "Suomi", "sv": "Svenska", "en": "English"}
COOKIE = "tunnus_locale"
PARAMETER = "ui_locales"

HELSINKI = ZoneInfo("Europe/Helsinki")
_TIME_PATTERNS: Mapping[str, str] = {
    "fi": "d.M.y 'klo'\N{NO-BREAK SPACE}H.mm",
    "sv": "d.M.y 'kl.'\N{NO-BREAK SPACE}H.mm",
    "en": "d MMMM y, HH:mm",
}
_DAY_PATTERNS: Mapping[str, str] = {"fi": "d.M.y", "sv": "d.M.y", "en": "d MMMM y"}
"""How a day is written; in a language that an operator adds, as Babel does."""
_ALPHABET = "abcdefghijklmnopqrstuvwxyzåäö"
_MOST_TAGS = 20
"""How many language tags of a request are looked at; a list can be as long as an address."""
_MOST_ACCEPTED = 300
"""Characters of Accept-Language that are looked at."""


def N_(text: str) -> str:
    """Mark a text for the catalogues where it is not translated yet; returns it as it is."""
    return text


@dataclass(frozen=True)
class Languages:
    """The languages of a service's pages. names: each one's own name by code, in the order of their links.

    default: the language of a request that asks for none of them.
    """

    names: Mapping[str, str]
    default: str

    @classmethod
    def of_service(cls, further: Mapping[str, str], default: str) -> Languages:
        """Ours, and the operator's further ones."""
        return cls({**LANGUAGE_NAMES, **further}, default)

    @property
    def codes(self) -> tuple[str, ...]:
        """Every language, in the order of their links."""
        return tuple(self.names)

    def first(self, tags: str | None) -> str | None:
        """The first language we have in a list of BCP 47 tags (`ui_locales`, OpenID Connect Core §3.1.2.1)."""
        for tag in (tags or "").split()[:_MOST_TAGS]:
            language = tag.partition("-")[0].lower()
            if language in self.names:
                return language
        return None

    def of(self, request: Request, preferred: str | None = None) -> str:
        """The language of a request's page.

        preferred: a client's `ui_locales`, where it is not in the address. Then `ui_locales` in the address (a
        language link), the cookie, Accept-Language, and the default.
        """
        return (
            self.first(preferred)
            or self.first(request.args.get(PARAMETER))
            or self.first(request.cookies.get(COOKIE))
            or self.first(_accepted(request.headers.get("Accept-Language", "")[:_MOST_ACCEPTED], self.codes))
            or self.default
        )

    def links(self, path: str, kept: Mapping[str, str] | None = None) -> list[tuple[str, str, str]]:
        """Code, name and address of the page in each language; path: of the page, not quoted. kept: of its query."""
        here = quote(path and "/" + path.lstrip("/"))  # `//host` would lead to another site
        queries = {code: urlencode({**(kept or {}), PARAMETER: code}) for code in self.names}
        return [(code, name, f"{here}?{queries[code]}") for code, name in self.names.items()]


def ours(locale: str) -> Locale:
    """A language that everybody we talk to knows: of ours, or English."""
    return locale if locale in LOCALES else "en"


def remember(response: Response, locale: str, *, secure: bool) -> None:
    """Let the browser keep the language until it is closed, so that the pages after this one have it too."""
    response.headers.add("Set-Cookie", _cookie(locale, secure))


@cache
def _cookie(locale: str, secure: bool) -> str:
    return dump_cookie(COOKIE, locale, secure=secure, httponly=True, samesite="Lax")


@lru_cache(maxsize=256)
def _accepted(header: str, codes: tuple[str, ...]) -> str | None:
    """Which language an Accept-Language header asks for; most browsers send one of a few dozen."""
    return parse_accept_header(header, LanguageAccept).best_match(codes)


def format_time(when: datetime, locale: str) -> str:
    """A moment as people in Finland read it, Helsinki time, to the minute; when: with a time zone."""
    local = when.astimezone(HELSINKI)
    pattern = _TIME_PATTERNS.get(locale)
    if pattern is None:
        date, time = format_date(local, "long", locale=locale), babel_time(local, "short", locale=locale)
        return f"{date}, {time}"
    return str(format_datetime(local, pattern, locale=locale))


def format_day(when: datetime, locale: str) -> str:
    """A day as people in Finland read it, of Helsinki time; when: with a time zone."""
    return format_date(when.astimezone(HELSINKI), _DAY_PATTERNS.get(locale, "long"), locale=locale)


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
