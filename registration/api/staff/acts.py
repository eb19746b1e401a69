"""An act is asked for, and done once; what is weighty waits for a second member of staff.

`request_id` makes it once: its digest, with who asks, is the primary key of the act, inserted in the transaction of
what it does. What is refused leaves no row. Of two who decide at once the row's lock lets one through.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from registration import audit, cases
from registration.accounts import person
from registration.api.answers import ApiError, invalid_request, not_found
from registration.api.staff.authentication import AGENT, SUPERVISOR, Staff
from registration.api.staff.table import ACTS, Asked, By, Decide, Ready, Why, refused
from registration.database.connection import digest
from registration.database.models import Account, Company, StaffAct
from registration.rights import RightsError
from registration.rights.founding import insert_or_leave

if TYPE_CHECKING:
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
    asked: Asked = read(ACTS[name][0], body)
    told, now = asked.model_dump(exclude_unset=True), service.now
    id = digest(staff.actor, asked.request_id)[:32]
    with service.database.read() as tx:
        if (before := tx.get(StaffAct, id)) is not None:
            return _answer(before, told)
        account, fo_nummer, ready = _ready(service, tx, staff, asked)
    why = {"reason": asked.reason, "text": asked.text}
    by: By = {"actor": staff.actor, "why": why, "now": now}
    waits = ready.weighty and service.settings.rules.second_person
    if waits:
        _try(service, ready, account, by)
    state, expires_at = ("waiting", now + EXPIRES) if waits else ("done", now + KEPT)
    row = {"id": id, "asked": told, "asked_by": staff.actor, "asked_at": now, "state": state, "expires_at": expires_at}
    about = {"account_id": account.id, "fo_nummer": fo_nummer}
    with service.database.write() as tx:
        inserted = insert_or_leave(tx, StaffAct, **row, **about)
        if inserted and waits:
            _record(tx, "act_asked", tx.get_one(StaffAct, id), staff, now, act=name, **why)
        elif inserted:
            _do(service, tx, ready, account, by)
        return _answer(tx.get_one(StaffAct, id), told)


def waiting(tx: Transaction, staff: Staff, now: int) -> list[dict[str, Any]]:
    """The acts that wait for a second member of staff, the oldest first. own: this one has asked for it."""
    rows = tx.execute(
        select(StaffAct, Account, Company)
        .join(Account, Account.id == StaffAct.account_id)
        .outerjoin(Company, Company.fo_nummer == StaffAct.fo_nummer)
        .where(StaffAct.state == "waiting", StaffAct.expires_at > now)
        .order_by(StaffAct.asked_at, StaffAct.id)
        .limit(MOST_SHOWN)
    )
    members = ("id", "asked_by", "asked_at", "account_id", "expires_at")
    why = ("act", "reason", "text")
    return [
        {name: getattr(row, name) for name in members}
        | {name: row.asked.get(name, "") for name in why}
        | {"arguments": {name: row.asked[name] for name in row.asked.keys() - {*why, "request_id"}}}
        | {"name": f"{account.given_name} {account.family_name}"}
        | {"own": row.asked_by == staff.actor or staff.is_concerned(account), "company": _company(row, company)}
        for row, account, company in rows
    ]


def decide(service: Service, staff: Staff, id: str, body: Any) -> dict[str, Any]:
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
            why = {"reason": asked.reason, "text": asked.text, "second": staff.actor}
            _do(service, tx, found[2], found[0], {"actor": row.asked_by, "why": why, "now": now})
        else:
            _record(tx, "act_refused", row, staff, now, act=asked.act, reason=decided.reason, text=decided.text)
        return {"state": row.state}


def _ready(service: Service, tx: Transaction, staff: Staff, asked: Any) -> tuple[Account, str | None, Ready]:
    """Whom and which company an act concerns, and what does it; before anything is locked. Raises ApiError."""
    try:
        about: Any = cases.case(tx, asked.case) if isinstance(asked, Decide) else asked
    except cases.NoSuchCase:
        raise not_found() from None
    account = tx.get(Account, about.account_id)
    key, fo_nummer = getattr(about, "company", None), getattr(about, "fo_nummer", None)
    company = tx.scalar(select(Company).where((Company.key == key) | (Company.fo_nummer == fo_nummer)))
    if account is None or (key and company is None):
        raise refused("unknown_company" if account else "unknown_user")
    if staff.is_concerned(account):
        raise refused("own_act")
    try:
        ready = ACTS[asked.act][1](service, tx, account, company, asked)
    except person.Refused as refusal:
        raise refused(refusal.code) from None
    if ready.weighty or ready.supervisor:
        staff.refuse_without(SUPERVISOR)
    return account, company.fo_nummer if company else fo_nummer, ready


def _do(service: Service, tx: Transaction, ready: Ready, account: Account, by: By) -> None:
    """The last of a transaction but its record in the trail. Raises ApiError, and nothing was written."""
    try:
        erased = ready.do(tx, tx.get_one(Account, account.id), by) or ()
    except (RightsError, person.Refused) as refusal:
        raise refused(refusal.code) from None
    except cases.AlreadyDecided as before:
        raise decided_before(before.by, before.at, before.outcome) from None
    tx.flush()
    for erasure in erased:
        service.erasures.add(erasure)


class _Tried(Exception):
    pass


def _try(service: Service, ready: Ready, account: Account, by: By) -> None:
    """Refuse now what a second member of staff could not confirm: it is done, and rolled back."""
    try:
        with service.database.write() as tx:
            _do(service, tx, ready, account, by)
            raise _Tried
    except _Tried:
        return


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


def decided_before(by: str | None, at: int | None, outcome: str) -> ApiError:
    """409: somebody else was first."""
    members = {"by": by, "at": at, "outcome": outcome}
    return ApiError(409, "already_decided", "it was decided before", members=members)


def _answer(row: StaffAct, told: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    if row.asked != told:
        raise invalid_request("request_id was used for another act")
    return (202, {"state": "waiting", "id": row.id}) if row.state == "waiting" else (200, {"state": row.state})


def _company(row: StaffAct, company: Company | None) -> dict[str, Any] | None:
    known = {"key": company.key, "name": company.name} if company else {"key": None, "name": None}
    return {"fo_nummer": row.fo_nummer, **known} if row.fo_nummer else None


def _record(tx: Transaction, event: str, row: StaffAct, staff: Staff, now: int, **facts: str) -> None:
    audit.record(tx, event, now=now, actor=staff.actor, subject=row.account_id, fo_nummer=row.fo_nummer, **facts)


def read(model: type[BaseModel], body: Any) -> Any:
    """A body that is as its model says. Raises ApiError, with the member that is not."""
    try:
        return model.model_validate(body)
    except ValidationError as error:
        member = next((str(part) for part in error.errors()[0]["loc"] if part in model.model_fields), None)
        raise ApiError(400, "invalid_request", "a member is not as described", members={"member": member}) from None
