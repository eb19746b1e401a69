"""Who has identified and has no account yet, with what they have filled in: session, account and draft in one read.

So they are of one moment: a second click, whose account is made meanwhile, sees both the account and that the session
is signed in to it, or neither.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, cast

from flask import redirect
from flask.typing import ResponseReturnValue
from sqlalchemy import Table

from registration.accounts import sessions
from registration.accounts.sessions import BY_ID, SESSIONS, Current, Person
from registration.database.models import Account, Draft
from registration.flow import drafts
from registration.service import Service

_ACCOUNTS, _DRAFTS = cast(Table, Account.__table__).c, cast(Table, Draft.__table__).c
_WANTED = BY_ID.add_columns(
    _ACCOUNTS.id.label("known"), _DRAFTS.sealed.label("draft"), _DRAFTS.expires_at.label("draft_until")
).select_from(
    SESSIONS.outerjoin(Account.__table__, _ACCOUNTS.sub == SESSIONS.c.sub).outerjoin(
        Draft.__table__, _DRAFTS.sub == SESSIONS.c.sub
    )
)


@dataclass(frozen=True, slots=True)
class Identified:
    """Whoever registers. draft: what they have filled in; changing it keeps nothing."""

    session: Current
    person: Person
    draft: dict[str, Any]


def identified_only(service: Service) -> Callable[[Callable[..., ResponseReturnValue]], Any]:
    """A decorator: the view gets the Identified first; who is none, or has an account, is led on instead."""

    def decorate(view: Callable[..., ResponseReturnValue]) -> Any:
        @wraps(view)
        def guarded() -> ResponseReturnValue:
            found = sessions.find(service, _WANTED)
            if found is None or found[0].person is None:
                return service.pages.problem("identify_first")
            session, row = found
            if row.known is not None:
                return redirect("/done" if session.account_id == row.known else "/problem/already_registered", 303)
            draft = drafts.opened(service, found[0].person.sub, row.draft, row.draft_until) if row.draft else {}
            return view(Identified(session, found[0].person, draft))

        return guarded

    return decorate
