"""What customer service changes, by command or by the API. Who and why stand in the audit trail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session as Transaction

from registration import audit
from registration.database.models import Account, Company, CustomerNumber, Representation
from registration.mail import outbox
from registration.rights.changes import erase_representation, facts_of, make_administrator, words_of
from registration.rights.ending import end_given, ending_with
from registration.rights.errors import LastAdministrator, RightsError
from registration.rights.founding import BY_CUSTOMER_SERVICE, add_customer_numbers, found_or_join
from registration.rights.levels import ALL, Levels, levels_of, set_levels
from registration.rights.lookup import acting_in, is_last_administrator, locked_company, representation_in


class Refused(RightsError):
    """What was asked for does not fit what there is; the text says what to do. code: the same for programs."""

    def __init__(self, text: str, code: str) -> None:
        super().__init__(text)
        self.code = code


def grant(
    tx: Transaction,
    account: Account,
    fo_nummer: str,
    numbers: Sequence[str],
    *,
    company_name: str | None,
    levels: Levels,
    administrator: bool,
    actor: str,
    why: Mapping[str, str],
    now: int,
) -> None:
    """Give an account customer numbers, levels or the administrator's role in a company.

    company_name: needed if nobody has registered for the company yet. levels: the sections that are set; those left
    out stay, or are as for one who registers. Raises Refused.
    """
    held = refuse_grant(tx, account, fo_nummer, numbers, company_name, levels, administrator)
    if numbers:
        found_or_join(tx, account, fo_nummer, company_name or "", numbers[0], now, given_by=BY_CUSTOMER_SERVICE)
    company = locked_company(tx, tx.scalars(select(Company.key).where(Company.fo_nummer == fo_nummer)).one())
    own = acting_in(tx, company, account.id, suspended=True)
    add_customer_numbers(tx, account.id, fo_nummer, numbers)
    if administrator:
        make_administrator(own, BY_CUSTOMER_SERVICE)
    set_levels(own, ALL if own.administrator else {**levels_of(own), **levels})
    facts = {**facts_of(own), "customer_numbers": " ".join(numbers), "new": "yes" if held is None else "no"}
    audit.record(tx, "granted", now=now, actor=actor, subject=account.id, fo_nummer=fo_nummer, **facts, **why)
    outbox.notify(tx, account, "rights_changed", now, **words_of(company))


def revoke(
    tx: Transaction,
    account: Account,
    fo_nummer: str,
    numbers: Sequence[str],
    *,
    leave_without_administrator: bool,
    keep_given: bool = False,
    actor: str,
    why: Mapping[str, str],
    now: int,
) -> list[str]:
    """Take customer numbers from an account, or, if none is named, all of its rights in a company, and what it gave.

    keep_given: customer service answers for what it gave, from now on. Returns the ids of the accounts whose rights
    have ended. Raises Refused, LastAdministrator.
    """
    company, held = refuse_revoke(tx, account, fo_nummer, numbers, leave_without_administrator, keep_given)
    ended: list[str] = []
    if numbers:
        mine = {"account_id": account.id, "fo_nummer": fo_nummer}
        tx.execute(delete(CustomerNumber).filter_by(**mine).where(CustomerNumber.customer_number.in_(numbers)))
    else:
        keep_for = BY_CUSTOMER_SERVICE if keep_given else None
        ended = [account.id, *end_given(tx, held, actor=actor, now=now, keep_for=keep_for)]
        erase_representation(tx, held)
    facts = {"customer_numbers": " ".join(numbers) or "all"}
    audit.record(tx, "revoked", now=now, actor=actor, subject=account.id, fo_nummer=fo_nummer, **facts, **why)
    outbox.notify(tx, account, "rights_changed" if numbers else "user_removed", now, **words_of(company))
    return ended


def refuse_grant(
    tx: Transaction,
    account: Account,
    fo_nummer: str,
    numbers: Sequence[str],
    company_name: str | None,
    levels: Levels,
    administrator: bool,
) -> Representation | None:
    """Refuse what `grant` would refuse, by what there is now; else what the account holds. Raises Refused."""
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
    return held


def refuse_revoke(
    tx: Transaction,
    account: Account,
    fo_nummer: str,
    numbers: Sequence[str],
    leave_without_administrator: bool,
    keep_given: bool = False,
) -> tuple[Company, Representation]:
    """Refuse what `revoke` would refuse, else return what it works on, the company locked.

    Raises Refused, LastAdministrator.
    """
    company = tx.get(Company, fo_nummer)
    held = None if company is None else representation_in(tx, locked_company(tx, company.key), account.id)
    if company is None or held is None:
        raise Refused("the user does not represent this company", "not_represented")
    if numbers:
        _refuse_numbers(tx, held, numbers)
    elif not leave_without_administrator and is_last_administrator(tx, *ending_with(tx, held, keep_given)):
        raise LastAdministrator
    return company, held


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
