"""Ending a right, and what becomes of those that its holder has given to others."""

from __future__ import annotations

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session as Transaction

from registration import audit
from registration.database.models import Account, Company, CustomerNumber, Representation, Share
from registration.mail import outbox
from registration.rights.changes import erase_representation, facts_of, words_of
from registration.rights.errors import Forbidden, LastAdministrator
from registration.rights.founding import add_customer_numbers
from registration.rights.lookup import acting_in, is_last_administrator, locked_company, representation_in, share_in


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
    """End what hangs on a right that ends; returns the ids of the accounts that had it, and of shares that ended.

    actor: of the audit trail. but, leaving: as `hanging_on`; the actor unless given. keep_for: nothing ends, and this
    one answers for it from now on, as `given_by`. The company is locked.
    """
    if keep_for is not None:
        mine = Representation.fo_nummer == held.fo_nummer, Representation.given_by == held.account_id
        others = Representation.account_id != keep_for
        tx.execute(update(Representation).where(*mine, others).values(given_by=keep_for))
        for share in shares_hanging_on(tx, [held]):
            share.given_by = keep_for
        return []
    given = hanging_on(tx, held, but or actor, leaving=leaving)
    shares = shares_hanging_on(tx, [held, *given])
    for share in shares:
        end_share(tx, share, actor=actor, now=now, because="giver")
    for row in given:
        end(tx, row, "right_ended", actor=actor, now=now, because="giver", giver=held.account_id)
    return [*(row.account_id for row in given), *(share.id for share in shares)]


def shares_hanging_on(tx: Transaction, rights: list[Representation]) -> list[Share]:
    """What the holders of rights in a company that end have given on top of rights that do not end."""
    ids, of_company = [row.account_id for row in rights], Share.fo_nummer == rights[0].fo_nummer
    return list(tx.scalars(select(Share).where(of_company, Share.given_by.in_(ids), Share.account_id.not_in(ids))))


def losing_with(tx: Transaction, held: Representation) -> tuple[set[str], set[str]]:
    """Whose rights end with a right, and who keep theirs and lose what was given on top of them: ids of accounts."""
    given = hanging_on(tx, held)
    shares = shares_hanging_on(tx, [held, *given])
    return {row.account_id for row in given}, {share.account_id for share in shares}


def end_share(tx: Transaction, share: Share, *, actor: str, now: int, because: str) -> None:
    """End what was given on top of a right, which stays, and tell its holder. actor, because: for the audit trail."""
    held, giver = share.representation, share.given_by
    drop_share(tx, share)
    ids = {"actor": actor, "subject": held.account_id, "fo_nummer": held.fo_nummer}
    audit.record(tx, "rights_changed", now=now, **ids, **facts_of(held), because=because, giver=giver)
    outbox.notify(tx, held.account, "rights_changed", now, **words_of(held.company))


def drop_share(tx: Transaction, share: Share) -> None:
    """Delete a share and the customer numbers that hang on it alone."""
    held = share.representation
    held.shares.remove(share)
    tx.flush()
    hung = delete(CustomerNumber).where(CustomerNumber.share_id == share.id).returning(CustomerNumber.customer_number)
    gone = tx.scalars(hung).all()
    for other in held.shares:
        theirs = select(CustomerNumber.customer_number).filter_by(account_id=other.given_by, fo_nummer=held.fo_nummer)
        still = tx.scalars(theirs.where(CustomerNumber.customer_number.in_(gone))).all()
        add_customer_numbers(tx, held.account_id, held.fo_nummer, still, other.id)


def take_back(tx: Transaction, actor: Account, company_key: str, account_id: str, share_id: str, now: int) -> None:
    """End what was given on top of a user's right; that right stays. Administrators may, and its giver.

    Raises Forbidden.
    """
    company = locked_company(tx, company_key)
    share = share_in(tx, acting_in(tx, company, actor.id), account_id, share_id)
    end_share(tx, share, actor=actor.id, now=now, because="taken_back")


def end(tx: Transaction, held: Representation, event: str, *, actor: str, now: int, **facts: str) -> None:
    """End one right, and tell its holder. event, actor, facts: for the audit trail."""
    account, company = tx.get_one(Account, held.account_id), tx.get_one(Company, held.fo_nummer)
    erase_representation(tx, held)
    ids = {"actor": actor, "subject": account.id, "fo_nummer": company.fo_nummer}
    audit.record(tx, event, now=now, **ids, **facts)
    outbox.notify(tx, account, "user_removed", now, **words_of(company))


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
    end(tx, other, "user_removed", actor=actor.id, now=now)
    return [account_id, *given]
