"""A user lets another existing user see their company's data."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from kit.rights import SECTIONS
from registration import audit
from registration.accounts.names import user_name_key
from registration.database.models import Account, Company, CustomerNumber, Representation
from registration.mail import outbox
from registration.rights.changes import facts_of, tell_administrators, words_of
from registration.rights.errors import AboveOwnLevel, HasOwnRight, NoSuchUser, NothingGiven
from registration.rights.founding import add_customer_numbers, insert_or_leave
from registration.rights.levels import Levels, at_least, checked, higher, levels_of, set_levels
from registration.rights.lookup import acting_in, locked_company, representation_in


def share(
    tx: Transaction,
    actor: Account,
    company_key: str,
    user_name: str,
    email: str,
    levels: Levels,
    now: int,
    ends_at: int | None = None,
) -> None:
    """Let another user see what the actor sees of a company, at most at the levels the actor holds.

    User name and e-mail address, which must be confirmed, must both be the other's. The other gets the actor's customer
    numbers of that company and loses nothing that they have already; nobody becomes an administrator by it. ends_at:
    when it ends; once more without it, it lasts. The company's administrators are told.

    What is wrong with the levels is said before the other is looked up, so that it tells nothing of who exists.
    Raises Forbidden, AboveOwnLevel, NothingGiven, NoSuchUser (also for oneself), HasOwnRight where there would be a
    date for what came from elsewhere, and ValueError for what is no level.
    """
    wanted = checked(levels)
    company = locked_company(tx, company_key)
    own = acting_in(tx, company, actor.id)
    for section in SECTIONS:
        if not at_least(getattr(own, section), wanted[section]):
            raise AboveOwnLevel(section)
    if not any(at_least(level, "read") for level in wanted.values()):
        raise NothingGiven
    other = _existing(tx, user_name, email)
    if other is None or other.id == actor.id:
        raise NoSuchUser
    new = representation_in(tx, company, other.id) is None
    if _give(tx, company, own, other, wanted, now, ends_at):
        given = acting_in(tx, company, other.id, suspended=True)
        audit.record(
            tx,
            "rights_given",
            now=now,
            actor=actor.id,
            subject=other.id,
            fo_nummer=company.fo_nummer,
            new="yes" if new else "no",
            **facts_of(given),
        )
        outbox.notify(tx, other, "rights_given", now, **words_of(company, by=actor))
        tell_administrators(tx, actor, company.fo_nummer, "rights_shared", now)


def _existing(tx: Transaction, user_name: str, email: str) -> Account | None:
    is_theirs = Account.user_name_key == user_name_key(user_name), Account.email_confirmed_at.is_not(None)
    account = tx.scalar(select(Account).where(*is_theirs))
    return account if account is not None and account.email.casefold() == email.strip().casefold() else None


def _give(
    tx: Transaction,
    company: Company,
    own: Representation,
    other: Account,
    wanted: Levels,
    now: int,
    ends_at: int | None,
) -> bool:
    """Returns whether the other has got something that they had not, or another date."""
    row = {"account_id": other.id, "fo_nummer": company.fo_nummer}
    new = insert_or_leave(tx, Representation, **row, administrator=False, **wanted, since=now, given_by=own.account_id)
    given = acting_in(tx, company, other.id, suspended=True)
    if ends_at is not None and (given.administrator or given.given_by != own.account_id):
        raise HasOwnRight
    held, ended = levels_of(given), given.ends_at
    if given.given_by == own.account_id:
        given.ends_at = ends_at
    together = {section: higher(held[section], wanted[section]) for section in SECTIONS}
    set_levels(given, together)
    mine = select(CustomerNumber.customer_number).filter_by(account_id=own.account_id, fo_nummer=company.fo_nummer)
    numbers = add_customer_numbers(tx, other.id, company.fo_nummer, tx.scalars(mine).all())
    return new or together != held or bool(numbers) or given.ends_at != ended
