"""Who may act for a company, where the numbers of an electricity bill alone do not decide it; no web page in here.

A case: a person asks to act for a company, and somebody decides. One open case for each person and company.

authority  what becomes of one who registers, by the rules founding and joining
codes      activation codes, which go to the address that the customer register holds
letters    the codes as letters, PDF and CSV

All of it is done within a transaction of its caller.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session as Transaction

from registration import audit
from registration.audit import By
from registration.backup.erasure_list import Erasure
from registration.customer_register import Customer
from registration.database.connection import new_id
from registration.database.models import Account, Case, Company, OutboxEntry, Representation
from registration.mail import outbox
from registration.rights import errors, founding
from registration.rights.changes import make_administrator, tell_administrators
from registration.rights.ending import end, end_given
from registration.rights.founding import BY_CUSTOMER_SERVICE, BY_REGISTRATION
from registration.rights.lookup import acting_in, locked_company, representation_in

KINDS = ("founding", "joining", "disputed")
"""To be a company's first administrator, to join one that has some, to be administrator although others are."""
WAYS = ("approval", "email", "letter")
"""By a decision; or by the code that went to the customer register's address, beside which a decision still may."""
OUTCOMES = {"grant": "granted", "refuse": "refused", "withdraw": "withdrawn"}
"""What may be decided, and the state that comes of it."""
STATES = ("open", *OUTCOMES.values())
KEPT = 365 * 86_400
"""Seconds that a case is kept after its decision."""


class NoSuchCase(Exception):
    """There is no case of that id."""


class AlreadyOpen(Exception):
    """The person has an open case of this kind for this company: id."""

    def __init__(self, id: str) -> None:
        super().__init__("there is an open case")
        self.id = id


class AlreadyDecided(Exception):
    """Somebody was first. by: an actor of the audit trail. at: seconds since the epoch. outcome: the state."""

    def __init__(self, found: Case) -> None:
        super().__init__(f"the case was {found.state} already, by {found.decided_by}")
        self.by, self.at, self.outcome = found.decided_by or "", found.decided_at or 0, found.state


@dataclass(frozen=True, slots=True)
class Decided:
    """A case after its decision. erasures: rights that ended, which the caller puts on the list of erasures."""

    case: Case
    erasures: tuple[Erasure, ...] = ()


def open_case(
    tx: Transaction, account: Account, kind: str, customer: Customer, now: int, *, way: str = "approval"
) -> Case:
    """Open a case for a person and the company of a customer; its administrators are told.

    An open case of another kind becomes one of this kind. The company, if it is there, must have been locked. Raises
    AlreadyOpen.
    """
    tx.get_one(Account, account.id, with_for_update=True)
    mine = {"account_id": account.id, "fo_nummer": customer.fo_nummer}
    found = tx.scalar(select(Case).filter_by(state="open", **mine))
    if found is not None and found.kind == kind:
        raise AlreadyOpen(found.id)
    if found is None:
        found = Case(id=new_id(), state="open", company_name=customer.company_name, **mine, code_tries=0)
        tx.add(found)
    found.kind, found.way, found.opened_at, found.customer_number = kind, way, now, customer.customer_number
    tx.flush()
    facts = {"case": found.id, "kind": kind, "way": way}
    ids = {"actor": account.id, "subject": account.id, "fo_nummer": found.fo_nummer}
    audit.record(tx, "case_opened", now=now, **ids, **facts)
    tell_administrators(tx, account, found.fo_nummer, "case_opened", now, case=found.id, case_kind=kind)
    return found


def case(tx: Transaction, id: str) -> Case:
    """A case. Raises NoSuchCase."""
    found = tx.get(Case, id)
    if found is None:
        raise NoSuchCase(id)
    return found


def open_cases(tx: Transaction, before: str | None = None, limit: int = 50, *, state: str = "open") -> list[Case]:
    """The latest cases of a state, those before a case. Raises NoSuchCase."""
    wanted = select(Case).where(Case.state == state).order_by(Case.opened_at.desc(), Case.id.desc()).limit(limit)
    if before is not None:
        last = case(tx, before)
        wanted = wanted.where(tuple_(Case.opened_at, Case.id) < (last.opened_at, last.id))
    return list(tx.scalars(wanted))


def cases_of(tx: Transaction, **one: str) -> list[Case]:
    """The cases of a company (fo_nummer=…) or of a person (account_id=…), the latest first; of a state, a kind."""
    return list(tx.scalars(select(Case).filter_by(**one).order_by(Case.opened_at.desc(), Case.id)))


