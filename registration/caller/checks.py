"""A check: asked for by a member of staff, bound to one browser by its code or link, identified, shown once."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session as Transaction

from registration import audit
from registration.cases.codes import as_meant, random_code
from registration.database.connection import digest, new_id, new_token
from registration.database.models import Account, CallerCheck
from registration.keys import Keys
from registration.mail import outbox
from tunnus_verifier import IdentityClaims

COOKIE = "caller"
"""In the session's cookie: the token of the check that a browser is at."""
LIFETIME = 600
"""Seconds for each step: to enter the code, to identify, and to see the name."""
LONG_CONFIRMED = 7 * 86_400
"""Seconds for which an address must have been confirmed before a link goes to it: whoever has just changed it waits."""
MOST_TRIES = 3
"""How often digits may be tried; then the name is gone."""
LENGTH = 8
"""Letters of a code, which are 40 random bits."""


class CannotBeSent(Exception):
    """There is no account to write to, or its address was not confirmed over a week ago."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who has identified. owner: whether the account that was asked about is theirs; None if none was."""

    given_name: str
    family_name: str
    birth_date: str
    owner: bool | None
    identified_at: int


def begin(
    tx: Transaction, keys: Keys, *, staff: str, account: Account | None, case: str | None, by: str, now: int
) -> tuple[CallerCheck, str]:
    """A new check and its code, which is empty where a link goes by e-mail.

    staff: who asks, as the audit trail names them. account: whose owner the caller says to be. case: an id. by:
    `voice` or `email`. now: seconds since the epoch. Raises CannotBeSent.
    """
    code = random_code(LENGTH) if by == "voice" else ""
    check = CallerCheck(
        id=new_id(),
        code=_digest(keys, code) if code else None,
        staff=staff,
        account_id=account.id if account else None,
        case_id=case,
        tries=0,
        expires_at=now + LIFETIME,
    )
    tx.add(check)
    if by == "email":
        if account is None or not account.email_confirmed_at or account.email_confirmed_at + LONG_CONFIRMED > now:
            raise CannotBeSent
        outbox.notify(tx, account, outbox.CALLER_CHECK, now, check=check.id)
    _record(tx, "caller_asked", check, now, by=by)
    return check, code


def enter(tx: Transaction, keys: Keys, typed: str, now: int) -> str | None:
    """Bind the check of a code, as somebody heard it, to a browser; the browser's token. None if there is none."""
    code = as_meant(typed)
    return _bind(tx, CallerCheck.code == _digest(keys, code), now) if len(code) == LENGTH else None


def follow_link(tx: Transaction, id: str, now: int) -> str | None:
    """As `enter`, for the check whose link came by e-mail."""
    return _bind(tx, CallerCheck.id == id, now)


def of_browser(tx: Transaction, token: str | None, now: int) -> CallerCheck | None:
    """The check that a browser is at."""
    return _current(tx, CallerCheck.browser == digest(token or ""), now)


def of_staff(tx: Transaction, id: str, staff: str, now: int) -> CallerCheck | None:
    """The check that a member of staff has asked for; nobody else's."""
    check = _current(tx, CallerCheck.id == id, now)
    return check if check is not None and check.staff == staff else None


def leaves_for_bank(tx: Transaction, token: str | None, attempt: str, now: int) -> CallerCheck | None:
    """Note by which attempt a browser's check goes on, as the bank's answer may come without the cookie; the check."""
    check = of_browser(tx, token, now)
    if check is not None:
        check.attempt = attempt
    return check


def identified(
    tx: Transaction, keys: Keys, attempt: str, claims: IdentityClaims, token: str | None, now: int
) -> str | None:
    """Keep who has identified by an attempt, sealed; return the browser's token, a new one if it has lost its own.

    None if the check has ended meanwhile.
    """
    check = _current(tx, CallerCheck.attempt == attempt, now)
    if check is None or check.identified_at is not None:
        return None
    owner = None
    if check.account_id is not None:
        owner = tx.scalar(select(Account.sub).where(Account.id == check.account_id)) == claims.sub
    birth_date = claims.birthdate.isoformat() if claims.birthdate else ""
    names = [claims.given_name or "", claims.family_name or "", birth_date]
    check.sealed = keys.seal(f"caller:{check.id}", [f"{secrets.randbelow(10_000):04}", owner, *names])
    check.identified_at, check.expires_at = now, now + LIFETIME
    if token is None or digest(token) != check.browser:
        token = new_token()
        check.browser = digest(token)
    told = {None: "not asked", True: "yes", False: "no"}[owner]
    _record(tx, "caller_identified", check, now, owner=told)
    return token


def digits_of(keys: Keys, check: CallerCheck) -> str:
    """What the caller reads aloud; empty if they have not identified, or it has been read."""
    opened = _opened(keys, check)
    return opened[0] if opened else ""


def show(tx: Transaction, keys: Keys, check: CallerCheck, digits: str, now: int) -> Caller | None:
    """Who the caller is, once, for the digits that they read aloud. None for wrong ones: the third ends it."""
    opened = _opened(keys, check)
    if opened is None or check.identified_at is None:
        return None
    right = hmac.compare_digest(opened[0].encode(), digits.encode())
    check.tries += 1
    if right or check.tries >= MOST_TRIES:
        check.sealed = None
    _record(tx, "caller_shown" if right else "caller_not_shown", check, now)
    _, owner, given_name, family_name, birth_date = opened
    return Caller(given_name, family_name, birth_date, owner, check.identified_at) if right else None


def state_of(check: CallerCheck | None) -> str:
    """`waiting` for the caller, `identified`, or `ended`."""
    if check is None or (check.identified_at is not None and check.sealed is None):
        return "ended"
    return "waiting" if check.identified_at is None else "identified"


def _bind(tx: Transaction, which: ColumnElement[bool], now: int) -> str | None:
    token = new_token()
    free = which, CallerCheck.browser.is_(None), CallerCheck.expires_at > now
    values = {"browser": digest(token), "expires_at": now + LIFETIME}
    bound = tx.execute(update(CallerCheck).where(*free).values(values))
    return token if bound.rowcount == 1 else None  # type: ignore[attr-defined]


def _current(tx: Transaction, which: ColumnElement[bool], now: int) -> CallerCheck | None:
    return tx.scalar(select(CallerCheck).where(which, CallerCheck.expires_at > now).with_for_update())


def _opened(keys: Keys, check: CallerCheck) -> list[Any] | None:
    found: list[Any] | None = keys.unseal(f"caller:{check.id}", check.sealed) if check.sealed else None
    return found


def _digest(keys: Keys, code: str) -> str:
    return keys.keyed_digest("caller", code)


def _record(tx: Transaction, event: str, check: CallerCheck, now: int, **details: str) -> None:
    about = details | ({"case": check.case_id} if check.case_id else {})
    audit.record(tx, event, now=now, actor=check.staff, subject=check.account_id, **about)
