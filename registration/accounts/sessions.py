"""Sessions: a row in our database, found by the token in the browser's cookie.

The cookie (Flask's own, signed, HttpOnly, SameSite=Lax, gone with the browser) holds nothing but random tokens:
`session` and the CSRF token (for one page a constant text too, such as that a right was changed; and, until somebody
signs in or accepts new terms, the address of the page that they came for). A new session gets
new tokens, so that nobody can know them beforehand (session fixation). What binds an authorization request to the
browser outlives it: flow/attempt_cookies.py.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, cast

from flask import redirect, request
from flask import session as cookie
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement, Row, Select, Table, bindparam, delete, or_, select, update
from sqlalchemy.orm import Session as Transaction

from kit import logs
from registration.database.connection import digest, new_id, new_token
from registration.database.models import Account, Session
from registration.service import Service

IDLE = 9000
"""Seconds without a request after which a session ends: more than the two hours that a form may wait."""
LONGEST = 43_200
"""Seconds after which a session ends in any case."""
FRESH = 600
"""Seconds for which an identification is fresh enough for what hurts."""
_SEEN_EVERY = 60
"""Seconds between two notes of when a session was last seen."""
SESSIONS = cast(Table, Session.__table__)
BY_ID = select(*SESSIONS.c).where(SESSIONS.c.id == bindparam("session_id"))
"""The session of an id. What is read with it is joined to SESSIONS."""
_ATTACHING = update(SESSIONS).where(SESSIONS.c.id == bindparam("of")).values(account_id=bindparam("to"))
_WITH_ACCOUNT = BY_ID.add_columns(Account).outerjoin_from(SESSIONS, Account, Account.id == SESSIONS.c.account_id)
_BROWSERS = {
    **{"Edg": "Edge", "OPR/": "Opera", "OPT/": "Opera", "SamsungBrowser/": "Samsung Internet"},
    **{"Firefox/": "Firefox", "FxiOS/": "Firefox", "CriOS/": "Chrome", "Chrome/": "Chrome", "Safari/": "Safari"},
}
_SYSTEMS = {name: name for name in ("Android", "iPhone", "iPad", "Windows")} | {"Mac OS": "macOS", "Linux": "Linux"}
"""What a User-Agent has, the surest sign first, and what it tells."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who has identified: what registration needs of an identity token."""

    sub: str
    given_name: str
    family_name: str


@dataclass(frozen=True, slots=True)
class Current:
    """The session of the current request. person: None if they signed in by password."""

    id: str
    key: str
    account_id: str | None
    person: Person | None
    identified_at: int | None


def begin(
    transaction: Transaction,
    service: Service,
    *,
    account_id: str | None,
    person: Person | None = None,
    identified_at: int | None = None,
) -> str:
    """Begin a new session for this browser, with new tokens, and return its token; the one it had ends.

    identified_at: when the person did so, if they did.
    """
    if old := cookie.get("session"):
        transaction.execute(delete(Session).where(Session.id == digest(old)))
    cookie.clear()
    token = new_token()
    cookie["session"] = token
    now = service.now
    id = digest(token)
    sealed = service.keys.seal(f"session:{id}", [person.sub, person.given_name, person.family_name]) if person else None
    transaction.add(
        Session(
            id=id,
            key=new_id(),
            account_id=account_id,
            sub=person.sub if person else None,
            sealed=sealed,
            browser=_browser_name(request.user_agent.string),
            identified_at=identified_at,
            created_at=now,
            seen_at=now,
            expires_at=now + IDLE,
        )
    )
    return token


def attach_account(transaction: Transaction, session: Current | None, account: Account) -> None:
    """Let a session be signed in to an account that has just been made.

    Its token stays, being new since the identification: so a second click, whose answer the browser shows, or a
    reload finds the account too.
    """
    if session is not None:
        transaction.connection().execute(_ATTACHING, {"of": session.id, "to": account.id})


