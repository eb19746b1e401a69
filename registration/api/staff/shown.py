"""Companies, people and the audit trail as staff see them: pages of a bounded size, by indexes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session as Transaction

from registration import audit, cases
from registration.api.answers import invalid_request, not_found
from registration.api.staff.authentication import Staff
from registration.api.staff.search import person_facts
from registration.database.models import (
    Account,
    AuditRecord,
    Case,
    Company,
    CustomerNumber,
    OutboxEntry,
    Representation,
    Session,
)
from registration.rights.lookup import numbers_in, page_of_users
from registration.service import Service

USERS, NUMBERS, RECORDS, MAILS, RIGHTS, CASES = 50, 50, 50, 20, 200, 50
"""At most, of a page; customer numbers of one right."""


def show_company(service: Service, staff: Staff, asked: Mapping[str, str], key: str) -> dict[str, Any]:
    """A company with a page of its users. after: the last one of the page before. Raises ApiError."""
    with service.database.read() as tx:
        found = tx.scalar(select(Company).where(Company.key == key))
        if found is None:
            raise not_found()
        fo_nummer = found.fo_nummer
        rows, following = page_of_users(tx, fo_nummer, asked.get("after"), USERS)
        held = _rights(tx, rows)
        shown = {
            **_members(found, "key", "fo_nummer", "name", "founded_at"),
            "numbers": numbers_in(tx, fo_nummer),
            "users": [
                {
                    **person_facts(row.account),
                    "email_confirmed": row.account.email_confirmed_at is not None,
                    **held[fo_nummer, row.account_id],
                }
                for row in rows
            ],
            "next": following,
            "cases": _cases(tx, cases.cases_of(tx, fo_nummer=fo_nummer)[:MAILS]),
        }
    if "after" not in asked:
        _record_look(service, staff, fo_nummer=fo_nummer)
    return shown


def show_person(service: Service, staff: Staff, _: Mapping[str, str], account_id: str) -> dict[str, Any]:
    """A person with their rights. Raises ApiError."""
    with service.database.read() as tx:
        account = tx.get(Account, account_id)
        if account is None:
            raise not_found()
        shown = _person(tx, account, service.now)
    _record_look(service, staff, subject=account_id)
    return shown


def _record_look(service: Service, staff: Staff, **at: str) -> None:
    """That a member of staff has looked at a person or a company stands in the trail, as for the command `list`."""
    with service.database.write() as tx:
        audit.record(tx, "listed", now=service.now, actor=staff.actor, **at)


def _person(tx: Transaction, account: Account, now: int) -> dict[str, Any]:
    theirs = select(Representation, Company).join(Representation.company).where(Representation.account_id == account.id)
    rows = tx.execute(theirs.order_by(Company.name_key, Company.fo_nummer).limit(RIGHTS)).all()
    held = _rights(tx, [row for row, _ in rows])
    companies = (
        {"company": one.key, "fo_nummer": one.fo_nummer, "name": one.name, **held[one.fo_nummer, account.id]}
        for _, one in rows
    )
    open_ = select(func.count()).where(Session.account_id == account.id, Session.expires_at > now)
    mails = tx.scalars(
        select(OutboxEntry)
        .where(OutboxEntry.account_id == account.id)
        .order_by(OutboxEntry.created_at.desc())
        .limit(MAILS)
    )
    return {
        **person_facts(account),
        **_members(account, "email_confirmed_at", "locale", "created_at"),
        "sessions": tx.scalar(open_),
        "mail": [_members(mail, "kind", "created_at", "tries", "sent_at") for mail in mails],
        "rights": list(companies),
        "cases": _cases(tx, cases.cases_of(tx, account_id=account.id)[:MAILS]),
    }


def show_trail(service: Service, _: Staff, asked: Mapping[str, str]) -> dict[str, Any]:
    """A page of the audit trail of a company or a person, the newest first. Raises ApiError."""
    company, account, before = (asked.get(name) for name in ("company", "account", "before"))
    if (company is None) == (account is None) or not (before is None or (before.isascii() and before.isdigit())):
        raise invalid_request("company or account must stand in the address, and before may be a number")
    of_company = select(Company.fo_nummer).where(Company.key == company).scalar_subquery()
    of_person = or_(AuditRecord.subject == account, AuditRecord.actor == account)
    named = of_person if company is None else AuditRecord.fo_nummer == of_company
    earlier = AuditRecord.seq < (int(before[:18]) if before is not None else 1 << 62)
    found = select(AuditRecord).where(named, earlier).order_by(AuditRecord.seq.desc()).limit(RECORDS + 1)
    with service.database.read() as tx:
        records = tx.scalars(found).all()
        names = names_of(tx, {who for record in records for who in (record.actor, record.subject) if who})
        known = select(Company).where(Company.fo_nummer.in_({record.fo_nummer for record in records}))
        companies = {one.fo_nummer: _members(one, "key", "name") for one in tx.scalars(known)}
    return {
        "records": [
            {
                **_members(record, "seq", "at", "event", "actor", "subject", "details"),
                "actor_name": names.get(record.actor),
                "subject_name": names.get(record.subject or ""),
                "company": companies.get(record.fo_nummer or ""),
            }
            for record in records[:RECORDS]
        ],
        "next": records[RECORDS - 1].seq if len(records) > RECORDS else None,
    }


def show_cases(service: Service, _: Staff, asked: Mapping[str, str]) -> dict[str, Any]:
    """A page of the cases of a state, the latest first. Raises ApiError, NoSuchCase."""
    state = asked.get("state", "open")
    if state not in cases.STATES:
        raise invalid_request(f"state must be one of {', '.join(cases.STATES)}")
    with service.database.read() as tx:
        rows = cases.open_cases(tx, asked.get("after"), CASES + 1, state=state)
        following = rows[CASES - 1].id if len(rows) > CASES else None
        return {"cases": _cases(tx, rows[:CASES]), "next": following}


def show_case(service: Service, _: Staff, __: Mapping[str, str], id: str) -> dict[str, Any]:
    """A case. Raises NoSuchCase."""
    with service.database.read() as tx:
        return _cases(tx, [cases.case(tx, id)])[0]


def names_of(tx: Transaction, account_ids: Iterable[str]) -> dict[str, str]:
    """The names of those that are accounts, by id."""
    rows = select(Account.id, Account.given_name, Account.family_name).where(Account.id.in_(account_ids))
    return {id: f"{given} {family}" for id, given, family in tx.execute(rows)}


def _rights(tx: Transaction, rows: list[Representation]) -> dict[tuple[str, str], dict[str, Any]]:
    """What each representation is, by FO-nummer and account."""
    keys = CustomerNumber.fo_nummer, CustomerNumber.account_id
    place = func.row_number().over(partition_by=keys, order_by=CustomerNumber.customer_number)
    total = func.count().over(partition_by=keys)
    wanted = [column.in_({getattr(row, column.key) for row in rows}) for column in keys]
    ranked = select(*keys, CustomerNumber.customer_number, place.label("place"), total).where(*wanted).subquery()
    numbers: dict[tuple[str, str], list[str]] = {}
    counts: dict[tuple[str, str], int] = {}
    for fo_nummer, account_id, number, _, count in tx.execute(select(ranked).where(ranked.c.place <= NUMBERS)):
        numbers.setdefault((fo_nummer, account_id), []).append(number)
        counts[fo_nummer, account_id] = count
    names = names_of(tx, {row.given_by for row in rows})
    return {
        (at := (row.fo_nummer, row.account_id)): {
            **_members(row, "administrator", "since", "ends_at", "suspended_at"),
            "levels": row.levels,
            "customer_numbers": numbers.get(at, []),
            "number_count": counts.get(at, 0),
            "given_by": _giver(row.given_by, names),
        }
        for row in rows
    }


def _cases(tx: Transaction, rows: list[Case]) -> list[dict[str, Any]]:
    names = names_of(tx, {row.account_id for row in rows})
    known = select(Company).where(Company.fo_nummer.in_({row.fo_nummer for row in rows}))
    keys = {company.fo_nummer: company.key for company in tx.scalars(known)}
    members = (
        "id", "kind", "state", "way", "opened_at", "decided_at", "decided_by", "reason", "account_id",
        "customer_number",
    )  # fmt: skip
    return [
        {
            **_members(row, *members),
            "name": names.get(row.account_id),
            "company": {"key": keys.get(row.fo_nummer), "fo_nummer": row.fo_nummer, "name": row.company_name},
            "mail_waiting": cases.mail_waiting(tx, row.id),
        }
        for row in rows
    ]


def _giver(given_by: str, names: dict[str, str]) -> dict[str, Any]:
    """An account's id, or whose act it was."""
    if given_by in {"registration", "customer service"}:
        return {"kind": given_by.replace(" ", "_"), "account_id": None, "name": None}
    return {"kind": "user", "account_id": given_by, "name": names.get(given_by)}


def _members(row: Any, *names: str) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}
