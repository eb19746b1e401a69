"""Who is on the phone: a member of staff asks, looks whether the caller has identified, and sees the name, once."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

from pydantic import StringConstraints

from registration.api.answers import not_found, refused
from registration.api.staff.authentication import AGENT, Staff
from registration.api.staff.table import Body, Key, read
from registration.caller import checks
from registration.database.models import Account, Case
from registration.service import Service


class Begin(Body):
    """account_id: whose owner the caller says to be; if it is absent, who has opened the case."""

    account_id: Key | None = None
    case: Key | None = None
    by: Literal["voice", "email"]


class Digits(Body):
    """What the caller reads aloud."""

    digits: Annotated[str, StringConstraints(pattern="^[0-9]{4}$")]


def ask_caller(service: Service, staff: Staff, body: Any) -> dict[str, Any]:
    """Ask who is on the phone. Raises ApiError, CannotBeSent."""
    staff.refuse_without(AGENT)
    asked = read(Begin, body)
    with service.database.write() as tx:
        about_case = tx.get(Case, asked.case) if asked.case else None
        if asked.case and about_case is None:
            raise refused("unknown_case")
        account_id = asked.account_id or (about_case.account_id if about_case else None)
        account = tx.get(Account, account_id) if account_id else None
        if account_id and account is None:
            raise refused("unknown_user")
        about: dict[str, Any] = {"account": account, "case": asked.case, "by": asked.by}
        check, code = checks.begin(tx, service.keys, staff=staff.actor, now=service.now, **about)
    page = f"{service.settings.url}/caller"
    return {"id": check.id, "code": code or None, "page": page, "expires_at": check.expires_at}


def show_check(service: Service, staff: Staff, _: Any, id: str) -> dict[str, Any]:
    """How a check stands that this member of staff has asked for. Raises ApiError."""
    with service.database.read() as tx:
        check = checks.of_staff(tx, id, staff.actor, service.now)
    if check is None:
        raise not_found()
    return {"state": checks.state_of(check), "expires_at": check.expires_at}


def show_caller(service: Service, staff: Staff, body: Any, id: str) -> dict[str, Any]:
    """Who the caller is, for the digits that they read aloud. Raises ApiError."""
    staff.refuse_without(AGENT)
    digits = read(Digits, body).digits
    with service.database.write() as tx:
        check = checks.of_staff(tx, id, staff.actor, service.now)
        if check is None or checks.state_of(check) != "identified":
            raise not_found()
        seen = checks.show(tx, service.keys, check, digits, service.now)
        left = checks.MOST_TRIES - check.tries
    if seen is None:  # raised after the transaction, so that the try counts
        raise refused("wrong_digits", left=left)
    return asdict(seen) | {"birth_date": seen.birth_date or None}
