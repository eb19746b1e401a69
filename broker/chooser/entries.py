"""The rows of the chooser as the settings say, without a language and without what changes while the broker runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from broker.settings import Settings
from kit.pages import languages
from providers.model import Provider

Group = Literal["mobile", "bank", "other"]
GROUPS: tuple[Group, ...] = ("mobile", "bank", "other")
"""In the order of the chooser; `other` holds contracts where the bank is chosen at the other end."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A row. provider: None where the contract cannot select. selector: what names it at its connection."""

    id: str
    names: Mapping[str, str]
    mark: str
    group: Group
    connection_id: str
    provider: Provider | None
    status: Literal["open", "closed", "hidden"] = "open"
    successor: str | None = None
    selector: str | None = None

    def name(self, locale: str) -> str:
        """Its name; in English for a language that it has none in."""
        return self.names.get(locale) or self.names["en"]


def entries_of(settings: Settings, providers: Mapping[str, Provider]) -> dict[str, Entry]:
    """Every row by its id."""
    entries = {}
    for row_id, chosen in settings.providers.items():
        provider = providers[row_id]
        entries[row_id] = Entry(
            id=row_id,
            names=provider.names,
            mark=provider.mark,
            group=provider.group,
            connection_id=chosen.connection or "",
            provider=provider,
            status=chosen.status,
            successor=chosen.successor,
            selector=chosen.selector,
        )
    for row_id, connection in settings.connections.items():
        if connection.selects == "none" and connection.chooser_name is not None:
            names = connection.chooser_name.as_dict()
            entries[row_id] = Entry(row_id, names, "card", "other", row_id, None)
    return entries


def in_order(entries: Mapping[str, Entry], configured: Sequence[str], locale: str) -> tuple[Entry, ...]:
    """Those that are shown: by group, then the configured order, then name."""
    order = {row: place for place, row in enumerate(configured)}

    def place(entry: Entry) -> tuple[int, int, tuple[int, ...]]:
        return GROUPS.index(entry.group), order.get(entry.id, len(order)), languages.collation_key(entry.name(locale))

    return tuple(sorted((entry for entry in entries.values() if entry.status != "hidden"), key=place))
