"""What people type or paste, in one form: for whatever is compared, looked up or kept.

A value that is copied from a page, a PDF or a spreadsheet brings along characters that nobody sees; phones write
typographic apostrophes and dashes, and other keyboards full-width digits. None of that is what a person means.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, time
from typing import Any

from stdnum.fi import ytunnus

from kit.pages.languages import HELSINKI

_IGNORABLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u2800\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufff8"
    "\U000e0000-\U000e0fff]"
)
"""Letters and marks that are drawn as nothing (Unicode: Default_Ignorable_Code_Point, beside format characters; and
the Braille blank)."""
_LOOK_ALIKE = str.maketrans(
    dict.fromkeys("\u00b4\u02b9\u02bb\u02bc\u02c8\u2018\u2019\u201b\u2032\u2035\u055a\ua78c\uff07", "'")
    | dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb\uff02", '"')
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\ufe58\ufe63\uff0d", "-")
)
"""What phones and word processors write for the apostrophe, the quotation mark and the hyphen."""
LONGEST_TYPED = 1024
"""Characters of a text that are looked at: Unicode's normal forms take the square of a run of marks in time."""
_BROKEN = frozenset({"Cc", "Cs", "Co", "Cn", "Zl", "Zp"})
_CUSTOMER_NUMBER = re.compile(r"[A-Za-z0-9-]{1,64}")
_LOST_ZERO = re.compile("[0-9]{6}-?[0-9]")


def without_format(text: str) -> str:
    """A text without format characters, such as U+200B and U+00AD; spaces of all kinds stay.

    Another control character, or a lone surrogate, which JSON can hold and no database, becomes U+FFFD: nobody's name.
    """
    return _seen(text, control="\ufffd")


def visible(text: str) -> str:
    """A text without any character that is drawn as nothing, control characters too."""
    return _seen(_IGNORABLE.sub("", text), control="")


def plain(text: str) -> str:
    """Unicode's compatibility form (NFKC), with plain apostrophes, quotation marks and hyphens."""
    return unicodedata.normalize("NFKC", text.translate(_LOOK_ALIKE)).translate(_LOOK_ALIKE)


def line(value: Any) -> str:
    """A line of text as it is kept: as it looks, NFC, no space around it, one space within."""
    return " ".join(unicodedata.normalize("NFC", visible((value or "")[:LONGEST_TYPED])).split())


def number(text: str) -> str:
    """A number as people write it, by its digits, letters and plain hyphens: without spaces."""
    joined = "".join(text[:LONGEST_TYPED].split())
    return joined if is_broken(joined) else "".join(plain(visible(joined)).split())


def customer_number(text: str) -> str:
    """A customer number without spaces, with plain digits and hyphens. Raises ValueError if it cannot be one.

    What the company's numbers look like is not known, so any of 1 to 64 ASCII letters, digits and hyphens is taken.
    """
    found = number(text)
    if not _CUSTOMER_NUMBER.fullmatch(found):
        raise ValueError("not a customer number")
    return found


def fo_nummer(text: str) -> str:
    """An FO-nummer as NNNNNNN-N; with or without hyphen, spaces, `FI` and its leading zero, which spreadsheets drop.

    Raises stdnum's ValidationError, a ValueError, if it is none.
    """
    compact = number(text).upper().removeprefix("FI")
    if _LOST_ZERO.fullmatch(compact):
        compact = f"0{compact}"
    return str(ytunnus.format(ytunnus.validate(compact)))


def day(text: str) -> str:
    """A day as YYYY-MM-DD, written so or as 31.12.2030; nothing stays nothing. Raises ValueError if it is none."""
    parts = number(text).split(".")
    written = "-".join([parts[2], parts[1].zfill(2), parts[0].zfill(2)]) if len(parts) == 3 else parts[0]
    return date.fromisoformat(written).isoformat() if written and end_of_day(written) else ""


def end_of_day(day: str) -> int:
    """When a day of Finland, as YYYY-MM-DD, is over: seconds since the epoch. Raises ValueError.

    Of whole seconds: in a far year a float has no room for the last microsecond, and there is no day after 9999-12-31.
    """
    return int(datetime.combine(date.fromisoformat(day), time(23, 59, 59), HELSINKI).timestamp()) + 1


def is_broken(text: str) -> bool:
    """Whether a text of another system has what no record has.

    Control, private and unassigned characters, surrogates, and what turns the rest of a line round.
    """
    return not text.isprintable() and any(
        unicodedata.category(character) in _BROKEN or character in "\u202d\u202e" for character in text
    )


def _seen(text: str, control: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    instead = {"Cf": "", "Cc": control, "Cs": "\ufffd"}
    return "".join(c if c.isspace() else instead.get(unicodedata.category(c), c) for c in text)
