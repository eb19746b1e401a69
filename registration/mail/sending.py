"""Sending what stands in the outbox, at least once, by as many senders at a time as there are.

An entry is claimed for a while, offered to the mail server, and marked as sent when the server has taken it. A sender
that dies in between leaves its claim behind: when that has run out, the e-mail is sent again, with the same
Message-ID (RFC 5322 §3.6.4), by which a mail server or a reader can tell that it is the same.

What fails for now is tried again, each time later, for as long as it takes. What the server refuses for good (5xx,
RFC 5321 §4.2.1) is tried every six hours, as a mailbox may be mended; it is given up after a week.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from email.errors import MessageError
from random import SystemRandom

from jinja2 import TemplateError
from sqlalchemy import ColumnElement, delete, select, update

from registration.cases import codes
from registration.database.connection import Database
from registration.database.models import Account, Case, OutboxEntry
from registration.keys import Keys
from registration.mail.message import ascii_address, host_of, write_message
from registration.mail.outbox import ACTIVATION, note_not_told
from registration.mail.server import Connection, Refused, Unusable
from registration.pages.rendering import Pages
from registration.settings import Settings

CLAIM = 300
"""Seconds that other senders leave an entry alone."""
FIRST_DELAY, LONGEST_DELAY = 30, 3600
"""Seconds until it is tried again: at first, and at most."""
REFUSED_DELAY = 6 * 3600
"""Seconds between tries at what was refused for good."""
GIVEN_UP = 7 * 86_400
"""Seconds from when it was written until an e-mail that is refused is given up."""
KEPT = 7 * 86_400
"""Seconds that an entry is kept after it was sent."""
MOST_PER_CONNECTION = 100
_STEPS = 15
"""Waits for the server in one delivery, from connecting to its last word, at most."""
_log = logging.getLogger("registration.mail")


@dataclass(frozen=True)
class Mailer:
    """Empties the outbox. clock: seconds since the epoch. chance: a number from 0 to 1, so that tries spread.

    tls: how the mail server's certificate and name are checked; the system's authorities unless given.
    """

    settings: Settings
    database: Database
    keys: Keys
    pages: Pages
    clock: Callable[[], float]
    chance: Callable[[], float] = SystemRandom().random
    tls: Callable[[], ssl.SSLContext] = ssl.create_default_context

    def send_due(
        self, stop: Callable[[], bool] = lambda: False, failed: Callable[[Unusable], None] = lambda error: None
    ) -> int:
        """Send what is due, over one connection; return how many were sent. stop: asked before each e-mail.

        Ends early if the connection fails: what is left is due at the next call. failed: told of that. Raises
        DBAPIError.
        """
        sent = 0
        with Connection(self.settings.mail, host_of(self.settings.url), self.tls) as server:
            for _ in range(MOST_PER_CONNECTION):
                claimed = None if stop() else self._claim()
                if claimed is None:
                    break
                try:
                    sent += self._send(server, *claimed)
                except Unusable as error:
                    self._later(claimed[0], error.reason, error.status)
                    failed(error)
                    break
        return sent

    def _send(self, server: Connection, entry: OutboxEntry, account: Account) -> bool:
        """Send one e-mail; False if it was put off. Raises Unusable."""
        code = self._activation_code(entry)
        if code is None:  # the case was decided meanwhile
            self._drop(entry)
            return False
        try:
            message = write_message(self.settings, self.keys, self.pages, entry, account, self._now, code)
            server.deliver(message, ascii_address(entry.address))
        except Refused as error:
            self._refused(entry, error)
        except TemplateError as error:
            _log.error("an e-mail cannot be written", extra={"event": entry.kind}, exc_info=error)
            self._later(entry, "not written", None)
        except (MessageError, ValueError):  # an address that no e-mail can have
            self._refused(entry, Refused(None, for_good=True))
        else:
            self._note(entry, sent_at=self._now)
            _log.info("e-mail sent", extra={"event": entry.kind, "account": entry.account_id})
            return True
        return False

    @property
    def _now(self) -> int:
        return int(self.clock())

    def _claim(self) -> tuple[OutboxEntry, Account] | None:
        """The entry that has been due for longest, so that nobody else sends it meanwhile."""
        now = self._now
        due = select(OutboxEntry).where(*_due(now)).order_by(OutboxEntry.next_try_at, OutboxEntry.id).limit(1)
        with self.database.read() as session:  # takes no lock: most of the time there is nothing
            if session.execute(due).first() is None:
                return None
        with self.database.write() as session:
            entry = session.execute(due.with_for_update(skip_locked=True)).scalar_one_or_none()
            if entry is None:
                return None
            entry.claimed_until = now + max(CLAIM, int(_STEPS * self.settings.mail.timeout))
            return entry, session.get_one(Account, entry.account_id)

    def _activation_code(self, entry: OutboxEntry) -> str | None:
        """A code made for this try, which ends the one before; None if it is of no use, "" if there is none in it."""
        if entry.kind != ACTIVATION:
            return ""
        with self.database.write() as session:
            found = session.get(Case, entry.words["case"], with_for_update=True)
            usable = found is not None and codes.is_awaited(found)
            return codes.make(self.keys, found, self._now) if found is not None and usable else None

    def _note(self, entry: OutboxEntry, **values: int) -> None:
        with self.database.write() as session:
            session.execute(update(OutboxEntry).where(OutboxEntry.id == entry.id).values(values))

    def _drop(self, entry: OutboxEntry, **not_told: str) -> None:
        """Delete an e-mail that is not sent. not_told: what the audit trail says of it, if it says something."""
        with self.database.write() as session:
            session.execute(delete(OutboxEntry).where(OutboxEntry.id == entry.id))
            if not_told:
                note_not_told(session, entry.account_id, entry.kind, self._now, **not_told)

    def _refused(self, entry: OutboxEntry, error: Refused) -> None:
        if not error.for_good:
            self._later(entry, "refused for now", error.status)
        elif self._now - entry.created_at < GIVEN_UP:
            self._later(entry, "refused", error.status, REFUSED_DELAY)
        else:
            self._drop(entry, reason="refused")
            _log.error("e-mail given up", extra=_fields(entry, "refused", error.status))

    def _later(self, entry: OutboxEntry, reason: str, status: int | None, delay: int | None = None) -> None:
        wait = delay or min(FIRST_DELAY * 2 ** min(entry.tries, 16), LONGEST_DELAY)
        next_try_at = self._now + int(wait * (1 + self.chance() / 4))
        self._note(entry, tries=entry.tries + 1, next_try_at=next_try_at, claimed_until=0)
        _log.warning("e-mail not sent yet", extra=_fields(entry, reason, status))


def clean(database: Database, now: int) -> int:
    """Delete what was sent long enough ago; return how much. now: seconds since the epoch."""
    with database.write() as session:
        deleted = session.execute(delete(OutboxEntry).where(OutboxEntry.sent_at <= now - KEPT))
    return int(deleted.rowcount)  # type: ignore[attr-defined]


def _due(now: int) -> tuple[ColumnElement[bool], ...]:
    return OutboxEntry.sent_at.is_(None), OutboxEntry.next_try_at <= now, OutboxEntry.claimed_until <= now


def _fields(entry: OutboxEntry, reason: str, status: int | None) -> dict[str, str | int | None]:
    return {"event": entry.kind, "account": entry.account_id, "reason": reason, "status": status, "count": entry.tries}
