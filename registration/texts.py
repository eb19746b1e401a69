"""The texts of the pages in every language: ours, the operator's in place of ours, and further languages.

The operator's are gettext catalogues, `<texts.dir>/<language>.po`, with our English texts as msgids. What they do not
hold is ours; in a further language it is English. Everything is read and checked once, at start.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import PoFileError, read_po
from babel.support import Translations

from . import i18n
from .settings_look import TextsSettings
from .settings_report import ConfigurationError, Problem

_PLACEHOLDER = re.compile(r"%\((\w+)\)s")
_SHOWN = 60


@dataclass(frozen=True)
class TextsOfPages:
    """translations: by language. missing: how many texts of a further language are in English. count: of all texts."""

    translations: Mapping[str, Translations]
    missing: Mapping[str, int]
    count: int


def read_texts(settings: TextsSettings) -> TextsOfPages:
    """The texts of every language. Raises ConfigurationError with everything that is wrong in the operator's files."""
    translations: dict[str, Translations] = {locale: i18n.translations(locale) for locale in i18n.LOCALES}
    if settings.dir is None:
        return TextsOfPages(translations, {}, 0)
    problems: list[Problem] = []
    missing = {}
    known = _msgids(i18n.catalogue("en"))
    for language, file in _own_files(settings, problems).items():
        texts = _own_texts(file, known, problems)
        translations[language] = _merged(language, texts)
        if language in settings.languages:
            missing[language] = len(known - set(texts))
    if problems:
        raise ConfigurationError(settings.dir, problems)
    return TextsOfPages(translations, missing, len(known))


def _msgids(catalogue: Catalog) -> set[str]:
    return {str(message.id) for message in catalogue if message.id}


def _merged(language: str, texts: Mapping[str, str]) -> Translations:
    """Ours, or the English ones for a further language, with the operator's in their place."""
    base = i18n.catalogue(i18n.ours(language))
    for message in base:
        if message.id:
            message.string = texts.get(str(message.id), message.string)
    return i18n.compiled(base)


def _own_files(settings: TextsSettings, problems: list[Problem]) -> dict[str, Path]:
    assert settings.dir is not None  # noqa: S101 - the caller has looked
    if not settings.dir.is_dir():
        problems.append(Problem((), "is not a folder", mend="make it, or remove texts.dir"))
        return {}
    files = {file.stem: file for file in sorted(settings.dir.glob("*.po"))}
    languages = [*i18n.LOCALES, *settings.languages]
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
        with file.open("rb") as opened:
            catalogue = read_po(opened, abort_invalid=True)
    except (PoFileError, OSError, ValueError) as error:
        problems.append(Problem((file.name,), f"is no gettext catalogue: {error}"))
        return {}
    texts = {}
    for message in catalogue:
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
