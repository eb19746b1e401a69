"""What banks and brokers publish of their own state, read by ourselves: nobody waits for it, and it lapses.

Whoever asks for what stands now gets what was read last; if it is due to be read again, that begins in the background,
once. What cannot be read leaves what was read before: a disturbance and the list of banks for an hour, the texts that
must be shown for a day. What they publish and how it is read is `providers.engine.published`.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from pydantic import ValidationError

from broker.chooser.notices import ConnectionNotices, Disturbance, NoticeLinks, NoticeTexts
from broker.settings import Settings
from providers.engine.bounded import BankUnreachable, BoundedSession
from providers.engine.compact import Malformed
from providers.engine.published import Published, read_published
from providers.model import Observer, Texts

log = logging.getLogger("tunnus.notices")

EVERY = 300
"""Seconds from one reading to the next."""
RETRY = 60
"""Seconds to the next try after one that failed."""
KEEP = 3600
"""Seconds that a disturbance and the list of banks are good for."""
KEEP_TEXTS = 24 * 3600
"""Seconds that the texts which must be shown are good for: they hardly ever change."""

HEADER = NoticeTexts.model_validate({"fi": "Häiriötiedote", "sv": "Störningsmeddelande", "en": "Service notice"})
"""Above a text that comes without a header."""

Readers = Mapping[str, Callable[[], Published]]
"""By connection: reads what its broker publishes. Raises BankUnreachable or Malformed."""


@dataclass(frozen=True, slots=True)
class Live:
    """What was read of a connection. listed: what names each bank that can be used now; None if that is not told."""

    notices: ConnectionNotices = field(default_factory=ConnectionNotices)
    listed: frozenset[str] | None = None


@dataclass(slots=True)
class _Reading:
    """How the reading of one connection goes. read_at, tried_at: seconds since the epoch.

    reason: why the last one failed. left_out: of the list of banks, as it was last reported.
    """

    live: Live | None = None
    read_at: float | None = None
    tried_at: float | None = None
    under_way: bool = False
    reason: str | None = None
    left_out: tuple[str, ...] = ()


class LiveNotices:
    """The notices of every connection that publishes some.

    observer: gets `notices_read` and `notices_failed`. clock: seconds since the epoch. in_background: runs a function
    without waiting for it.
    """

    def __init__(
        self,
        readers: Readers,
        observer: Observer,
        clock: Callable[[], float],
        in_background: Callable[[Callable[[], None]], None] | None = None,
    ) -> None:
        self._readers = readers
        self._observer = observer
        self._clock = clock
        self._in_background = in_background or _in_a_thread
        self._lock = threading.Lock()
        self._readings = {connection: _Reading() for connection in readers}
        self._kept: tuple[object, Mapping[str, Live]] = ((), {})

    def current(self) -> Mapping[str, Live]:
        """What stands now by connection; the same object for as long as nothing changes. Begins what is due."""
        if not self._readers:
            return self._kept[1]
        now = self._clock()
        self._begin_what_is_due(now)
        seen = tuple((reading.live, self._lapsed(reading, now)) for reading in self._readings.values())
        if seen != self._kept[0]:
            found = zip(self._readings, seen, strict=True)
            lives = {name: _what_is_left(live, lapsed) for name, (live, lapsed) in found if live and lapsed < 2}
            self._kept = seen, lives
        return self._kept[1]

    def age(self, connection: str) -> float | None:
        """Seconds since its notices were read; None if they never were."""
        read_at = self._readings[connection].read_at
        return None if read_at is None else self._clock() - read_at

    def failure(self, connection: str) -> str | None:
        """Why the last reading failed, in constant words; None if it did not."""
        return self._readings[connection].reason

    @property
    def connections(self) -> tuple[str, ...]:
        """Those that publish some."""
        return tuple(self._readers)

    def _lapsed(self, reading: _Reading, now: float) -> int:
        """0 for what is good as it is, 1 if only its texts are, 2 for nothing."""
        age = now - reading.read_at if reading.read_at is not None else KEEP_TEXTS
        return (age >= KEEP) + (age >= KEEP_TEXTS)

    def _begin_what_is_due(self, now: float) -> None:
        for connection, reading in self._readings.items():
            if _is_due(reading, now):
                with self._lock:
                    if not _is_due(reading, now):
                        continue
                    reading.under_way, reading.tried_at = True, now
                try:
                    self._in_background(partial(self._read, connection))
                except RuntimeError:
                    reading.under_way = False
                    self._failed(connection, "no thread could be started")

    def _read(self, connection: str) -> None:
        reading = self._readings[connection]
        try:
            published = self._readers[connection]()
            live = live_of(published)
        except (BankUnreachable, Malformed) as error:
            self._failed(connection, str(error))
        else:
            self._observer.event("notices_read", connection=connection)
            if reading.reason is not None:
                log.info("notices of a bank are read again", extra={"connection": connection})
            reading.live, reading.read_at, reading.reason = live, self._clock(), None
            if published.left_out and published.left_out != reading.left_out:  # once, and not with each reading
                places = ", ".join(published.left_out)
                log.warning("banks of a list are left out", extra={"connection": connection, "place": places})
            reading.left_out = published.left_out
        finally:
            reading.under_way = False

    def _failed(self, connection: str, reason: str) -> None:
        self._observer.event("notices_failed", connection=connection)
        if self._readings[connection].reason is None:  # once, and not again each minute
            log.warning("notices of a bank cannot be read", extra={"connection": connection, "reason": reason})
        self._readings[connection].reason = reason


def readers_of(settings: Settings) -> Readers:
    """How to read what each connection publishes, of those whose notices are wanted."""
    readers = {}
    for name, connection in settings.connections.items():
        if connection.published_at is not None:
            session = BoundedSession(ca_bundle=connection.ca_bundle, proxy=connection.proxy)
            readers[name] = partial(read_published, settings.connection_of(name), session)
    return readers


def live_of(published: Published) -> Live:
    """What was read, as notices: half a disturbance and a link that is none left out."""
    text, link = _texts(published.text), None
    with suppress(ValidationError):
        link = NoticeLinks.model_validate(published.privacy_link)
    privacy = _texts(published.privacy_text) if link else None
    notices = ConnectionNotices(
        disturbance=Disturbance(header=_texts(published.header) or HEADER, text=text) if text else None,
        consent=_texts(published.consent),
        provider_info=_texts(published.provider_info),
        privacy_text=privacy,
        privacy_link=link if privacy else None,
    )
    return Live(notices, published.listed)


def _texts(words: Texts) -> NoticeTexts | None:
    return NoticeTexts.model_validate(words) if words else None


def _is_due(reading: _Reading, now: float) -> bool:
    if reading.under_way:
        return False
    wait = EVERY if reading.reason is None else RETRY
    return reading.tried_at is None or not 0 <= now - reading.tried_at < wait


def _what_is_left(live: Live, lapsed: int) -> Live:
    return Live(live.notices.model_copy(update={"disturbance": None})) if lapsed else live


def _in_a_thread(run: Callable[[], None]) -> None:
    threading.Thread(target=run, name="notices", daemon=True).start()
