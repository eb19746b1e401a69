"""What customer service changes, by command or by the API. Who and why stand in the audit trail."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session as Transaction

from registration.audit import By
from registration.backup.erasure_list import Erasure
from registration.customer_register import CustomerRegister
from registration.database.models import Account, Company, CustomerNumber, Representation
from registration.mail import outbox
from registration.rights.changes import erase_representation, facts_of, make_administrator, words_of
from registration.rights.ending import end_given, ending_with
from registration.rights.errors import LastAdministrator, Refused
from registration.rights.founding import BY_CUSTOMER_SERVICE, add_customer_numbers, found_or_join
from registration.rights.levels import ALL, Levels, set_levels
from registration.rights.lookup import acting_in, is_last_administrator, representation_in


def name_in(register: CustomerRegister, numbers: Iterable[str], fo_nummer: str) -> str | None:
    """The name of a company as the customer register has it; None if no number is given.

    Raises Refused if a number is not the company's, and RegisterUnavailable.
    """
    name = None
    for number in numbers:
        customer = register.find(number, fo_nummer)
        if customer is None:
            text = f"the customer register has no customer {number} of {fo_nummer}: mend it, or add --unchecked"
            raise Refused(text, "not_together")
        name = name or customer.company_name
    return name


def grant(
    tx: Transaction,
    account: Account,
    fo_nummer: str,
    numbers: Sequence[str],
    by: By,
    *,
    company_name: str | None,
    levels: Levels,
    administrator: bool,
) -> None:
    """Give an account customer numbers, levels or the administrator's role in a company.

    company_name: needed if nobody has registered for the company yet. levels: the sections that are set; those left
    out stay, or are as for one who registers. Raises Refused.
    """
    company = tx.get(Company, fo_nummer)
    held = None if company is None else representation_in(tx, company, account.id)
    if company is None and company_name is None:
        raise Refused("nobody has registered for this company yet: give its name with --company-name", "name_needed")
    if company is None and not administrator:
        raise Refused("the first user of a company is its administrator: give --administrator", "administrator_needed")
    if held is None and not numbers:
        raise Refused("a new representative needs a customer number: give --customer-number", "number_needed")
    becomes_or_is = administrator or (held is not None and held.administrator)
    if becomes_or_is and any(level != "write" for level in levels.values()):
        raise Refused("an administrator has every section with write: leave the levels out", "administrator_has_all")
    if numbers:
        found_or_join(tx, account, fo_nummer, company_name or "", numbers[0], by.now, given_by=BY_CUSTOMER_SERVICE)
    company = tx.get_one(Company, fo_nummer, with_for_update=True)
    own = acting_in(tx, company, account.id, suspended=True)
    add_customer_numbers(tx, account.id, fo_nummer, numbers)
    if administrator:
        make_administrator(own, BY_CUSTOMER_SERVICE)
    set_levels(own, ALL if own.administrator else levels)
    facts = {**facts_of(own), "customer_numbers": " ".join(numbers), "new": "yes" if held is None else "no"}
    by.record(tx, "granted", subject=account.id, fo_nummer=fo_nummer, **facts)
    outbox.notify(tx, account, "rights_changed", by.now, **words_of(company))


def revoke(
    tx: Transaction,
    account: Account,
    fo_nummer: str,
    numbers: Sequence[str],
    by: By,
    *,
    leave_without_administrator: bool = False,
    keep_given: bool = False,
) -> list[Erasure]:
    """Take customer numbers from an account, or, if none is named, all of its rights in a company, and what it gave.

    keep_given: customer service answers for what it gave, from now on. Returns the rights that have ended, the
    account's own first. Raises Refused, LastAdministrator.
    """
    company = tx.get(Company, fo_nummer, with_for_update=True)
    held = None if company is None else representation_in(tx, company, account.id)
    if company is None or held is None:
        raise Refused("the user does not represent this company", "not_represented")
    ended: list[str] = []
    if numbers:
        _refuse_numbers(tx, held, numbers)
        mine = {"account_id": account.id, "fo_nummer": fo_nummer}
        tx.execute(delete(CustomerNumber).filter_by(**mine).where(CustomerNumber.customer_number.in_(numbers)))
    else:
        if not leave_without_administrator and is_last_administrator(tx, *ending_with(tx, held, keep_given)):
            raise LastAdministrator
        keep_for = BY_CUSTOMER_SERVICE if keep_given else None
        ended = [account.id, *end_given(tx, held, actor=by.actor, now=by.now, keep_for=keep_for)]
        erase_representation(tx, held)
    facts = {"customer_numbers": " ".join(numbers) or "all"}
    by.record(tx, "revoked", subject=account.id, fo_nummer=fo_nummer, **facts)
    outbox.notify(tx, account, "rights_changed" if numbers else "user_removed", by.now, **words_of(company))
    return [Erasure(by.now, account=id, company=company.key) for id in ended]


def _refuse_numbers(tx: Transaction, held: Representation, numbers: Sequence[str]) -> None:
    mine = {"account_id": held.account_id, "fo_nummer": held.fo_nummer}
    there = set(tx.scalars(select(CustomerNumber.customer_number).filter_by(**mine)))
    if not there.issuperset(numbers):
        raise Refused("the user does not have that customer number", "unknown_number")
    if there == set(numbers):
        raise Refused(
            "these are all of the user's customer numbers: revoke the whole right, without --customer-number",
            "last_number",
        )
