"""User names and company names: what makes two of them the same."""

from __future__ import annotations

import re
import unicodedata

_FORMS = frozenset(
    # Of Finnish law, in Finnish and in Swedish, short and in full.
    {"oy", "osakeyhtiö", "ab", "aktiebolag", "oyj", "julkinenosakeyhtiö", "abp", "publiktaktiebolag"}
    | {"ky", "kommandiittiyhtiö", "kb", "kommanditbolag", "ay", "avoinyhtiö", "öb", "öppetbolag"}
    | {"tmi", "toiminimi", "fma", "firma", "osk", "osuuskunta", "anl", "andelslag"}
    | {"ry", "rekisteröityyhdistys", "rf", "registreradförening", "sr", "rs"}
    # Housing and real estate companies have theirs in front of the name.
    | {"asoy", "asuntooy", "asuntoosakeyhtiö", "bostadsab", "bostab", "bostadsaktiebolag"}
    | {"koy", "kiinteistöoy", "kiinteistöosakeyhtiö", "fastighetsab", "fab", "fastighetsaktiebolag"}
    # Written without a space, and those that stand beside a Finnish one in a name in English.
    | {"oyab", "aboy", "oyjabp", "abpoyj", "ltd", "limited", "plc", "inc", "corp", "llc", "gmbh"}
)
"""Company forms, their words written together."""
_MOST_WORDS = 3
"""Of one form: `A. s. Oy`."""
_KEPT_MARKS = "åäö"


def user_name_key(user_name: str) -> str:
    """What a user name is unique by: case and Unicode form aside (NFKC, casefold)."""
    folded = unicodedata.normalize("NFKC", user_name).casefold()
    return unicodedata.normalize("NFKC", folded).strip()


def company_name_key(name: str) -> str:
    """What is compared of a company's name: its letters and digits, without the company form at either end.

    `Testi-Sähkö Oy`, `TESTISÄHKÖ OY AB` and `Ab Testi Sähkö` are the same. Å, ä and ö are letters of their own;
    other accents are left out, as many keyboards have none. A name that is nothing but forms stays as it is. Empty
    if there is no letter or digit in it.
    """
    words = re.findall(r"[^\W_]+", _without_accents(name))
    return unicodedata.normalize("NFC", "".join(_without_forms(words) or words))


def _without_forms(words: list[str]) -> list[str]:
    left = list(words)
    while found := next((end for end in _ends(left) if "".join(left[end]) in _FORMS), None):
        del left[found]
    return left


def _ends(words: list[str]) -> list[slice]:
    """The last and the first words that may be a form, the longest first."""
    lengths = range(min(_MOST_WORDS, len(words)), 0, -1)
    return [end for length in lengths for end in (slice(len(words) - length, len(words)), slice(0, length))]


def _without_accents(text: str) -> str:
    letters = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return "".join(letter if letter in _KEPT_MARKS else _base(letter) for letter in letters)


def _base(letter: str) -> str:
    parts = unicodedata.normalize("NFKD", letter)
    return "".join(part for part in parts if not unicodedata.combining(part))
