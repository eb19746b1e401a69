"""What a person can choose: one model for the hosted chooser and for `GET /api/providers`.

A row is a provider, or a connection whose OpenID Provider lets the person choose on its own page. What a row
says is settings (status, successor), the provider's own data (names, mark), the notices and the breaker of its
connection. A hidden provider is in no list, but a client's hint can name it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from broker.chooser.marks import load_logos, mark_svg
from broker.chooser.notices import ConnectionNotices, Disturbance, LocalText, Notices, NoticeTexts
from broker.settings import Settings
from kit.pages import languages
from kit.pages.pictures import Picture
from providers.model import Adapter, Provider
from providers.registry import PROVIDERS

Group = Literal["mobile", "bank", "other"]
GROUPS: tuple[Group, ...] = ("mobile", "bank", "other")
"""In the order of the chooser; `other` holds contracts where the bank is chosen at the other end."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A row as the flow needs it. provider: None where the contract cannot select.

    usable: it can be started now: not closed, and its connection's breaker is shut. connection_id is empty only for a
    closed provider without a connection, which is never usable.
    """

    connection_id: str
    provider: Provider | None
    usable: bool


@dataclass(frozen=True, slots=True)
class Notice:
    """A disturbance, in the language that was found. concerns: names of the rows it is about."""

    header: LocalText
    text: LocalText
    concerns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Statement:
    """What must be shown of one connection. concerns: names of the rows it is about; rows: their ids."""

    consent: LocalText | None
    provider_info: LocalText | None
    privacy_text: LocalText | None
    privacy_link: LocalText | None
    concerns: tuple[str, ...]
    rows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the chooser in one language. mark, fill: of the neutral mark. logo_url: None without a real logo."""

    id: str
    name: str
    mark: str
    fill: int
    group: Group
    status: Literal["open", "closed"]
    usable: bool
    connection_id: str
    successor: str | None = None
    successor_name: str | None = None
    logo_url: str | None = None
    notice: Notice | None = None


@dataclass(frozen=True, slots=True)
class _Entry:
    """A row without its language. provider: None where the contract cannot select."""

    id: str
    names: Mapping[str, str]
    mark: str
    group: Group
    connection_id: str
    provider: Provider | None
    status: Literal["open", "closed", "hidden"] = "open"
    successor: str | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """What the chooser shows in a language; the same object for as long as none of it changes.

    notices: each disturbance of today once, with the rows it is about; no names if it is about every row.
    statements: what must be shown beside the chooser, per connection that has such texts.
    """

    rows: tuple[Row, ...]
    notices: tuple[Notice, ...]
    statements: tuple[Statement, ...]


