"""What a broker publishes of its own state: OP's list of banks with its texts, Telia's text of maintenance.

Nothing of it is signed and people read it beside our own words, so that it comes out as plain words: bounded in number
and length, without markup and without characters that nobody sees.
Sources: OP Identity Service Broker API §6, §15; Telia integration guide §1.3.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote

from providers.connection import Connection, Dialect
from providers.engine.bounded import Answer, BankUnreachable, BoundedSession
from providers.engine.compact import Malformed, loads
from providers.model import Texts

LANGUAGES = ("fi", "sv", "en")
CALL_SECONDS = 5.0
LONGEST_HEADER, LONGEST_TEXT, LONGEST_LINK = 200, 2000, 500
"""Characters; what is longer is cut, an address that is longer is none."""
MOST_LISTED = 100
"""Banks in the list."""
_BREAKS = frozenset({"br", "p", "div", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6"})
_UNREAD = frozenset({"script", "style", "title"})
_NO_MARKUP = str.maketrans("<>", "‹›")


@dataclass(frozen=True, slots=True)
class Published:
    """What was read, each text by language and empty where there is none.

    privacy_link: unchecked addresses. listed: what names each bank that can be used now; None where that is not told.
    left_out: places of entries of the list that name no bank.
    """

    header: Texts = field(default_factory=dict)
    text: Texts = field(default_factory=dict)
    consent: Texts = field(default_factory=dict)
    provider_info: Texts = field(default_factory=dict)
    privacy_text: Texts = field(default_factory=dict)
    privacy_link: Texts = field(default_factory=dict)
    listed: frozenset[str] | None = None
    left_out: tuple[str, ...] = ()


def address_of(dialect: Dialect, issuer: str, client_id: str) -> str | None:
    """Where a broker of this dialect publishes, below its issuer; None where no document names a place."""
    if dialect.publishes is None:
        return None
    path, _ = _FORMATS[dialect.publishes]
    return issuer.rstrip("/") + path.format(client_id=quote(client_id, safe=""))


def read_published(connection: Connection, session: BoundedSession) -> Published:
    """Fetch and read it; connection: one with a `notices_uri`. Raises BankUnreachable or Malformed."""
    if connection.notices_uri is None or connection.dialect.publishes is None:
        raise ValueError("this connection publishes nothing")
    _, read = _FORMATS[connection.dialect.publishes]
    return read(connection.notices_uri, session)


def plain_words(text: str, longest: int) -> str:
    """Words as they may be shown: no markup, none of its brackets, lines apart by one line feed, cut to a length."""
    reader = _Words()
    reader.feed(text[: longest * 4])
    reader.close()
    kept = "".join(character for character in "".join(reader.words) if _is_seen(character)).translate(_NO_MARKUP)
    words = "\n".join(line for line in (" ".join(line.split()) for line in kept.splitlines()) if line)
    return words if len(words) <= longest else words[: longest - 1].rstrip() + "…"


def _is_seen(character: str) -> bool:
    """No control character but line breaks and tabs, no direction override, nothing unassigned, no surrogate."""
    return character in "\n\r\t" or not unicodedata.category(character).startswith("C")


class _Words(HTMLParser):
    """The text of HTML; also of plain text, which has no tags."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self._unread = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """See HTMLParser."""
        self._unread += tag in _UNREAD
        self.words.append("\n" if tag in _BREAKS else "")

    def handle_endtag(self, tag: str) -> None:
        """See HTMLParser."""
        self._unread -= tag in _UNREAD and self._unread > 0
        self.words.append("\n" if tag in _BREAKS else "")

    def handle_data(self, data: str) -> None:
        """See HTMLParser."""
        if not self._unread:
            self.words.append(data)


def _fetched(session: BoundedSession, uri: str, accept: str) -> Answer:
    answer = session.exchange("GET", uri, CALL_SECONDS, accept=accept)
    if answer.status != 200:
        raise BankUnreachable(f"it was answered with status {answer.status}")
    if answer.content_type != accept:
        raise Malformed("the answer is of another type", "Content-Type")
    return answer


def _embedded_ui(uri: str, session: BoundedSession) -> Published:
    """OP's, which has an answer for each language (OP Identity Service Broker API §6)."""
    answers = {
        language: loads(_fetched(session, f"{uri}?lang={language}", "application/json").body, "notices")
        for language in LANGUAGES
    }

    def texts(name: str, longest: int, inside: str | None = None) -> Texts:
        found = {
            language: _member(_table(answer, inside) if inside else answer, name, longest)
            for language, answer in answers.items()
        }
        return {language: words for language, words in found.items() if words}

    listed, left_out = _listed(answers)
    return Published(
        header=texts("header", LONGEST_HEADER, "disturbanceInfo"),
        text=texts("text", LONGEST_TEXT, "disturbanceInfo"),
        consent=texts("isbConsent", LONGEST_TEXT),
        provider_info=texts("isbProviderInfo", LONGEST_TEXT),
        privacy_text=texts("privacyNoticeText", LONGEST_HEADER),
        privacy_link=texts("privacyNoticeLink", LONGEST_LINK),
        listed=listed,
        left_out=left_out,
    )


def _table(answer: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = answer.get(name)
    if value is not None and not isinstance(value, dict):
        raise Malformed("a member is no object", name)
    return value or {}


def _member(table: Mapping[str, Any], name: str, longest: int) -> str:
    value = table.get(name)
    if value is not None and not isinstance(value, str):
        raise Malformed("a text is no string", name)
    return plain_words(value or "", longest)


def _listed(answers: Mapping[str, Mapping[str, Any]]) -> tuple[frozenset[str], tuple[str, ...]]:
    """The banks of every language's list, and the places of what names none: one bank's fault hides no other bank."""
    found: set[str] = set()
    left_out: list[str] = []
    for language, answer in answers.items():
        listed = answer.get("identityProviders")
        if not isinstance(listed, list) or len(listed) > MOST_LISTED:
            raise Malformed("the banks are no list, or too many", "identityProviders")
        for place, bank in enumerate(listed):
            id = bank.get("ftn_idp_id") if isinstance(bank, dict) else None
            if isinstance(id, str) and id:
                found.add(id)
            else:
                left_out.append(f"{language} identityProviders[{place}]")
    if left_out and not found:
        raise Malformed("no bank of the list has an id", "ftn_idp_id")
    return frozenset(found), tuple(left_out)


def _maintenance_text(uri: str, session: BoundedSession) -> Published:
    """Telia's: one text in fi, sv and en, a `|` between them (Telia integration guide §1.3)."""
    body = _fetched(session, uri, "text/plain").body
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = body.decode("cp1252", errors="replace")  # no document names the encoding
    parts = text.split("|")
    if len(parts) > len(LANGUAGES):
        raise Malformed("the text has more parts than languages", "maintenance")
    found = {language: plain_words(part, LONGEST_TEXT) for language, part in zip(LANGUAGES, parts, strict=False)}
    return Published(text={language: words for language, words in found.items() if words})


_FORMATS: Mapping[str, tuple[str, Callable[[str, BoundedSession], Published]]] = {
    "embedded_ui": ("/api/embedded-ui/{client_id}", _embedded_ui),
    "maintenance_text": ("/resource/maintenance.txt", _maintenance_text),
}
"""Path below the issuer, and how to read what stands there, by `Dialect.publishes`."""
