"""Texts of the banks' side that change often: disturbances, and what must be shown beside the chooser.

One TOML file, a table per connection, read again whenever it changes (OP Identity Service Broker API §6, §15):

    [telia.disturbance]
    header = { fi = "Häiriö", sv = "Störning", en = "Disruption" }
    text = { fi = "…", sv = "…", en = "…" }
    [telia]
    consent = { … }           what the person consents to
    provider_info = { … }     who the identification broker is
    privacy_text = { … }      the words of the link to its privacy notice, and
    privacy_link = { … }      its address, https only

A text may be in one language only, when there is no time to translate: the others then show that one. A line
break in it (LF or CRLF) starts a paragraph. At start a broken file is refused; later the last good one is kept.
"""

from __future__ import annotations

import logging
import os
import threading
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, ConfigDict, Field, ValidationError, model_validator

from kit.pages.languages import LOCALES
from kit.settings.report import ConfigurationError, KeyPath, Problem, dotted, problems_of, refusal
from kit.settings.types import Section

log = logging.getLogger("tunnus.notices")
_MOST_BYTES = 256 * 1024

Words = Annotated[str, Field(min_length=1, max_length=4000)]


def _https(value: str) -> str:
    try:
        parts = urlsplit(value)
        usable = parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        usable = False
    if not usable or any(character.isspace() or character in '"<>\\' for character in value):
        raise refusal("is no link for people", allowed="https://host/path")
    return value


Link = Annotated[str, AfterValidator(_https)]


@dataclass(frozen=True, slots=True)
class LocalText:
    """Words in the language that was found for them; lang: that language, for the `lang` of their element."""

    text: str
    lang: str

    @property
    def paragraphs(self) -> tuple[str, ...]:
        """The text, cut at its line breaks."""
        return tuple(line.strip() for line in self.text.splitlines() if line.strip())


class NoticeTexts(Section):
    """A text in at least one language: ours, or a further one of the pages."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Words]

    fi: Words | None = None
    sv: Words | None = None
    en: Words | None = None

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not self.words:
            raise refusal("has no text", allowed="fi, sv and en; at least one of them")
        return self

    @property
    def words(self) -> dict[str, str]:
        """The text by language."""
        found = {"fi": self.fi, "sv": self.sv, "en": self.en} | (self.__pydantic_extra__ or {})
        return {language: text for language, text in found.items() if text}

    def in_language(self, locale: str) -> LocalText:
        """The text in a language, or in the first one it has; for a further language that is English."""
        words = self.words
        wanted = (locale,) if locale in LOCALES else (locale, "en")
        language = next(language for language in (*wanted, *words) if language in words)
        return LocalText(words[language], language)


class NoticeLinks(NoticeTexts):
    """An address for people, in at least one language."""

    __pydantic_extra__: dict[str, Link]

    fi: Link | None = None
    sv: Link | None = None
    en: Link | None = None


class Disturbance(Section):
    """What does not work at the bank or broker, in its own words."""

    header: NoticeTexts
    text: NoticeTexts


class ConnectionNotices(Section):
    """The texts of one connection; each is shown if it is there."""

    disturbance: Disturbance | None = None
    consent: NoticeTexts | None = None
    provider_info: NoticeTexts | None = None
    privacy_text: NoticeTexts | None = None
    privacy_link: NoticeLinks | None = None

    @property
    def states(self) -> bool:
        """Whether there is a text that must be shown beside the chooser."""
        return any((self.consent, self.provider_info, self.privacy_text))

    @model_validator(mode="after")
    def _privacy_whole(self) -> Self:
        if (self.privacy_text is None) != (self.privacy_link is None):
            raise refusal("privacy_text and privacy_link go together", mend="give both, or neither")
        return self


NO_NOTICES = ConnectionNotices()


class Notices:
    """The notices as they stand now.

    file: None if there are none. connections: the ids a table may have. languages: of the pages. Raises
    ConfigurationError if the file cannot be used at start; `tunnus check` makes one for that.
    """

    def __init__(self, file: Path | None, connections: Collection[str], languages: Collection[str] = LOCALES) -> None:
        self._file = file
        self._connections = frozenset(connections)
        self._languages = frozenset(languages)
        self._lock = threading.Lock()
        self._seen = _signature(file) if file else None
        self._tables = _read(file, self._connections, self._languages) if file else {}

    def of(self, connection: str) -> ConnectionNotices:
        """The notices of a connection; empty if it has none."""
        return self.current().get(connection, NO_NOTICES)

    def current(self) -> Mapping[str, ConnectionNotices]:
        """All notices by connection; the same object for as long as the file does not change."""
        if self._file is not None and _signature(self._file) != self._seen:
            with self._lock:
                self._read_again(self._file)
        return self._tables

    def _read_again(self, file: Path) -> None:
        """Take the changed file, or keep the last good one and report once what is wrong with the new one."""
        signature = _signature(file)
        if signature == self._seen:
            return
        self._seen = signature
        try:
            self._tables = _read(file, self._connections, self._languages)
        except ConfigurationError as error:
            problems = "; ".join(f"{dotted(problem.key)} {problem.wrong}" for problem in error.problems)
            log.error(
                "notices refused, the last good ones stay in use", extra={"file": file.name, "problems": problems}
            )
        else:
            log.info("notices read again", extra={"file": file.name})


def _signature(file: Path) -> tuple[int, int, int, int] | None:
    """What changes when the file does, or who may read it; None while it cannot be looked at."""
    try:
        status = os.stat(file)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino, status.st_ctime_ns


def _read(file: Path, connections: Collection[str], languages: Collection[str]) -> dict[str, ConnectionNotices]:
    """Read and validate the whole file. Raises ConfigurationError with every problem."""
    tables: dict[str, ConnectionNotices] = {}
    problems: list[Problem] = []
    for name, table in _load(file).items():
        if name not in connections:
            known = ", ".join(sorted(connections))
            problems.append(Problem((name,), "is no connection of this configuration", allowed=known))
            continue
        try:
            tables[name] = ConnectionNotices.model_validate(table)
        except ValidationError as error:
            problems += problems_of(error, (name,), ConnectionNotices)
        else:
            problems += _foreign(tables[name], languages, (name,))
    if problems:
        raise ConfigurationError(file, problems)
    return tables


def _foreign(part: Section, languages: Collection[str], key: KeyPath) -> Iterator[Problem]:
    """Texts in a language that the pages do not have."""
    if isinstance(part, NoticeTexts):
        for language in sorted(part.words.keys() - set(languages)):
            yield Problem((*key, language), "is no language of the pages", allowed=", ".join(sorted(languages)))
        return
    for name in type(part).model_fields:
        value = getattr(part, name)
        if isinstance(value, Section):
            yield from _foreign(value, languages, (*key, name))


def _load(file: Path) -> dict[str, object]:
    try:
        content = file.read_bytes()
    except OSError as error:
        wrong = Problem((), "cannot be read", mend="make the file, or remove notices.file from the settings")
        raise ConfigurationError(file, [wrong]) from error
    if len(content) > _MOST_BYTES:
        raise ConfigurationError(file, [Problem((), "is too large", allowed="at most 256 KiB")])
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except ValueError as error:
        raise ConfigurationError(file, [Problem((), f"is not TOML: {error}")]) from error
