"""User names and company names: what makes two of them the same."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from precis_i18n import get_profile

from kit.typed_text import LONGEST_TYPED, line, plain, visible, without_format

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
_WITHOUT_STROKE = str.maketrans(
    {"ø": "o", "æ": "a", "đ": "d", "ð": "d", "ŋ": "n", "ŧ": "t", "ł": "l", "ħ": "h", "þ": "th", "œ": "oe", "ı": "i"}
    | {"ǥ": "g", "ʒ": "z"}
)
"""Letters of Sámi and of neighbours that keyboards here have not, and Unicode does not decompose."""
_AE = re.compile("ae+")
"""Written for æ as often as a alone is, so that both count as a."""
_AND = re.compile(" (?:ja|och|and) ", re.IGNORECASE)
"""What `&` is written as, and is read as on the telephone; `&` itself is in no key."""
_OTHER_LATIN = frozenset("æœøðđþŋŧłħʒǥ")
"""Letters of a user name that are no ASCII with marks: of Sámi, of our neighbours."""
_DRAWN_ALIKE = re.compile("[\u0334-\u0338]|[ij][\u0300-\u036f]*\u0307")
"""Marks that make another letter of one: an overlay (o with one is ø), and the dot of an i, which it has."""
_LIKE_LATIN = {
    "CYRILLIC": "асеорхуѕіјһԁԛԝӏүѵАВЕКМНОРСТХУЅІЈӀҮѴԚԜ",
    "GREEK": "ονικρυΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
    "ARMENIAN": "օսոհՕՍ",
    "CHEROKEE": "ᎠᎡᎢᎥᎩᎪᎫᎬᎳᎷᎻᎽᏀᏂᏃᏏᏒᏔᏕᏙᏚᏞᏟᏢᏦᏧᏳᏴ",
    "LISU": "ꓐꓑꓒꓓꓔꓖꓗꓙꓚꓜꓝꓟꓠꓡꓢꓣꓦꓧꓪꓫꓬꓮꓰꓲꓳꓴ",
}
"""Letters that are drawn like Latin ones, small and capital, by script. Source: Unicode UTS #39, confusables.txt.

Of the small Greek letters those alone that fonts without serifs draw so. Other scripts that have some are left out."""
_ALL_LIKE_LATIN = frozenset("".join(_LIKE_LATIN.values()))
_USER_NAME = get_profile("UsernameCasePreserved")
LONGEST_USER_NAME, LONGEST_KEY = 254, 1024
"""Characters of a user name, and of its key; a few letters of Unicode become up to eighteen."""


def user_name_key(user_name: str) -> str:
    """What a user name is unique by, and looked up by: all that look and mean the same have one.

    Case, Unicode form, spaces, format characters and the kind of apostrophe or dash are left aside.
    """
    folded = _as_drawn(user_name).casefold()
    return " ".join(plain(without_format(plain(folded))).replace("`", "'").split())


def taken_user_name(text: str) -> str:
    """A new user name as it is kept. Raises ValueError if it has letters that are not drawn, or is too long.

    Each of its words is a userpart of RFC 8265 §3.1: letters, digits and what ASCII has; no symbols, no fillers, no
    variation selectors. See also `looks_like_another`.
    """
    key = user_name_key(text)
    if not 0 < len(key) <= LONGEST_KEY or len(text) > LONGEST_USER_NAME:
        raise ValueError("too long, or nothing")
    if looks_like_another(text):
        raise ValueError("looks like another name")
    for word in key.split():
        _USER_NAME.enforce(word)
    return line(text)


def looks_like_another(user_name: str) -> bool:
    """Whether a user name may be drawn as a Latin one that has other letters: a new one is not.

    One with a Latin letter, or none at all, has no letters and digits but Latin ones. One of another script is taken
    (RFC 8265 §3.4) unless all its letters are drawn like Latin ones, as of a Cyrillic "сосо" (RFC 8264 §12.5, UTS #39
    §4), or it mixes a script that has such letters with another. Letters are looked at in the case that they are
    written in, since they are kept and shown so: "Антон" looks like no Latin name, and "АНТОН" does.
    """
    drawn = unicodedata.normalize("NFD", _as_drawn(user_name))
    letters = {letter for letter in drawn if unicodedata.category(letter).startswith("L")}
    scripts = {unicodedata.name(letter, "").partition(" ")[0] for letter in letters}
    if scripts and "LATIN" not in scripts:
        return letters <= _ALL_LIKE_LATIN or (len(scripts) > 1 and not scripts.isdisjoint(_LIKE_LATIN))
    return not _is_plain_latin(user_name)


def _as_drawn(user_name: str) -> str:
    return plain(without_format(user_name[:LONGEST_TYPED]))


def _is_plain_latin(user_name: str) -> bool:
    """Every letter and digit is a Latin one that no other is drawn as; phonetic letters and the dotless i are."""
    drawn = unicodedata.normalize("NFD", user_name_key(user_name))
    others = {letter for letter in drawn if unicodedata.category(letter)[0] in "LN" and not letter.isascii()}
    return others <= _OTHER_LATIN and not _DRAWN_ALIKE.search(drawn)


@lru_cache(maxsize=1024)
def company_name_key(name: str) -> str:
    """What is compared of a company's name: its letters and digits, without the company form at either end.

    `Testi-Sähkö Oy`, `TESTISÄHKÖ OY AB` and `Ab Testi Sähkö` are the same. Å, ä and ö are letters of their own;
    other accents and strokes are left out, as many keyboards have none. A name that is nothing but forms stays as it
    is. Empty if there is no letter or digit in it.
    """
    words = re.findall(r"[^\W_]+", _without_accents(visible(name)))
    return _AE.sub("a", unicodedata.normalize("NFC", "".join(_without_forms(words) or words)))


def compared_company_name(name: str) -> str:
    """A company's name as the customer register's is compared with what somebody typed: its key without any `and`.

    The palatalisation mark of Skolt Sámi is a letter to Unicode, and an apostrophe to whoever types it.
    """
    return company_name_key(_AND.sub(" ", plain(line(name))))


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
    based = "".join(letter if letter in _KEPT_MARKS else _base(letter) for letter in letters)
    return based.translate(_WITHOUT_STROKE)


def _base(letter: str) -> str:
    parts = unicodedata.normalize("NFKD", letter)
    return "".join(part for part in parts if not unicodedata.combining(part))
