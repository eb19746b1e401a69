"""A user lets another existing user see their company's data."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from kit.rights import LEVELS, SECTIONS
from registration import audit
from registration.accounts.names import user_name_key
from registration.database.connection import insert_or_leave, new_id
from registration.database.models import Account, Company, CustomerNumber, Representation, Share
from registration.mail import outbox
from registration.rights.changes import facts_of, tell_administrators, words_of
from registration.rights.errors import AboveOwnLevel, NoSuchUser, NothingGiven
from registration.rights.founding import add_customer_numbers
from registration.rights.levels import Levels, at_least, checked, raise_levels
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
    numbers of that company and loses nothing that they have already; nobody becomes an administrator by it. Where they
    have a right from elsewhere it stands beside that, as a Share. ends_at: when it ends; once more without it, it
    lasts. The company's administrators are told.

    What is wrong with the levels is said before the other is looked up, so that it tells nothing of who exists.
    Raises Forbidden, AboveOwnLevel, NothingGiven, NoSuchUser (also for oneself), and ValueError for what is no level.
    """
    wanted = checked(levels)
    company = locked_company(tx, company_key)
    own = acting_in(tx, company, actor.id)
    for section in SECTIONS:
        if not at_least(own.levels[section], wanted[section]):
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
    by = {"since": now, "given_by": own.account_id}
    new = insert_or_leave(tx, Representation, **row, **by, administrator=False, **wanted)
    held = acting_in(tx, company, other.id, suspended=True)
    given: Representation | Share = held
    if held.administrator or held.given_by != own.account_id:
        on_top = (share for share in held.shares if share.given_by == own.account_id)
        given = next(on_top, None) or Share(id=new_id(), **row, **by, **dict.fromkeys(SECTIONS, LEVELS[0]))
    mine = select(CustomerNumber.customer_number).filter_by(account_id=own.account_id, fo_nummer=company.fo_nummer)
    share_id = given.id if isinstance(given, Share) else None
    numbers = add_customer_numbers(tx, other.id, company.fo_nummer, tx.scalars(mine).all(), share_id)
    more = any(not at_least(held.levels[section], level) for section, level in wanted.items())
    gained = new or more or bool(numbers)
    if isinstance(given, Share) and given not in held.shares:
        if not gained:
            return False
        held.shares.append(given)
    gained = gained or given.ends_at != ends_at
    given.ends_at = ends_at
    raise_levels(given, wanted)
    return gained
