"""Who has which rights, and the lock under which they change."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import bindparam, func, select, tuple_
from sqlalchemy.orm import Session as Transaction
from sqlalchemy.orm import joinedload, selectinload

from kit.pages.languages import collation_key
from registration.database.models import Account, Company, CustomerNumber, Representation
from registration.rights.errors import Forbidden
from registration.rights.levels import Levels, at_least, levels_of

USERS_OF_A_PAGE = 100
MOST_COUNTED = 10_000


@dataclass(frozen=True, slots=True)
class Right:
    """What a person may see and do for a company. since, ends_at, suspended_at, reviewed_at: seconds since the epoch.

    customer_numbers: those that count; suspended_numbers: those that the register has no more. given_by: as in
    Representation; giver: that user's name, if it is one who is still there.
    """

    company_key: str
    fo_nummer: str
    name: str
    customer_numbers: tuple[str, ...]
    administrator: bool
    levels: Levels
    since: int
    given_by: str
    giver: str
    ends_at: int | None
    suspended_at: int | None
    suspended_numbers: tuple[str, ...]
    reviewed_at: int | None

    @property
    def may_see_users(self) -> bool:
        """Whether the company's users are shown to them."""
        return self.administrator or at_least(self.levels["users"], "read")

    @property
    def may_change_users(self) -> bool:
        """Whether they may change what others have; an administrator's rights only an administrator may change."""
        return self.administrator or at_least(self.levels["users"], "write")


@dataclass(frozen=True, slots=True)
class CompanyUser:
    """A user of a company, as those see who may see its users; as Right. last_administrator: there is no other one."""

    account_id: str
    given_name: str
    family_name: str
    user_name: str
    administrator: bool
    last_administrator: bool
    levels: Levels
    since: int
    given_by: str
    giver: str
    ends_at: int | None
    suspended_at: int | None

    @property
    def name(self) -> str:
        """Given and family name."""
        return f"{self.given_name} {self.family_name}"


_LOADED = (
    joinedload(Representation.company, innerjoin=True),
    joinedload(Representation.giver),
    selectinload(Representation.customer_numbers),
)
_OF_ACCOUNT = select(Representation).where(Representation.account_id == bindparam("account_id")).options(*_LOADED)


def rights_of(tx: Transaction, account_id: str) -> list[Right]:
    """All rights of an account, by the names of the companies."""
    rows = tx.scalars(_OF_ACCOUNT, {"account_id": account_id})
    return sorted(map(_right, rows), key=lambda right: (collation_key(right.name), right.fo_nummer))


def right_in(tx: Transaction, account_id: str, company_key: str) -> Right:
    """The right of an account in one company. Raises Forbidden if it has none that counts, or there is no company."""
    row = tx.scalar(
        select(Representation)
        .join(Representation.company)
        .where(Representation.account_id == account_id, Company.key == company_key)
        .options(*_LOADED)
    )
    if row is None or row.suspended_at is not None:
        raise Forbidden
    return _right(row)


def users_of(
    tx: Transaction, account_id: str, company_key: str, after: str | None = None
) -> tuple[Right, list[CompanyUser], str | None]:
    """The actor's own right, a page of the company's users, by name, and what leads to the next page.

    after: what led to this page. Raises Forbidden if they may not see them.
    """
    right = right_in(tx, account_id, company_key)
    if not right.may_see_users:
        raise Forbidden
    rows, following = page_of_users(tx, right.fo_nummer, after, USERS_OF_A_PAGE)
    return right, _users(tx, right.fo_nummer, rows), following


def user_of(tx: Transaction, account_id: str, company_key: str, other_id: str) -> tuple[Right, CompanyUser]:
    """The actor's own right and one user of the company: an administrator sees all, and everybody themselves.

    Who may change others sees those whom they may change. Raises Forbidden.
    """
    right = right_in(tx, account_id, company_key)
    found = select(Representation, Account).join(Account, Account.id == Representation.account_id)
    row = tx.execute(found.where(Account.id == other_id, Representation.fo_nummer == right.fo_nummer)).one_or_none()
    if row is None:
        raise Forbidden
    (user,) = _users(tx, right.fo_nummer, [(row[0], row[1])])
    if right.administrator or other_id == account_id or (right.may_change_users and not user.administrator):
        return right, user
    raise Forbidden