def take_over(service: Service, token: str) -> None:
    """Give this browser a session that was begun for another copy of its own request, if there still is one."""
    with service.database.read() as transaction:
        if transaction.get(Session, digest(token)) is None:
            return
    cookie.pop("csrf_token", None)
    cookie["session"] = token


def find(service: Service, wanted: Select[Any] = BY_ID) -> tuple[Current, Row[Any]] | None:
    """The session of this request, and the row that was read of it; None if there is none, or no longer.

    wanted: BY_ID, with what is to be read with the session, so that they are of one moment.
    """
    token = cookie.get("session")
    if not token:
        return None
    id, now = digest(token), service.now
    with service.database.read() as transaction:
        row = transaction.execute(wanted, {"session_id": id}).first()
    if row is None or row.expires_at <= now:
        return None
    if row.seen_at + _SEEN_EVERY <= now:
        with service.database.write() as transaction:
            seen = {"seen_at": now, "expires_at": min(now + IDLE, row.created_at + LONGEST)}
            transaction.execute(update(Session).where(Session.id == id).values(seen))
    opened = service.keys.unseal(f"session:{id}", row.sealed) if row.sealed else None
    return Current(id, row.key, row.account_id, Person(*opened) if opened else None, row.identified_at), row


def current(service: Service) -> Current | None:
    """The session of this request; None if there is none, or no longer."""
    found = find(service)
    return found and found[0]


def is_fresh(session: Current | None, now: int) -> bool:
    """Whether its person has identified a short while ago."""
    return session is not None and session.identified_at is not None and session.identified_at + FRESH > now


def keyed_by_session(text: str) -> tuple[str, str]:
    """The id of this browser's session, and a digest of a text by its token, which the browser alone holds."""
    token = cookie["session"]
    return digest(token), hmac.digest(token.encode(), text.encode(), "sha256").hex()


def wanted() -> str:
    """Where who signs in, or accepts new terms, goes: to the page that they came for, as a link in an e-mail named it,
    or to their rights."""
    return str(cookie.pop("wanted", "/rights"))


def end(service: Service) -> None:
    """End this browser's session."""
    if token := cookie.pop("session", None):
        with service.database.write() as transaction:
            transaction.execute(delete(Session).where(Session.id == digest(token)))
    cookie.pop("csrf_token", None)


def of_account(account: Account) -> ColumnElement[bool]:
    """Which sessions are a person's: those of the account, and those in which they have only identified."""
    return or_(Session.account_id == account.id, Session.sub == account.sub)


def end_all(transaction: Transaction, account: Account, but: str | None = None) -> None:
    """End every session of a person. but: the id of one that stays."""
    transaction.execute(delete(Session).where(of_account(account), Session.id != (but or "")))


def signed_in_account(service: Service) -> Account | None:
    """The account of whoever is signed in; None if nobody is."""
    found = find(service, _WITH_ACCOUNT)
    return found[1].Account if found else None


def signed_in_only(service: Service) -> Callable[[Callable[..., ResponseReturnValue]], Any]:
    """A decorator: the view gets the signed-in Account first, and is not reached without one.

    New terms of use are put before the person first, wherever they wanted to go.
    """

    def decorate(view: Callable[..., ResponseReturnValue]) -> Any:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> ResponseReturnValue:
            account = signed_in_account(service)
            if account is None:
                if request.method == "GET":
                    cookie["wanted"] = request.path
                return service.pages.problem("sign_in_first")
            logs.add(account=account.id)
            if account.terms_version != service.terms.version:
                if request.method == "GET":
                    cookie["wanted"] = request.path
                return redirect("/terms/accept", 303)
            return view(account, *args, **kwargs)

        return guarded

    return decorate


def _browser_name(agent: str) -> str:
    """A browser and system as a person knows them, from the User-Agent; nothing finer is kept."""
    browser = next((name for sign, name in _BROWSERS.items() if sign in agent), "Browser")
    system = next((name for sign, name in _SYSTEMS.items() if sign in agent), "")
    return f"{browser}, {system}" if system else browser
