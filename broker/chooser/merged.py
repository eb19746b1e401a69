"""The notices of both sides: what the operator wrote in the file, and what banks and brokers publish.

The operator's come first. A text that must be shown is the operator's if there is one, so that a broker's change of
words never replaces words that were agreed on; a disturbance of either side is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from broker.chooser.live_notices import Live, LiveNotices
from broker.chooser.notices import NO_NOTICES, ConnectionNotices, Disturbance, NoticeLinks, Notices, NoticeTexts


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown of a connection. disturbances: the operator's first. listed: see `Live`."""

    disturbances: tuple[Disturbance, ...] = ()
    consent: NoticeTexts | None = None
    provider_info: NoticeTexts | None = None
    privacy_text: NoticeTexts | None = None
    privacy_link: NoticeLinks | None = None
    listed: frozenset[str] | None = None

    @property
    def states(self) -> bool:
        """Whether there is a text that must be shown beside the chooser."""
        return any((self.consent, self.provider_info, self.privacy_text))


NOTHING = Shown()
FAILING = Disturbance(
    header=NoticeTexts.model_validate(
        {"fi": "Tunnistautumisessa on häiriö", "sv": "Identifieringen störs", "en": "Identification is disturbed"}
    ),
    text=NoticeTexts.model_validate(
        {
            "fi": "Tunnistautuminen ei nyt aina onnistu. Yritä hetken kuluttua uudelleen tai valitse toinen tapa.",
            "sv": "Just nu lyckas identifieringen inte alltid. Försök igen om en stund eller välj ett annat sätt.",
            "en": "Identification does not always succeed right now. Try again in a moment or choose another method.",
        }
    ),
)
"""Our own words, about rows that identifications failed with lately."""


class MergedNotices:
    """The notices as they stand now. live: None where nothing is read."""

    def __init__(self, written: Notices, live: LiveNotices | None = None) -> None:
        self._written = written
        self._live = live
        self._kept: tuple[object, object, Mapping[str, Shown]] = (None, None, {})

    def of(self, connection: str) -> Shown:
        """The notices of a connection; empty if it has none."""
        return self.current().get(connection, NOTHING)

    def current(self) -> Mapping[str, Shown]:
        """All notices by connection; the same object for as long as nothing changes."""
        written, live = self._written.current(), self._live.current() if self._live else {}
        if self._kept[0] is not written or self._kept[1] != live:
            names = written.keys() | live.keys()
            shown = {name: _merged(written.get(name, NO_NOTICES), live.get(name, Live())) for name in names}
            self._kept = written, live, shown
        return self._kept[2]


def _merged(ours: ConnectionNotices, live: Live) -> Shown:
    theirs = live.notices
    found = [notices.disturbance for notices in (ours, theirs) if notices.disturbance is not None]
    privacy = ours if ours.privacy_text else theirs
    return Shown(
        disturbances=tuple(found[:1] if found[1:] == found[:1] else found),
        consent=ours.consent or theirs.consent,
        provider_info=ours.provider_info or theirs.provider_info,
        privacy_text=privacy.privacy_text,
        privacy_link=privacy.privacy_link,
        listed=live.listed,
    )
