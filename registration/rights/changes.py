"""What one user may change of another's rights in the same company.

An administrator has every section with `write`, and may do all. A user whose section `users` is `write` may change
the sections of others who are no administrators, where neither the old nor the new level is above their own. Everybody
may give up their own right. The last administrator cannot go: another one has to be appointed first.
"""

from __future__ import annotations

from sqlalchemy import bindparam, delete, func, select
from sqlalchemy.orm import Session as Transaction

from registration import audit
from registration.database.models import Account, Company, Representation
from registration.mail import outbox
from registration.rights import lookup
from registration.rights.errors import AboveOwnLevel, Forbidden, LastAdministrator, ListChanged
from registration.rights.founding import SOURCES
from registration.rights.levels import ALL, Levels, at_least, checked, higher, set_levels
from registration.rights.lookup import acting_in, is_last_administrator, locked_company, representation_in

_ADMINISTRATORS = (
    select(Account, Company)
    .join(Account.representations)
    .join(Representation.company)
    .where(Representation.fo_nummer == bindparam("of"), Representation.administrator)
)


def change(tx: Transaction, actor: Account, company_key: str, account_id: str, levels: Levels, now: int) -> None:
    """Set what a user may see and do, section by section.

    Raises Forbidden (also for an administrator's sections, which are always all), AboveOwnLevel, and ValueError for
    what is no level.
    """
    wanted = checked(levels)
    company = locked_company(tx, company_key)
    own = acting_in(tx, company, actor.id)
    if not own.may_change_users:
        raise Forbidden
    other = representation_in(tx, company, account_id)
    if other is None or other.administrator:
        raise Forbidden
    held = other.levels
    if held == wanted:
        return
    touched = {section: level for section, level in wanted.items() if level != held[section]}
    for section, level in touched.items():
        if not at_least(own.levels[section], higher(held[section], level)):
            raise AboveOwnLevel(section)
    set_levels(other, touched)
    _notify_of_change(tx, actor, company, other, now)


def appoint(tx: Transaction, actor: Account, company_key: str, account_id: str, now: int) -> None:
    """Make another user an administrator too, with every section. Raises Forbidden."""
    company, _, other = _administrator_and(tx, actor, company_key, account_id)
    if not other.administrator:
        _make_administrator(tx, actor, company, other, now)
        _record(tx, "rights_changed", actor, other, now)


def hand_over(tx: Transaction, actor: Account, company_key: str, account_id: str, now: int) -> None:
    """Make another user an administrator in one's own stead; the actor keeps their sections. Raises Forbidden."""
    company, own, other = _administrator_and(tx, actor, company_key, account_id)
    if account_id == actor.id:
        raise Forbidden
    if not other.administrator:
        _make_administrator(tx, actor, company, other, now)
    _record(tx, "administrator_handed_over", actor, other, now)
    own.administrator = False
    _notify_of_change(tx, actor, company, own, now)


def demote(tx: Transaction, actor: Account, company_key: str, account_id: str, now: int) -> None:
    """Take the administrator's role from a user, or give up one's own; the sections stay as they are.

    Raises Forbidden, LastAdministrator.
    """
    company, _, other = _administrator_and(tx, actor, company_key, account_id)
    if not other.administrator:
        return
    if is_last_administrator(tx, other):
        raise LastAdministrator
    other.administrator = False
    _notify_of_change(tx, actor, company, other, now)


def erase_representation(tx: Transaction, representation: Representation) -> None:
    """Delete a representation; its customer numbers go with it."""
    row = delete(Representation).filter_by(account_id=representation.account_id, fo_nummer=representation.fo_nummer)
    tx.execute(row)


def confirm(
    tx: Transaction, actor: Account, company_key: str, after: str | None, shown: str, now: int
) -> tuple[bool, str | None]:
    """Confirm that the rights of a page of a company's users are still right.

    after: what led to the page; shown: `list_digest` of it as it was shown. Returns whether the rights of all users are
    confirmed since administrators were last asked, and what leads to the next page. Raises Forbidden, ListChanged.
    """
    company = locked_company(tx, company_key)
    if not acting_in(tx, company, actor.id).administrator:
        raise Forbidden
    rows, following = lookup.page_of_users(tx, company.fo_nummer, after, lookup.USERS_OF_A_PAGE)
    if lookup.list_digest(rows) != shown:
        raise ListChanged
    for row in rows:
        row.reviewed_at = now
    tx.flush()
    of_company = Representation.fo_nummer == company.fo_nummer
    oldest = tx.scalar(select(func.min(func.coalesce(Representation.reviewed_at, 0))).where(of_company)) or 0
    complete = oldest >= (company.review_asked_at or company.founded_at)
    if complete:
        company.reviewed_at = company.review_asked_at = oldest
    told = {"users": str(len(rows)), "complete": "yes" if complete else "no"}
    audit.record(tx, "rights_reviewed", now=now, actor=actor.id, fo_nummer=company.fo_nummer, **told)
    return complete, following


def words_of(company: Company, by: Account | None = None) -> dict[str, str]:
    """What an e-mail about a company needs. by: who did it; `by_account` finds their name when it is to be erased."""
    words = {"company": company.name, "fo_nummer": company.fo_nummer}
    return words if by is None else {**words, "by": by.name, "by_account": by.id}


def facts_of(representation: Representation) -> dict[str, str]:
    """A representation's rights as the audit trail keeps them."""
    return {**representation.levels, "administrator": "yes" if representation.administrator else "no"}


def _administrator_and(
    tx: Transaction, actor: Account, company_key: str, account_id: str
) -> tuple[Company, Representation, Representation]:
    company = locked_company(tx, company_key)
    own = acting_in(tx, company, actor.id)
    other = representation_in(tx, company, account_id)
    if not own.administrator or other is None:
        raise Forbidden
    return company, own, other


def make_administrator(held: Representation, by: str) -> None:
    """Give a right every section, without a date. by: who answers from now on for what a user gave: as `given_by`."""
    if held.given_by not in SOURCES:
        held.given_by = by
    held.administrator, held.ends_at = True, None
    set_levels(held, ALL)


def tell_administrators(
    tx: Transaction, about: Account | None, fo_nummer: str, kind: str, now: int, **words: str
) -> None:
    """Tell by e-mail whoever is administrator of a company, but not the person whom it is about."""
    for administrator, company in tx.execute(_ADMINISTRATORS, {"of": fo_nummer}).all():
        if about is None or administrator.id != about.id:
            of_company = {**words_of(company, by=about), "company_key": company.key}
            outbox.notify(tx, administrator, kind, now, **{**of_company, **words})


def _make_administrator(tx: Transaction, actor: Account, company: Company, other: Representation, now: int) -> None:
    make_administrator(other, actor.id)
    outbox.notify(tx, other.account, "administrator_received", now, **words_of(company, by=actor))


def _notify_of_change(tx: Transaction, actor: Account, company: Company, other: Representation, now: int) -> None:
    _record(tx, "rights_changed", actor, other, now)
    outbox.notify(tx, other.account, "rights_changed", now, **words_of(company))


def _record(tx: Transaction, event: str, actor: Account, other: Representation, now: int) -> None:
    facts = facts_of(other)
    audit.record(tx, event, now=now, actor=actor.id, subject=other.account_id, fo_nummer=other.fo_nummer, **facts)
