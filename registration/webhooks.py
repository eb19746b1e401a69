"""Webhooks: the company's systems are told who has registered, joined or left a company (docs/webhooks.md).

The audit trail is the outbox: it is written in the transaction of what it tells, in one order, and each receiver has a
place in it. So nothing is told that was rolled back, nothing is left out, and a receiver that was away goes on where it
was. An event is told at least once, and by the same `jti` whenever it is told again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import SystemRandom
from typing import Any

from flask import Blueprint, Response
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session as Transaction

from kit.json_service import JsonService, NoAnswer
from kit.security_events import MEDIA_TYPE, NoEventKey, event_token, public_set
from registration.api.answers import answer
from registration.audit import chain
from registration.database.connection import Database, insert_or_leave
from registration.database.models import AuditRecord, Company, Webhook
from registration.keys import Keys
from registration.service import Service
from registration.settings import Settings

TOLD: Mapping[str, tuple[str, tuple[str, str] | None]] = {
    "registered": ("registered", None),
    "granted": ("joined", ("new", "yes")),
    "rights_given": ("joined", ("new", "yes")),
    "case_decided": ("joined", ("outcome", "granted")),
    "user_removed": ("ended", None),
    "right_ended": ("ended", None),
    "revoked": ("ended", ("customer_numbers", "all")),
    "forgotten": ("ended", None),
}
"""What a record of the audit trail tells: the event, and the detail that it must have, if one decides."""
CLAIM, FIRST_DELAY, LONGEST_DELAY = 120, 30, 3600
"""Seconds: that other senders leave a receiver alone; until an event is tried again, at first and at most."""
GIVEN_UP = 7 * 86_400
"""Seconds from when it happened until an event that is not taken is given up: the next ones go on."""
MOST, FAR = 100, 1000
"""Events in a row for one receiver; records without an event after which its place is moved on."""
_log = logging.getLogger("registration.webhooks")


@dataclass(frozen=True)
class Pusher:
    """Tells receivers. clock: seconds since the epoch. chance: a number from 0 to 1, so that tries spread."""

    settings: Settings
    database: Database
    keys: Keys
    clock: Callable[[], float]
    chance: Callable[[], float] = SystemRandom().random

    def push_due(self, stop: Callable[[], bool] = lambda: False) -> int:
        """Tell each receiver what is due; how many events were taken. stop: asked before each. Raises DBAPIError."""
        taken = 0
        for name in self.settings.webhooks:
            if not stop() and (row := self._claimed(name)) is not None:
                taken += self._push(row, stop)
        return taken

    def _claimed(self, name: str) -> Webhook | None:
        """A receiver to which something is due, so that nobody else tells it meanwhile; a new one begins here."""
        now = int(self.clock())
        with self.database.read() as tx:  # takes no lock: most of the time there is nothing
            seen, end = tx.get(Webhook, name), chain.last(tx).seq
            if seen is not None:
                if max(seen.next_try_at, seen.claimed_until) > now or end == seen.seq:
                    return None
                if not waiting(tx, seen.seq, 1) and end < seen.seq + FAR:
                    return None
        with self.database.write() as tx:
            if insert_or_leave(tx, Webhook, name=name, seq=end):
                return None
            row = tx.scalar(select(Webhook).where(Webhook.name == name).with_for_update(skip_locked=True))
            if row is None or max(row.next_try_at, row.claimed_until) > now:
                return None
            row.claimed_until = now + CLAIM + 2 * int(self.settings.webhooks[name].timeout)
            return row

    def _push(self, row: Webhook, stop: Callable[[], bool]) -> int:
        hook, taken = self.settings.webhooks[row.name], 0
        service = JsonService(hook.timeout, 4096, allowed=self.settings.addresses_of_receivers)
        with self.database.read() as tx:
            end, due = chain.last(tx).seq, waiting(tx, row.seq, MOST)
            facts = {record.seq: _facts(tx, record) for record in due}
        for record in due:
            event, now = event_of(record), int(self.clock())
            failure = None
            if event in hook.events:
                if stop() or now >= row.claimed_until - 2 * hook.timeout:
                    return self._leave(row.name, taken)
                failure = self._told(service, hook.url, event, record, facts[record.seq], now)
                taken += failure is None
            if failure is not None:
                _log.warning("event not taken", extra={"event": event, "client": row.name, "reason": failure})
                if now < record.at + GIVEN_UP:
                    delay = min(FIRST_DELAY * 2 ** min(row.tries, 16), LONGEST_DELAY) * (1 + self.chance() / 4)
                    return self._leave(row.name, taken, tries=row.tries + 1, next_try_at=now + int(delay))
                _log.error("event given up", extra={"event": event, "client": row.name, "seq": record.seq})
            row.tries = 0
            self._leave(row.name, taken, seq=record.seq or 0, tries=0, claimed_until=row.claimed_until)
        return self._leave(row.name, taken, **({"seq": end} if len(due) < MOST else {}))

    def _leave(self, name: str, taken: int, claimed_until: int = 0, **values: int) -> int:
        with self.database.write() as tx:
            tx.execute(update(Webhook).where(Webhook.name == name).values(claimed_until=claimed_until, **values))
        return taken

    def _told(
        self, service: JsonService, url: str, event: str, record: AuditRecord, facts: dict[str, Any], now: int
    ) -> str | None:
        """Why the receiver has not taken an event; None if it has."""
        issuer, id = self.settings.url, (record.hash or "")[:32]
        about = {"id": id, "subject": record.subject or "", "at": record.at, "now": now}
        try:
            token = event_token(self.keys, f"{issuer}/events/{event}", facts, issuer=issuer, audience=url, **about)  # type: ignore[arg-type]
            status, _ = service.push(url, token.encode(), MEDIA_TYPE)
        except (NoAnswer, NoEventKey) as error:
            return str(error)
        return None if status in (200, 202, 204) else f"the status is {status}"


def event_of(record: AuditRecord) -> str | None:
    """The event that a record tells; None if it tells none, as who had a right in the company before does not join."""
    if record.details.get("new") == "no":
        return None
    event, decides = TOLD.get(record.event, (None, None))
    return event if decides is None or record.details.get(decides[0]) == decides[1] else None


def waiting(tx: Transaction, seq: int, most: int) -> list[AuditRecord]:
    """The records after a place that may tell something."""
    later = select(AuditRecord).where(AuditRecord.seq > seq, AuditRecord.event.in_(TOLD)).order_by(AuditRecord.seq)
    return list(tx.scalars(later.limit(most)))


def oldest(tx: Transaction, names: Mapping[str, object], now: int) -> int:
    """Seconds that an event waits for a receiver, the longest."""
    places = select(func.min(Webhook.seq)).where(Webhook.name.in_(names))
    first = waiting(tx, place, 1) if (place := tx.scalar(places)) is not None else []
    return now - first[0].at if first else 0


def create_blueprint(service: Service) -> Blueprint:
    """`/jwks`: the keys by which receivers verify."""
    blueprint = Blueprint("webhooks", __name__)

    @blueprint.get("/jwks")
    def jwks() -> Response:
        response = answer(200, public_set(service.keys))
        response.headers["Cache-Control"] = "public, max-age=3600"
        return response

    return blueprint


def _facts(tx: Transaction, record: AuditRecord) -> dict[str, Any]:
    company = tx.get(Company, record.fo_nummer) if record.fo_nummer else None
    known = {"key": company.key, "fo_nummer": company.fo_nummer, "name": company.name} if company else None
    return {"account_id": record.subject, "company": known}
