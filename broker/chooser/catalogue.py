"""What a person can choose: one model for the hosted chooser and for `GET /api/providers`.

A row is a provider, or a connection whose OpenID Provider lets the person choose on its own page. What a row
says is settings (status, successor), the provider's own data (names, mark), the notices, the list of banks and the
breaker of its connection. A hidden provider is in no list, but a client's hint can name it.

A row is disturbed by what the operator wrote, else by what its broker publishes, else because identifications with it
failed lately.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from broker.chooser.entries import Entry, Group, entries_of, in_order
from broker.chooser.live_notices import LiveNotices
from broker.chooser.marks import load_logos, mark_svg
from broker.chooser.merged import FAILING, MergedNotices, Shown
from broker.chooser.notices import Disturbance, LocalText, Notices, NoticeTexts
from broker.settings import Settings
from kit.pages import languages
from kit.pages.pictures import Picture
from providers.model import Adapter, Provider
from providers.registry import PROVIDERS


@dataclass(frozen=True, slots=True)
class Choice:
    """A row as the flow needs it. provider: None where the contract cannot select.

    usable: it can be started now: not closed, in the list of banks where its broker publishes one, and its connection's
    breaker is shut. connection_id is empty only for a
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
class Listing:
    """What the chooser shows in a language; the same object for as long as none of it changes.

    notices: each disturbance of today once, with the rows it is about, and none if that is every row; last, one of our
    own about the rows that fail and have no other.
    statements: what must be shown beside the chooser, per connection that has such texts.
    """

    rows: tuple[Row, ...]
    notices: tuple[Notice, ...]
    statements: tuple[Statement, ...]


class Catalogue:
    """The rows as they stand now.

    adapters: by connection id; only `usable_for` and `failed_lately` are asked of them. live: None where no notices are
    read. Raises ConfigurationError if `brand.logo_dir`
    holds a file that cannot be used.
    """

    def __init__(
        self,
        settings: Settings,
        adapters: Mapping[str, Adapter],
        notices: Notices,
        live: LiveNotices | None = None,
        providers: Mapping[str, Provider] = PROVIDERS,
    ) -> None:
        self._adapters = adapters
        self._notices = MergedNotices(notices, live)
        self._entries = entries_of(settings, providers)
        self._listed: dict[str, tuple[Entry, ...]] = {
            locale: in_order(self._entries, settings.chooser.order, locale) for locale in settings.languages.codes
        }
        fixed = self._listed[languages.LOCALES[0]]
        self._fills = {entry.id: place for place, entry in enumerate(fixed)}  # the same in every language and list
        self.logos: Mapping[str, Picture] = load_logos(settings.brand.logo_dir, self._entries)
        self._selectors: dict[str, set[str]] = {}
        for entry in self._entries.values():
            if entry.selector is not None:
                self._selectors.setdefault(entry.connection_id, set()).add(entry.selector)
        self._kept: dict[str, tuple[object, list[tuple[bool, bool]], Listing]] = {}

    def listing(self, locale: str) -> Listing:
        """Rows, notices and statements as they stand now."""
        tables = self._notices.current()
        states = [(self._usable(entry), self._fails(entry)) for entry in self._entries.values()]
        kept = self._kept.get(locale)
        if kept is not None and kept[0] is tables and kept[1] == states:
            return kept[2]
        rows = tuple(self._row(entry, locale) for entry in self._listed[locale])
        listing = Listing(rows, self._disturbances(locale), self._statements(locale))
        self._kept[locale] = (tables, states, listing)
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
        told = [
            _notice(disturbance, locale, self._concerns(entries, locale))
            for shown, entries in self._by_connection(locale)
            for disturbance in shown.disturbances
        ]
        opened = [entry for entry in self._listed[locale] if entry.status == "open"]
        failing = [entry for entry in opened if self._disturbance(entry) is FAILING]
        if failing:
            told.append(_notice(FAILING, locale, self._concerns(failing, locale)))
        return tuple(told)

    def _disturbance(self, entry: Entry) -> Disturbance | None:
        """The first of the operator's, the broker's and our own."""
        told = self._notices.of(entry.connection_id).disturbances
        return told[0] if told else FAILING if self._fails(entry) else None

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

    def _by_connection(self, locale: str) -> list[tuple[Shown, list[Entry]]]:
        entries: dict[str, list[Entry]] = {}
        for entry in self._listed[locale]:
            if entry.status == "open":
                entries.setdefault(entry.connection_id, []).append(entry)
        return [(self._notices.of(connection), listed) for connection, listed in entries.items()]

    def _concerns(self, entries: list[Entry], locale: str) -> tuple[str, ...]:
        """Names of the rows that a connection's texts are about; none where there is no other open row."""
        every = sum(entry.status == "open" for entry in self._listed[locale])
        return () if len(entries) == every else tuple(entry.name(locale) for entry in entries)

    def _usable(self, entry: Entry) -> bool:
        adapter = self._adapters.get(entry.connection_id)
        return (
            entry.status != "closed"
            and adapter is not None
            and adapter.usable_for(_provider_id(entry))
            and not self._is_unlisted(entry)
        )

    def _is_unlisted(self, entry: Entry) -> bool:
        """Whether its broker says that it cannot be used now: a list with none of ours in it is about other things."""
        listed = self._notices.of(entry.connection_id).listed
        ours = self._selectors.get(entry.connection_id, set())
        return listed is not None and not ours.isdisjoint(listed) and entry.selector not in listed

    def _fails(self, entry: Entry) -> bool:
        adapter = self._adapters.get(entry.connection_id)
        return entry.status == "open" and adapter is not None and adapter.failed_lately(_provider_id(entry))

    def _row(self, entry: Entry, locale: str) -> Row:
        assert entry.status != "hidden"  # noqa: S101 - `rows` leaves them out
        logo = self.logos.get(entry.id)
        disturbance = self._disturbance(entry) if entry.status == "open" else None
        successor = self._entries.get(entry.successor or "")
        return Row(
            id=entry.id,
            name=entry.name(locale),
            mark=entry.mark,
            fill=self._fills[entry.id],
            group=entry.group,
            status=entry.status,
            usable=self._usable(entry),
            connection_id=entry.connection_id,
            successor=entry.successor,
            successor_name=successor.name(locale) if successor else None,
            logo_url=f"/logos/{logo.file}?v={logo.digest}" if logo else None,
            notice=_notice(disturbance, locale) if disturbance else None,
        )


def _provider_id(entry: Entry) -> str | None:
    return entry.provider.id if entry.provider is not None else None


def _notice(disturbance: Disturbance, locale: str, concerns: tuple[str, ...] = ()) -> Notice:
    return Notice(disturbance.header.in_language(locale), disturbance.text.in_language(locale), concerns)