class Catalogue:
    """The rows as they stand now.

    adapters: by connection id; only `usable_for` is asked of them. Raises ConfigurationError if `brand.logo_dir`
    holds a file that cannot be used.
    """

    def __init__(
        self,
        settings: Settings,
        adapters: Mapping[str, Adapter],
        notices: Notices,
        providers: Mapping[str, Provider] = PROVIDERS,
    ) -> None:
        self._adapters = adapters
        self._notices = notices
        self._entries = _entries(settings, providers)
        self._listed: dict[str, tuple[_Entry, ...]] = {
            locale: _in_order(self._entries, settings.chooser.order, locale) for locale in settings.languages.codes
        }
        fixed = self._listed[languages.LOCALES[0]]
        self._fills = {entry.id: place for place, entry in enumerate(fixed)}  # the same in every language and list
        self.logos: Mapping[str, Picture] = load_logos(settings.brand.logo_dir, self._entries)
        self._kept: dict[str, tuple[object, tuple[bool, ...], Listing]] = {}

    def listing(self, locale: str) -> Listing:
        """Rows, notices and statements as they stand now."""
        tables = self._notices.current()
        usable = tuple(self._usable(entry) for entry in self._entries.values())
        kept = self._kept.get(locale)
        if kept is not None and kept[0] is tables and kept[1] == usable:
            return kept[2]
        rows = tuple(self._row(entry, locale) for entry in self._listed[locale])
        listing = Listing(rows, self._disturbances(locale), self._statements(locale))
        self._kept[locale] = (tables, usable, listing)
        return listing

    def rows(self, locale: str) -> tuple[Row, ...]:
        """Every row that is shown: by group, then the configured order, then name."""
        return self.listing(locale).rows

    def notices(self, locale: str) -> tuple[Notice, ...]:
        """See `Listing`."""
        return self.listing(locale).notices

    def statements(self, locale: str) -> tuple[Statement, ...]:
        """See `Listing`."""
        return self.listing(locale).statements

    def find(self, row_id: str) -> Choice | None:
        """The row of an id, None if there is no such row; a hidden one is found, a closed one is not usable."""
        entry = self._entries.get(row_id)
        if entry is None:
            return None
        return Choice(entry.connection_id, entry.provider, self._usable(entry))

    def _disturbances(self, locale: str) -> tuple[Notice, ...]:
        return tuple(
            _notice(notices.disturbance, locale, self._concerns(entries, locale))
            for notices, entries in self._by_connection(locale)
            if notices.disturbance is not None
        )

    def _statements(self, locale: str) -> tuple[Statement, ...]:
        def words(text: NoticeTexts | None) -> LocalText | None:
            return text.in_language(locale) if text is not None else None

        return tuple(
            Statement(
                consent=words(notices.consent),
                provider_info=words(notices.provider_info),
                privacy_text=words(notices.privacy_text),
                privacy_link=words(notices.privacy_link),
                concerns=self._concerns(entries, locale),
                rows=tuple(entry.id for entry in entries),
            )
            for notices, entries in self._by_connection(locale)
            if notices.states
        )

    def mark_of(self, row_id: str) -> str | None:
        """The neutral mark of a listed row as an SVG document; None if there is no such row."""
        row = next((row for row in self.rows(languages.LOCALES[0]) if row.id == row_id), None)
        return mark_svg(row.mark, row.fill) if row else None

    def _by_connection(self, locale: str) -> list[tuple[ConnectionNotices, list[_Entry]]]:
        entries: dict[str, list[_Entry]] = {}
        for entry in self._listed[locale]:
            if entry.status == "open":
                entries.setdefault(entry.connection_id, []).append(entry)
        return [(self._notices.of(connection), listed) for connection, listed in entries.items()]

    def _concerns(self, entries: list[_Entry], locale: str) -> tuple[str, ...]:
        """Names of the rows that a connection's texts are about; none where there is no other open row."""
        every = sum(entry.status == "open" for entry in self._listed[locale])
        return () if len(entries) == every else tuple(_name(entry, locale) for entry in entries)

    def _usable(self, entry: _Entry) -> bool:
        adapter = self._adapters.get(entry.connection_id)
        provider = entry.provider.id if entry.provider is not None else None
        return entry.status != "closed" and adapter is not None and adapter.usable_for(provider)

    def _row(self, entry: _Entry, locale: str) -> Row:
        assert entry.status != "hidden"  # noqa: S101 - `rows` leaves them out
        logo = self.logos.get(entry.id)
        disturbance = self._notices.of(entry.connection_id).disturbance if entry.status == "open" else None
        successor = self._entries.get(entry.successor or "")
        return Row(
            id=entry.id,
            name=_name(entry, locale),
            mark=entry.mark,
            fill=self._fills[entry.id],
            group=entry.group,
            status=entry.status,
            usable=self._usable(entry),
            connection_id=entry.connection_id,
            successor=entry.successor,
            successor_name=_name(successor, locale) if successor else None,
            logo_url=f"/logos/{logo.file}?v={logo.digest}" if logo else None,
            notice=_notice(disturbance, locale) if disturbance else None,
        )


def _name(entry: _Entry, locale: str) -> str:
    """The name of a row; in English for a language that it has none in."""
    return entry.names.get(locale) or entry.names["en"]


def _notice(disturbance: Disturbance, locale: str, concerns: tuple[str, ...] = ()) -> Notice:
    return Notice(disturbance.header.in_language(locale), disturbance.text.in_language(locale), concerns)


def _entries(settings: Settings, providers: Mapping[str, Provider]) -> dict[str, _Entry]:
    entries = {}
    for row_id, chosen in settings.providers.items():
        provider = providers[row_id]
        entries[row_id] = _Entry(
            id=row_id,
            names=provider.names,
            mark=provider.mark,
            group=provider.group,
            connection_id=chosen.connection or "",
            provider=provider,
            status=chosen.status,
            successor=chosen.successor,
        )
    for row_id, connection in settings.connections.items():
        if connection.selects == "none" and connection.chooser_name is not None:
            names = connection.chooser_name.as_dict()
            entries[row_id] = _Entry(row_id, names, "card", "other", row_id, None)
    return entries


def _in_order(entries: Mapping[str, _Entry], configured: Sequence[str], locale: str) -> tuple[_Entry, ...]:
    order = {row: place for place, row in enumerate(configured)}

    def place(entry: _Entry) -> tuple[int, int, tuple[int, ...]]:
        return GROUPS.index(entry.group), order.get(entry.id, len(order)), languages.collation_key(_name(entry, locale))

    return tuple(sorted((entry for entry in entries.values() if entry.status != "hidden"), key=place))
