"""An act is asked for, and done once; what is weighty waits for a second member of staff.

`request_id` makes it once: its digest, with who asks, is the primary key of the act, inserted in the transaction of
what it does. What is refused leaves no row. Of two who decide at once the row's lock lets one through.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from registration import audit
from registration.accounts import person
from registration.api.answers import ApiError, invalid_request, not_found
from registration.api.staff.authentication import AGENT, SUPERVISOR, Staff
from registration.api.staff.table import ACTS, Work, refused
from registration.database.connection import digest
from registration.database.models import Account, Company, StaffAct
from registration.rights import RightsError
from registration.rights.founding import insert_or_leave

if TYPE_CHECKING:
    from registration.service import Service

REASONS = (
    "asked_by_phone",
    "asked_in_writing",
    "identified_in_person",
    "correction",
    "left_the_company",
    "complaint",
    "security",
    "other",
)
EXPIRES = 7 * 86_400
"""Seconds that an act waits for a second member of staff."""
KEPT = 86_400
"""Seconds after which a `request_id` may be used anew."""
MOST_SHOWN = 200
Text = Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")


class _Why(BaseModel):
    model_config = ConfigDict(extra="allow")
    reason: Literal[REASONS]  # type: ignore[valid-type]
    text: str = Text


class _Asked(_Why):
    act: Literal[tuple(ACTS)]  # type: ignore[valid-type]
    request_id: str = Field(min_length=16, max_length=64, pattern=r"^[A-Za-z0-9-]+$")


class _Decided(_Why):
    model_config = ConfigDict(extra="forbid")
    decision: Literal["confirm", "refuse"]


def ask(service: Service, staff: Staff, body: Any) -> tuple[int, dict[str, Any]]:
    """Do an act, or let it wait for a second member of staff; the status and the answer. Raises ApiError."""
    staff.refuse_without(AGENT)
    asked = _read(_Asked, body)
    given = _read(ACTS[asked.act].arguments, asked.model_extra)
    now, why = service.now, {"reason": asked.reason, "text": asked.text}
    row = {
        "id": digest(staff.actor, asked.request_id)[:32],
        "act": asked.act,
        "arguments": given.model_dump(exclude_unset=True),
        "asked_by": staff.actor,
        **why,
    }
    with service.database.read() as tx:
        if (before := tx.get(StaffAct, row["id"])) is not None:
            return _answer_again(before, row)
    work = _look(service, staff, asked.act, given)
    waits = work.weighty and service.settings.rules.second_person
    by = {"actor": staff.actor, "why": why, "now": now}
    if waits:
        _try(work, asked.act, by)
    state, expires_at = ("waiting", now + EXPIRES) if waits else ("done", now + KEPT)
    whole = row | {"account_id": work.account.id, "fo_nummer": work.fo_nummer, "asked_at": now}
    with service.database.write() as tx:
        if not insert_or_leave(tx, StaffAct, **whole, state=state, expires_at=expires_at):
            return _answer_again(tx.get_one(StaffAct, row["id"]), row)
        if waits:
            _record(tx, "act_asked", work.account.id, work.fo_nummer, staff.actor, now, {"act": asked.act, **why})
        else:
            _do(work, tx, asked.act, by)
    return (202, {"state": state, "id": row["id"]}) if waits else (200, {"state": state})


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
    members = ("id", "act", "asked_by", "asked_at", "reason", "text", "account_id", "arguments", "expires_at")
    return [
        {
            **{name: getattr(act, name) for name in members},
            "name": f"{account.given_name} {account.family_name}",
            "company": act.fo_nummer
            and {"key": company and company.key, "fo_nummer": act.fo_nummer, "name": company and company.name},
            "own": act.asked_by == staff.actor or staff.is_concerned(account),
        }
        for act, account, company in rows
    ]


def decide(service: Service, staff: Staff, id: str, body: Any) -> dict[str, Any]:
    """Confirm or refuse what another member of staff has asked for. Raises ApiError."""
    staff.refuse_without(SUPERVISOR)
    decided, now = _read(_Decided, body), service.now
    with service.database.read() as tx:
        found = _undecided(tx, id, now)
        if found.asked_by == staff.actor:
            raise refused("own_act")
    confirms = decided.decision == "confirm"
    work = _look(service, staff, found.act, ACTS[found.act].arguments(**found.arguments)) if confirms else None
    with service.database.write() as tx:
        row = _undecided(tx, id, now)
        row.state, row.decided_by, row.decided_at = "done" if confirms else "refused", staff.actor, now
        if work is not None:
            why = {"reason": row.reason, "text": row.text, "second": staff.actor}
            _do(work, tx, row.act, {"actor": row.asked_by, "why": why, "now": now})
        else:
            facts = {"act": row.act, "reason": decided.reason, "text": decided.text}
            _record(tx, "act_refused", row.account_id, row.fo_nummer, staff.actor, now, facts)
        return {"state": row.state}


def _look(service: Service, staff: Staff, act: str, given: Any) -> Work:
    """What there is now, before anything is locked. Raises ApiError."""
    with service.database.read() as tx:
        account = tx.get(Account, given.account_id)
        if account is None:
            raise refused("unknown_user")
        if staff.is_concerned(account):
            raise refused("own_act")
        work = Work(service, given, account)
        try:
            ACTS[act].look(work, tx)
        except person.Refused as refusal:
            raise refused(refusal.code) from None
    if work.weighty:
        staff.refuse_without(SUPERVISOR)
    return work


def _do(work: Work, tx: Transaction, act: str, by: dict[str, Any]) -> None:
    """The last act of a transaction but its record in the trail. Raises ApiError, and nothing was written."""
    try:
        work.account = tx.merge(work.account, load=True)
        ACTS[act].do(work, tx, by)
    except (RightsError, person.Refused) as refusal:
        raise refused(refusal.code) from None
    tx.flush()
    for erasure in work.erased:
        work.service.erasures.add(erasure)


class _Tried(Exception):
    pass


def _try(work: Work, act: str, by: dict[str, Any]) -> None:
    """Refuse now what a second member of staff could not confirm: it is done, and rolled back."""
    try:
        with work.service.database.write() as tx:
            _do(work, tx, act, by)
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
    by, outcome = (row.decided_by, row.state) if row.decided_by else (None, "expired")
    members = {"by": by, "at": row.decided_at or row.expires_at, "outcome": outcome}
    raise ApiError(409, "already_decided", "it was decided before", members=members)


def _answer_again(row: StaffAct, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    if any(getattr(row, name) != asked[name] for name in ("act", "arguments")):
        raise invalid_request("request_id was used for another act")
    return (202, {"state": "waiting", "id": row.id}) if row.state == "waiting" else (200, {"state": row.state})


def _record(
    tx: Transaction, event: str, account: str, fo_nummer: str | None, actor: str, now: int, facts: dict[str, str]
) -> None:
    audit.record(tx, event, now=now, actor=actor, subject=account, fo_nummer=fo_nummer, **facts)


def _read(model: type[Any], body: Any) -> Any:
    """A body that is as its model says. Raises ApiError, with the member that is not."""
    try:
        return model.model_validate(body, strict=False)
    except ValidationError as error:
        place = [str(part) for part in error.errors(include_url=False, include_context=False)[0]["loc"]]
        known = place[0] if place and place[0] in model.model_fields else None
        raise ApiError(400, "invalid_request", "a member is not as described", members={"member": known}) from None