def mail_waiting(tx: Transaction, id: str) -> bool:
    """Whether an e-mail about a case has not been sent yet."""
    unsent = select(OutboxEntry.id).where(OutboxEntry.sent_at.is_(None), OutboxEntry.words["case"].as_string() == id)
    return tx.scalar(unsent.limit(1)) is not None


def decide(tx: Transaction, id: str, decision: str, by: By, ending: Iterable[str] = ()) -> Decided:
    """Decide a case, one of OUTCOMES; the person and the administrators are told.

    Who asked to found, or disputes, becomes an administrator; who asked to join may read consumption. by: its reason
    stands on the case too. ending: account ids whose rights in the company end by it, if it is a dispute. Raises
    NoSuchCase, AlreadyDecided.
    """
    found = locked_case(tx, id)
    found.state, found.decided_at, found.decided_by = OUTCOMES[decision], by.now, by.actor
    found.reason, new = by.why["reason"], _joins(tx, found)
    erasures = _grant(tx, found, list(ending), by.now) if decision == "grant" else ()
    _told(tx, found, by, new=new)
    return Decided(found, erasures)


def decide_as_administrator(
    tx: Transaction, actor: Account, company_key: str, id: str, decision: str, now: int
) -> Case:
    """An administrator of the company decides who joins. Raises errors.Forbidden, AlreadyDecided."""
    company = locked_company(tx, company_key)
    found = tx.get(Case, id)
    fits = found is not None and found.fo_nummer == company.fo_nummer and found.kind == "joining"
    if not fits or not acting_in(tx, company, actor.id).administrator or decision not in {"grant", "refuse"}:
        raise errors.Forbidden
    return decide(tx, id, decision, By(actor.id, now, {"reason": "by an administrator"})).case


def grant_by_code(tx: Transaction, found: Case, now: int) -> None:
    """The person has entered the company's code: they are its first administrator; or join, if it has one by now.

    found: of `locked_case`.
    """
    found.state, found.decided_at, found.decided_by, found.reason = "granted", now, found.account_id, found.way
    new = _joins(tx, found)
    founding.found_or_join(tx, found.account, found.fo_nummer, found.company_name, found.customer_number, now)
    _told(tx, found, By(found.account_id, now, {"reason": found.way}), new=new)


def locked_case(tx: Transaction, id: str) -> Case:
    """An open case that nobody else decides until the end of the transaction; its company is locked first.

    Raises NoSuchCase, AlreadyDecided.
    """
    tx.get(Company, case(tx, id).fo_nummer, with_for_update=True)
    found = tx.get_one(Case, id, with_for_update=True, populate_existing=True)
    if found.state != "open":
        raise AlreadyDecided(found)
    return found


def _grant(tx: Transaction, found: Case, ending: list[str], now: int) -> tuple[Erasure, ...]:
    by_staff = ":" in (found.decided_by or "")
    given_by = BY_CUSTOMER_SERVICE if by_staff else BY_REGISTRATION
    numbers = found.fo_nummer, found.company_name, found.customer_number
    founding.found_or_join(tx, found.account, *numbers, now, given_by=given_by)
    company = tx.get_one(Company, found.fo_nummer)
    if found.kind != "joining":
        make_administrator(acting_in(tx, company, found.account_id, suspended=True), given_by)
    others = [representation_in(tx, company, id) for id in ending if id != found.account_id]
    gone: dict[str, None] = {}
    for other in filter(None, others if found.kind == "disputed" else ()):
        actor = found.decided_by or ""
        given = end_given(tx, other, actor=actor, but=found.account_id, now=now)
        gone |= dict.fromkeys([other.account_id, *given])
        end(tx, other, "revoked", actor=actor, now=now, customer_numbers="all", case=found.id)
    tx.flush()
    return tuple(Erasure(now, account=id, company=company.key) for id in gone)


def _joins(tx: Transaction, found: Case) -> bool:
    """Whether the person does not represent the company yet; who disputes may."""
    return tx.get(Representation, (found.account_id, found.fo_nummer)) is None


def _told(tx: Transaction, found: Case, by: By, *, new: bool) -> None:
    """Write down what was decided, and tell whom it concerns. new: as `_joins` said before the decision."""
    facts = {"case": found.id, "kind": found.kind, "outcome": found.state}
    facts |= {"new": "yes" if new else "no"} if found.state == "granted" else {}
    by.record(tx, "case_decided", subject=found.account_id, fo_nummer=found.fo_nummer, **facts)
    words = {"case": found.id, "case_kind": found.kind, "outcome": found.state}
    company = {"company": found.company_name, "fo_nummer": found.fo_nummer}
    outbox.notify(tx, found.account, "case_decided", by.now, **company, **words)
    tell_administrators(tx, found.account, found.fo_nummer, "case_closed", by.now, **words)
