"""Activation codes as letters: one PDF, a page each, and the same as CSV for who prints in another form."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from kit.keys.files import write_private
from registration.cases import codes, locked_case
from registration.database.models import Case
from registration.keys import Keys
from registration.settings import Settings


class FontLacks(Exception):
    """Some characters are not in the font; the text names them."""


@dataclass(frozen=True, slots=True)
class Letter:
    """What a letter says. postal_address: lines with commas between. name: who asks. until: the code's last day."""

    case: str
    company_name: str
    fo_nummer: str
    postal_address: str
    name: str
    locale: str
    code: str
    until: str


def due(tx: Transaction) -> list[Case]:
    """The cases that wait for a letter to be written."""
    wanted = {"state": "open", "kind": "founding", "way": "letter", "code_digest": None}
    return list(tx.scalars(select(Case).filter_by(**wanted).order_by(Case.opened_at)))


def letter(tx: Transaction, keys: Keys, id: str, postal_address: str, now: int) -> Letter:
    """The letter of a case, with a new code: the one before ends. Raises NoSuchCase, AlreadyDecided."""
    found = locked_case(tx, id)
    found.way = "letter"
    who, until = found.account, datetime.fromtimestamp(now + codes.VALID, UTC).date() - timedelta(1)
    details = found.company_name, found.fo_nummer, postal_address, who.name, who.locale
    return Letter(id, *details, codes.make(keys, found, now), until.isoformat())


def write(
    settings: Settings, folder: Path, name: str, letters: Sequence[Letter], render: Callable[..., str]
) -> list[Path]:
    """Write `<name>.pdf` and `<name>.csv`, which only their owner may read; a folder that is not there is made.

    render: Pages.render. Raises FontLacks, OSError.
    """
    from registration.cases.pdf import draw  # which takes a while to load, and no other command needs

    texts = [(letter, _text(settings, letter, render)) for letter in letters]
    table = io.StringIO()
    rows = csv.DictWriter(table, [field.name for field in fields(Letter)])
    rows.writeheader()
    rows.writerows(asdict(letter) for letter in letters)
    contents = {f"{name}.pdf": draw(texts, settings.letters.font), f"{name}.csv": table.getvalue().encode("utf-8-sig")}
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for file, content in contents.items():
        write_private(folder / file, content)
    return [folder / file for file in contents]


def prune(folder: Path, before: float) -> list[Path]:
    """Remove letters that were written before a moment, in seconds since the epoch; return their files."""
    gone = [file for end in ("pdf", "csv") for file in folder.glob(f"letters-*.{end}") if file.stat().st_mtime < before]
    for file in gone:
        file.unlink()
    return gone


def _text(settings: Settings, letter: Letter, render: Callable[..., str]) -> str:
    locale = settings.languages.first(letter.locale) or settings.languages.default
    expires = datetime.fromisoformat(letter.until).replace(hour=12, tzinfo=UTC).timestamp()
    words = {name: value for name, value in asdict(letter).items() if name != "locale"}
    return render("letter.txt", locale, **words, site=settings.url, expires=expires)