def page_of_users(
    tx: Transaction, fo_nummer: str, after: str | None, most: int
) -> tuple[list[tuple[Representation, Account]], str | None]:
    """So many users of a company, by name; administrators stand on the first pages. And what leads to the next page.

    after: what led to this page. The order is that of an index, so no page costs more than another.
    """
    order = Representation.administrator, Representation.account_id
    found = (
        select(Representation, Account)
        .join(Account, Account.id == Representation.account_id)
        .where(Representation.fo_nummer == fo_nummer)
        .order_by(*(column.desc() for column in order))
        .options(selectinload(Representation.giver))
    )
    if after is not None:
        is_one = select(Representation.administrator).filter_by(fo_nummer=fo_nummer, account_id=after)
        found = found.where(tuple_(*order) < tuple_(bool(tx.scalar(is_one)), after))
    rows = [(row, account) for row, account in tx.execute(found.limit(most + 1))]
    following = rows[most - 1][1].id if len(rows) > most else None
    by_name = collation_key
    rows = sorted(rows[:most], key=lambda one: (by_name(one[1].family_name), by_name(one[1].given_name), one[0].since))
    return rows, following


def numbers_in(tx: Transaction, fo_nummer: str) -> int:
    """How many customer numbers of a company its users have, at most MOST_COUNTED: each is looked for behind another.

    To count all rows would be to read every number of every user.
    """
    of_company = select(func.min(CustomerNumber.customer_number)).where(CustomerNumber.fo_nummer == fo_nummer)
    found = of_company.cte(recursive=True)
    (number,) = found.c
    behind = of_company.where(CustomerNumber.customer_number > number).correlate(found).scalar_subquery()
    (counted,) = select(found.union_all(select(behind).where(number.is_not(None)))).limit(MOST_COUNTED).subquery().c
    return tx.scalar(select(func.count(counted))) or 0


def locked_company(tx: Transaction, company_key: str) -> Company:
    """A company, whose rights nobody else changes until the end of the transaction. Raises Forbidden if unknown."""
    company = tx.scalar(select(Company).where(Company.key == company_key).with_for_update())
    if company is None:
        raise Forbidden
    return company


def representation_in(tx: Transaction, company: Company, account_id: str) -> Representation | None:
    """An account's representation as it stands now that the company is locked."""
    statement = select(Representation).where(
        Representation.account_id == account_id, Representation.fo_nummer == company.fo_nummer
    )
    return tx.scalar(statement.execution_options(populate_existing=True))


def acting_in(tx: Transaction, company: Company, account_id: str, *, suspended: bool = False) -> Representation:
    """The representation of who acts. Raises Forbidden if they have none, or it is suspended.

    suspended: it counts then too, as for one who is given something.
    """
    found = representation_in(tx, company, account_id)
    if found is None or not (suspended or found.suspended_at is None):
        raise Forbidden
    return found


def is_last_administrator(tx: Transaction, *ending: Representation) -> bool:
    """Whether a company has no administrator but among these; to be asked while it is locked."""
    others = select(Representation.account_id).where(
        Representation.fo_nummer == ending[0].fo_nummer,
        Representation.administrator,
        Representation.account_id.not_in([row.account_id for row in ending]),
    )
    return any(row.administrator for row in ending) and tx.scalar(others.limit(1)) is None


def _users(tx: Transaction, fo_nummer: str, rows: Iterable[tuple[Representation, Account]]) -> list[CompanyUser]:
    two = select(Representation.account_id).where(Representation.fo_nummer == fo_nummer, Representation.administrator)
    alone = len(tx.scalars(two.limit(2)).all()) == 1
    return [
        CompanyUser(
            account.id,
            account.given_name,
            account.family_name,
            account.user_name,
            row.administrator,
            row.administrator and alone,
            levels_of(row),
            row.since,
            *_source(row),
        )
        for row, account in rows
    ]


def _source(row: Representation) -> tuple[str, str, int | None, int | None]:
    giver = f"{row.giver.given_name} {row.giver.family_name}" if row.giver else ""
    return row.given_by, giver, row.ends_at, row.suspended_at


def _right(row: Representation) -> Right:
    return Right(
        row.company.key,
        row.fo_nummer,
        row.company.name,
        tuple(number.customer_number for number in row.customer_numbers if number.suspended_at is None),
        row.administrator,
        levels_of(row),
        row.since,
        *_source(row),
        tuple(number.customer_number for number in row.customer_numbers if number.suspended_at is not None),
        row.company.reviewed_at,
    )
