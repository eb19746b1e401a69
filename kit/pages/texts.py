"""The texts of the pages in every language: ours, the operator's in place of ours, and further languages.

Ours are gettext catalogues with English msgids, `translations/<language>/LC_MESSAGES/messages.po`: one here for what
all pages or several services say, one beside the pages of each service. They are read once, when the pages are made,
and compiled in memory: there is no build step and no file to forget.

The operator's are gettext catalogues too, `<texts.dir>/<language>.po`, with our English texts as msgids. What they do
not hold is ours; in a further language it is English. Everything is read and checked once, at start.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po
from babel.support import Translations

from kit.folders import matching
from kit.pages.languages import LOCALES, Locale, ours
from kit.pages.settings import TextsSettings
from kit.settings.report import ConfigurationError, Problem

SHARED = Path(__file__).parent
"""The folder of what all pages have; like the folder of a service's pages it holds `translations`."""
_PLACEHOLDER = re.compile(r"%\((\w+)\)s")
_SHOWN = 60


@dataclass(frozen=True)
class TextsOfPages:
    """translations: by language. missing: how many texts of a further language are in English. count: of all texts."""

    translations: Mapping[str, Translations]
    missing: Mapping[str, int]
    count: int


def catalogue(locale: Locale, pages: Path) -> Catalog:
    """Our catalogue of a language. pages: the folder of a service's pages.

    Raises OSError if a file is missing, PoFileError if it does not parse.
    """
    whole = Catalog(locale=locale)
    for folder in (SHARED, pages):
        with (folder / "translations" / locale / "LC_MESSAGES" / "messages.po").open("rb") as file:
            for message in read_po(file, locale=locale, abort_invalid=True):
                if message.id:
                    whole.add(message.id, message.string)
    return whole


def compiled(texts: Catalog) -> Translations:
    """A catalogue as templates use it."""
    file = BytesIO()
    write_mo(file, texts)
    file.seek(0)
    return Translations(file)


@cache
def translations_of(locale: Locale, pages: Path) -> Translations:
    """The texts of a language as they come with the service. Raises as `catalogue` does."""
    return compiled(catalogue(locale, pages))


def read_texts(settings: TextsSettings, pages: Path) -> TextsOfPages:
    """The texts of every language. pages: the folder of a service's pages.

    Raises ConfigurationError with everything that is wrong in the operator's files.
    """
    translations: dict[str, Translations] = {locale: translations_of(locale, pages) for locale in LOCALES}
    if settings.dir is None:
        return TextsOfPages(translations, {}, 0)
    problems: list[Problem] = []
    missing = {}
    known = _msgids(catalogue("en", pages))
    for language, file in _own_files(settings, problems).items():
        texts = _own_texts(file, known, problems)
        translations[language] = _merged(catalogue(ours(language), pages), texts)
        if language in settings.languages:
            missing[language] = len(known - set(texts))
    if problems:
        raise ConfigurationError(settings.dir, problems)
    return TextsOfPages(translations, missing, len(known))


def _msgids(texts: Catalog) -> set[str]:
    return {str(message.id) for message in texts if message.id}


def _merged(base: Catalog, texts: Mapping[str, str]) -> Translations:
    """A catalogue of ours with the operator's texts in the place of ours."""
    for message in base:
        if message.id:
            message.string = texts.get(str(message.id), message.string)
    return compiled(base)


def _own_files(settings: TextsSettings, problems: list[Problem]) -> dict[str, Path]:
    assert settings.dir is not None  # noqa: S101 - the caller has looked
    if not settings.dir.is_dir():
        problems.append(Problem((), "is not a folder", mend="make it, or remove texts.dir"))
        return {}
    try:
        files = {file.stem: file for file in matching(settings.dir, "*.po")}
    except OSError as error:
        problems.append(Problem((), f"cannot be read: {error.strerror}", mend="mend who may read it"))
        return {}
    languages = [*LOCALES, *settings.languages]
    for stem in files.keys() - set(languages):
        mend = "name the language in texts.languages, or rename the file"
        problems.append(
            Problem((f"{stem}.po",), "is of no language of the pages", allowed=", ".join(languages), mend=mend)
        )
    for language in settings.languages.keys() - files.keys():
        problems.append(Problem((f"{language}.po",), "is missing", mend="write it, or remove the language"))
    return {language: files[language] for language in languages if language in files}


def _own_texts(file: Path, known: set[str], problems: list[Problem]) -> dict[str, str]:
    """The texts of a file by msgid; what is wrong with it goes to problems."""
    try:
        with file.open(encoding="utf-8-sig") as opened:
            given = read_po(opened, abort_invalid=True)
    except (PoFileError, OSError, ValueError) as error:
        problems.append(Problem((file.name,), f"is no gettext catalogue: {error}"))
        return {}
    texts = {}
    for message in given:
        if not message.id:
            continue  # the header
        msgid = message.id if isinstance(message.id, str) else message.id[0]
        text = str(message.string)
        wrong = "has a plural" if message.pluralizable else _text_refused(msgid, text, message.fuzzy, known)
        if wrong:
            shown = msgid if len(msgid) <= _SHOWN else msgid[:_SHOWN] + "…"
            problems.append(Problem((file.name, f'msgid "{shown}"'), wrong))
        texts[msgid] = text
    return texts


def _text_refused(msgid: str, text: str, fuzzy: bool, known: set[str]) -> str | None:
    if msgid not in known:
        return "is no text of this service"
    if fuzzy:
        return "is fuzzy: look at it, then remove the mark"
    if not text.strip():
        return "has no text: write it, or remove the entry"
    if placeholders_of(text) != placeholders_of(msgid):
        return f"has other placeholders than the msgid, which has {_listed(placeholders_of(msgid))}"
    if "%" in re.sub(r"%%", "", _PLACEHOLDER.sub("", text)):
        return "has a % that is no placeholder: write %%"
    if "<" in text or "&" in text:
        return "has < or &, which mean something else in a page: write it without"
    return None


def placeholders_of(text: str) -> list[str]:
    """The names of a text's placeholders, sorted."""
    return sorted(set(_PLACEHOLDER.findall(text)))


def _listed(names: list[str]) -> str:
    return ", ".join(f"%({name})s" for name in names) or "none"


def further_texts(texts: TextsOfPages) -> Iterator[str]:
    """What `check` tells of the further languages, a line for each."""
    for language, missing in texts.missing.items():
        yield f"{language}: {missing} of {texts.count} texts are not translated and shown in English"
