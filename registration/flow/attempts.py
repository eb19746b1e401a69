"""Trips to the broker: one attempt for each authorization request, found by its state, bound to one browser.

An answer is claimed by one request only. Where it led is kept, sealed, for a minute: a double click, a reload or a
second copy of the answer from the same browser gets the same session and goes the same way.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from kit import logs
from registration.database.connection import digest, new_token
from registration.database.models import Attempt
from registration.flow.broker_client import Request
from registration.service import Service

LIFETIME = 3600
"""Seconds in which the broker's answer is taken: a person may choose, wait and choose again there."""
OUTCOME_SECONDS = 60
MOST_PER_BROWSER = 20
"""Beyond it one that has ended goes, else the latest: a page that begins many ends none of a person's own."""
PURPOSES = ("register", "sign-in", "new-password", "confirm", "caller")
"""confirm: of a person with an account, who goes on with what they were at (accounts/fresh.py)."""
STEP = "2/4"
"""Which step of registering the broker's pages are: a parameter of ours, which its chooser shows."""
WAIT = 10.0
"""Seconds that a second copy of an answer waits for the first."""


@dataclass(frozen=True, slots=True)
class Trip:
    """An attempt as it was begun. reference: what the person sees of it, and the log."""

    id: str
    purpose: str
    locale: str
    request: Request
    claimed_at: int | None
    outcome: Any | None

    @property
    def reference(self) -> str:
        """Eight characters of the attempt's id, which is a digest of its state."""
        return self.id[:8]


@dataclass(frozen=True, slots=True)
class Begun:
    """A new attempt. url: of its authorization request. token: for its cookie. ended: ids that went for it."""

    id: str
    url: str
    token: str
    ended: Sequence[str]


def begin(service: Service, held: Sequence[str], purpose: str, locale: str, idp_hint: str | None) -> Begun:
    """Store an attempt. held: the tokens of this browser's others, the oldest first."""
    request = Request(new_token(), new_token(), secrets.token_urlsafe(48))
    id, token, now = digest(request.state), new_token(), service.now
    browser = digest(token)
    with service.database.write() as transaction:
        ended = _over_the_limit(transaction, [digest(other) for other in held])
        transaction.execute(delete(Attempt).where(Attempt.id.in_(ended)))
        sealed = service.keys.seal(f"attempt:{id}", [request.state, request.nonce, request.code_verifier])
        transaction.add(
            Attempt(id=id, browser=browser, purpose=purpose, locale=locale, sealed=sealed, expires_at=now + LIFETIME)
        )
    wanted = {"ui_locales": locale} | ({"idp_hint": idp_hint} if idp_hint else {})
    if purpose == "register":
        wanted["step"] = STEP
    if purpose in {"new-password", "confirm"}:
        wanted["prompt"] = "login"  # an OpenID Provider with sessions of its own must ask the person again
    return Begun(id, service.broker.authorization_url(request, **wanted), token, ended)


def _over_the_limit(transaction: Session, browsers: Sequence[str]) -> list[str]:
    """The attempts that have to go for a new one."""
    wanted = select(Attempt.browser, Attempt.id, Attempt.claimed_at).where(Attempt.browser.in_(browsers))
    found = {row.browser: row for row in transaction.execute(wanted)}
    rows = sorted((found[one] for one in browsers if one in found), key=lambda row: row.claimed_at is not None)
    return [row.id for row in rows[MOST_PER_BROWSER - 1 :]]


def find(service: Service, state: str) -> tuple[Trip, str] | None:
    """The attempt of a state and the digest of its cookie's token; None if there is none, or no longer."""
    id, now = digest(state), service.now
    with service.database.read() as transaction:
        row = transaction.get(Attempt, id)
    if row is None or row.expires_at <= now:
        return None
    opened = service.keys.unseal(f"attempt:{id}", row.sealed)
    if opened is None:
        return None
    outcome = service.keys.unseal(f"outcome:{id}", row.outcome) if row.outcome else None
    if outcome and outcome["until"] <= now:
        outcome = {"path": outcome["path"]}
    return Trip(id, row.purpose, row.locale, Request(*opened), row.claimed_at, outcome), row.browser


def claim(service: Service, trip: Trip) -> bool:
    """Take the attempt's answer for this request; False if another has it."""
    with service.database.write() as transaction:
        statement = update(Attempt).where(Attempt.id == trip.id, Attempt.claimed_at.is_(None))
        return transaction.execute(statement.values(claimed_at=service.now)).rowcount == 1  # type: ignore[attr-defined, no-any-return]


def finish(transaction: Any, service: Service, trip: Trip, path: str, session: str | None = None) -> None:
    """Keep where the answer led. session: the token of the session that was begun with it."""
    outcome: dict[str, Any] = {"path": path, "until": service.now + OUTCOME_SECONDS}
    if session:
        outcome["session"] = session
    sealed = service.keys.seal(f"outcome:{trip.id}", outcome)
    transaction.execute(update(Attempt).where(Attempt.id == trip.id).values(outcome=sealed))


def wait_for_outcome(service: Service, state: str, seconds: float = WAIT) -> Any | None:
    """Where an answer led that another request has claimed; None if it does not end in time, or too many wait."""
    if not service.waiters.acquire(blocking=False):
        logs.add(limit="waiters")
        return None
    try:
        for _ in range(int(seconds / 0.1)):
            found = find(service, state)
            if found is None:
                return None
            if found[0].outcome:
                return found[0].outcome
            time.sleep(0.1)
        return None
    finally:
        service.waiters.release()
