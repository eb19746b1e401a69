"""An act is asked for, and done once; what is weighty waits for a second member of staff.

`request_id` makes it once: its digest, with who asks, is the primary key of the act, inserted in the transaction of
what it does. What is refused leaves no row. Of two who decide at once the row's lock lets one through.
"""

from __future__ import annotations

from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from registration import cases
from registration.api.answers import decided_before, invalid_request, not_found, refused
from registration.api.staff.authentication import AGENT, SUPERVISOR, Staff
from registration.api.staff.table import ACTS, REASONS, Decide, Ready, Why, read
from registration.audit import By
from registration.database.connection import digest, insert_or_leave
from registration.database.models import Account, Company, StaffAct
from registration.service import Service

EXPIRES, KEPT = 7 * 86_400, 86_400
"""Seconds that an act waits for a second member of staff; after which a `request_id` may be used anew."""
MOST_SHOWN = 200


class _Decided(Why):
    decision: Literal["confirm", "refuse"]


def ask(service: Service, staff: Staff, body: Any) -> tuple[int, dict[str, Any]]:
    """Do an act, or let it wait for a second member of staff; the status and the answer. Raises ApiError."""
    staff.refuse_without(AGENT)
    name = body.get("act") if isinstance(body, dict) else None
    if not isinstance(name, str) or name not in ACTS:
        raise invalid_request(f"the body must be an object whose act is one of {', '.join(ACTS)}")
    asked = read(ACTS[name][0], body)
    told, now = asked.model_dump(exclude_unset=True), service.now
    id = digest(staff.actor, asked.request_id)[:32]
    with service.database.read() as tx:
        if (before := tx.get(StaffAct, id)) is not None:
            return _answer(before, told)
        account, fo_nummer, ready = _ready(service, tx, staff, asked)
    by = asked.by(staff.actor, now)
    waits = ready.weighty and service.settings.rules.second_person
    if waits:  # what the second member of staff could not confirm is refused now
        service.database.tried(lambda tx: ready.do(tx, tx.get_one(Account, account.id), by))
    state, expires_at = ("waiting", now + EXPIRES) if waits else ("done", now + KEPT)
    row = {"id": id, "asked": told, "asked_by": staff.actor, "asked_at": now, "state": state, "expires_at": expires_at}
    about = {"account_id": account.id, "fo_nummer": fo_nummer}
    with service.database.write() as tx:
        inserted = insert_or_leave(tx, StaffAct, **row, **about)
        if inserted and waits:
            by.record(tx, "act_asked", subject=account.id, fo_nummer=fo_nummer, act=name)
        elif inserted:
            _do(service, tx, ready, account, by)
        return _answer(tx.get_one(StaffAct, id), told)


def show_vocabulary(_service: Service, _staff: Staff, _asked: Any) -> dict[str, Any]:
    """The reasons that an act may have."""
    return {"reasons": list(REASONS)}


def show_waiting(service: Service, staff: Staff, _: Any) -> dict[str, Any]:
    """The acts that wait for a second member of staff, the oldest first. own: this one has asked for it."""
    found = (
        select(StaffAct, Account, Company)
        .join(Account, Account.id == StaffAct.account_id)
        .outerjoin(Company, Company.fo_nummer == StaffAct.fo_nummer)
        .where(StaffAct.state == "waiting", StaffAct.expires_at > service.now)
        .order_by(StaffAct.asked_at, StaffAct.id)
        .limit(MOST_SHOWN)
    )
    with service.database.read() as tx:
        rows = tx.execute(found).all()
    members = ("id", "asked_by", "asked_at", "account_id", "expires_at")
    why = ("act", "reason", "text")
    shown = [
        {name: getattr(row, name) for name in members}
        | {name: row.asked.get(name, "") for name in why}
        | {"arguments": {name: row.asked[name] for name in row.asked.keys() - {*why, "request_id"}}}
        | {"name": account.name}
        | {"own": row.asked_by == staff.actor or staff.is_concerned(account), "company": _company(row, company)}
        for row, account, company in rows
    ]
    return {"acts": shown}


def decide(service: Service, staff: Staff, body: Any, id: str) -> dict[str, Any]:
    """Confirm or refuse what another member of staff has asked for. Raises ApiError."""
    staff.refuse_without(SUPERVISOR)
    decided, now = read(_Decided, body), service.now
    with service.database.read() as tx:
        row = _undecided(tx, id, now)
        if row.asked_by == staff.actor or staff.is_concerned(tx.get_one(Account, row.account_id)):
            raise refused("own_act")  # to refuse it, too
        asked = ACTS[row.asked["act"]][0](**row.asked)
        found = _ready(service, tx, staff, asked) if decided.decision == "confirm" else None
    with service.database.write() as tx:
        row = _undecided(tx, id, now)
        row.state, row.decided_by, row.decided_at = "done" if found else "refused", staff.actor, now
        if found is not None:
            _do(service, tx, found[2], found[0], asked.by(row.asked_by, now, second=staff.actor))
        else:
            about = {"subject": row.account_id, "fo_nummer": row.fo_nummer, "act": asked.act}
            decided.by(staff.actor, now).record(tx, "act_refused", **about)
        return {"state": row.state}


def _ready(service: Service, tx: Transaction, staff: Staff, asked: Any) -> tuple[Account, str | None, Ready]:
    """Whom and which company an act concerns, and what does it; before anything is locked. Raises ApiError."""
    about: Any = cases.case(tx, asked.case) if isinstance(asked, Decide) else asked
    account = tx.get(Account, about.account_id)
    key, fo_nummer = getattr(about, "company", None), getattr(about, "fo_nummer", None)
    company = tx.scalar(select(Company).where((Company.key == key) | (Company.fo_nummer == fo_nummer)))
    if account is None or (key and company is None):
        raise refused("unknown_company" if account else "unknown_user")
    if staff.is_concerned(account):
        raise refused("own_act")
    ready = ACTS[asked.act][1](service, tx, account, company, asked)
    if ready.weighty or ready.supervisor:
        staff.refuse_without(SUPERVISOR)
    return account, company.fo_nummer if company else fo_nummer, ready


def _do(service: Service, tx: Transaction, ready: Ready, account: Account, by: By) -> None:
    """The last of a transaction but its record in the trail. Raises RightsError, AlreadyDecided."""
    erased = ready.do(tx, tx.get_one(Account, account.id), by) or ()
    tx.flush()
    for erasure in erased:
        service.erasures.add(erasure)


def _undecided(tx: Transaction, id: str, now: int) -> StaffAct:
    """An act that waits, locked. Raises ApiError."""
    row = tx.scalar(select(StaffAct).where(StaffAct.id == id).with_for_update())
    if row is None or (row.state == "done" and row.decided_by is None):
        raise not_found()
    if row.state == "waiting" and row.expires_at > now:
        return row
    if row.decided_by:
        raise decided_before(row.decided_by, row.decided_at, row.state)
    raise decided_before(None, row.expires_at, "expired")


def _answer(row: StaffAct, told: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    if row.asked != told:
        raise invalid_request("request_id was used for another act")
    return (202, {"state": "waiting", "id": row.id}) if row.state == "waiting" else (200, {"state": row.state})


def _company(row: StaffAct, company: Company | None) -> dict[str, Any] | None:
    known = {"key": company.key, "name": company.name} if company else {"key": None, "name": None}
    return {"fo_nummer": row.fo_nummer, **known} if row.fo_nummer else None
