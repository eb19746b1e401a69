"""Ending a right, and what becomes of those that its holder has given to others."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.orm import Session as Transaction

from registration import audit
from registration.database.models import Account, Company, Representation
from registration.mail import outbox
from registration.rights.changes import account_of, erase_representation, words_of
from registration.rights.errors import Forbidden, LastAdministrator
from registration.rights.lookup import acting_in, is_last_administrator, locked_company, representation_in


def hanging_on(tx: Transaction, held: Representation, but: str = "", *, leaving: bool = False) -> list[Representation]:
    """The rights in the company that the holder of one has given, those that came of these, and so on.

    but: an account whose own right stays, and what hangs on it. leaving: so do those of administrators.
    """
    found: dict[str, Representation] = {}
    givers = [held.account_id]
    while givers:
        there = {*found, held.account_id, but}
        wanted = Representation.fo_nummer == held.fo_nummer, Representation.given_by.in_(givers)
        rows = tx.scalars(select(Representation).where(*wanted, Representation.account_id.not_in(there))).all()
        new = {row.account_id: row for row in rows if not (leaving and row.administrator)}
        found, givers = found | new, list(new)
    return list(found.values())


def ending_with(tx: Transaction, held: Representation, keep_given: bool) -> list[Representation]:
    """A right that is to end, and what would end with it."""
    return [held] if keep_given else [held, *hanging_on(tx, held)]


def end_given(
    tx: Transaction,
    held: Representation,
    *,
    actor: str,
    now: int,
    but: str = "",
    keep_for: str | None = None,
    leaving: bool = False,
) -> list[str]:
    """End what hangs on a right that ends; returns the ids of the accounts that had it.

    actor: of the audit trail. but, leaving: as `hanging_on`; the actor unless given. keep_for: nothing ends, and this
    one answers for it from now on, as `given_by`. The company is locked.
    """
    if keep_for is not None:
        mine = Representation.fo_nummer == held.fo_nummer, Representation.given_by == held.account_id
        others = Representation.account_id != keep_for
        tx.execute(update(Representation).where(*mine, others).values(given_by=keep_for))
        return []
    company = tx.get_one(Company, held.fo_nummer)
    given = hanging_on(tx, held, but or actor, leaving=leaving)
    for row in given:
        erase_representation(tx, row)
        about = {"subject": row.account_id, "fo_nummer": row.fo_nummer}
        audit.record(tx, "right_ended", now=now, actor=actor, **about, because="giver", giver=held.account_id)
        outbox.notify(tx, account_of(tx, row.account_id), "user_removed", now, **words_of(company))
    return [row.account_id for row in given]


def given_by(tx: Transaction, actor: Account, company_key: str, account_id: str) -> list[str]:
    """The names of those whose rights would end with a user's, as `remove` ends them."""
    right = tx.scalar(
        select(Representation).join(Company).where(Company.key == company_key, Representation.account_id == account_id)
    )
    rows = hanging_on(tx, right, actor.id, leaving=account_id == actor.id) if right else []
    return [f"{row.account.given_name} {row.account.family_name}" for row in rows]


def remove(
    tx: Transaction, actor: Account, company_key: str, account_id: str, now: int, *, keep_given: bool = False
) -> list[str]:
    """Take all of a user's rights in a company, and what they gave. Administrators may, and everybody for themselves.

    keep_given: the actor answers for what the user gave, from now on. Who leaves ends what they gave; administrators
    stay. The account stays. Returns the ids of whose rights have ended. Raises Forbidden, LastAdministrator.
    """
    company = locked_company(tx, company_key)
    own, leaving = acting_in(tx, company, actor.id), account_id == actor.id
    other = representation_in(tx, company, account_id)
    if other is None or not (own.administrator or leaving):
        raise Forbidden
    if is_last_administrator(tx, other):
        raise LastAdministrator
    keep_for = actor.id if keep_given and not leaving else None
    given = end_given(tx, other, actor=actor.id, now=now, keep_for=keep_for, leaving=leaving)
    erase_representation(tx, other)
    audit.record(tx, "user_removed", now=now, actor=actor.id, subject=account_id, fo_nummer=company.fo_nummer)
    outbox.notify(tx, account_of(tx, account_id), "user_removed", now, **words_of(company))
    return [account_id, *given]
