"""Who has which rights, and the lock under which they change."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import bindparam, func, select, tuple_
from sqlalchemy.orm import Session as Transaction
from sqlalchemy.orm import contains_eager, joinedload, lazyload, selectinload
from sqlalchemy.orm.attributes import set_committed_value

from kit.pages.languages import collation_key
from registration.database.connection import digest
from registration.database.models import Company, CustomerNumber, Representation, Share
from registration.rights.errors import Forbidden

USERS_OF_A_PAGE = 100
MOST_COUNTED = 10_000


_LOADED = (
    joinedload(Representation.company, innerjoin=True),
    joinedload(Representation.giver),
    selectinload(Representation.numbers),
)
_OF_ACCOUNT = (
    select(Representation)
    .where(Representation.account_id == bindparam("account_id"))
    .options(*_LOADED, joinedload(Representation.shares))
)


def rights_of(tx: Transaction, account_id: str) -> list[Representation]:
    """All rights of an account, by the names of the companies."""
    rows = tx.scalars(_OF_ACCOUNT, {"account_id": account_id}).unique()
    return sorted(rows, key=lambda right: (collation_key(right.company.name), right.fo_nummer))


def right_in(tx: Transaction, account_id: str, company_key: str) -> Representation:
    """The right of an account in one company. Raises Forbidden if it has none that counts, or there is no company."""
    row = tx.scalar(
        select(Representation)
        .join(Representation.company)
        .where(Representation.account_id == account_id, Company.key == company_key)
        .options(*_LOADED)
    )
    if row is None or row.suspended_at is not None:
        raise Forbidden
    return row


def users_of(
    tx: Transaction, account_id: str, company_key: str, after: str | None = None
) -> tuple[Representation, list[Representation], str | None]:
    """The actor's own right, a page of the company's users, by name, and what leads to the next page.

    after: what led to this page. Raises Forbidden if they may not see them.
    """
    right = right_in(tx, account_id, company_key)
    if not right.may_see_users:
        raise Forbidden
    return right, *page_of_users(tx, right.fo_nummer, after, USERS_OF_A_PAGE)


def user_of(tx: Transaction, account_id: str, company_key: str, other_id: str) -> tuple[Representation, Representation]:
    """The actor's own right and one user of the company: an administrator sees all, and everybody themselves.

    Who may change others sees those whom they may change. Raises Forbidden.
    """
    right = right_in(tx, account_id, company_key)
    user = tx.get(Representation, (other_id, right.fo_nummer))
    may = right.administrator or other_id == account_id or (right.may_change_users and user and not user.administrator)
    if user is None or not may:
        raise Forbidden
    tx.refresh(user, ["account", "giver"])
    return right, user


def page_of_users(
    tx: Transaction, fo_nummer: str, after: str | None, most: int
) -> tuple[list[Representation], str | None]:
    """So many users of a company, by name; administrators stand on the first pages. And what leads to the next page.

    after: what led to this page. The order is that of an index, so no page costs more than another.
    """
    order = Representation.administrator, Representation.account_id
    found = (
        select(Representation)
        .join(Representation.account)
        .where(Representation.fo_nummer == fo_nummer)
        .order_by(*(column.desc() for column in order))
        .options(
            contains_eager(Representation.account), selectinload(Representation.giver), lazyload(Representation.shares)
        )
    )
    if after is not None:
        is_one = select(Representation.administrator).filter_by(fo_nummer=fo_nummer, account_id=after)
        found = found.where(tuple_(*order) < tuple_(bool(tx.scalar(is_one)), after))
    rows = list(tx.scalars(found.limit(most + 1)))
    on_top = Share.fo_nummer == fo_nummer, Share.account_id.in_([row.account_id for row in rows])
    shares = tx.scalars(select(Share).where(*on_top).order_by(Share.since, Share.id)).all()
    for row in rows:  # by one column: SQLite has no index for pairs of them
        set_committed_value(row, "shares", [share for share in shares if share.account_id == row.account_id])
    following = rows[most - 1].account_id if len(rows) > most else None

    def by_name(row: Representation) -> tuple[tuple[int, ...], tuple[int, ...], int]:
        return collation_key(row.account.family_name), collation_key(row.account.given_name), row.since

    return sorted(rows[:most], key=by_name), following


def list_digest(users: Iterable[Representation]) -> str:
    """A list of users with all that is shown of their rights, as one value: another one if any of it has changed."""

    def shown(row: Representation) -> str:
        marks = row.administrator, row.given_by, row.ends_at, row.suspended_at, row.levels
        return repr((row.account_id, *marks, [(share.id, share.own_levels, share.ends_at) for share in row.shares]))

    return digest(*map(shown, users))


def shared_on_top(tx: Transaction, account_id: str) -> list[Share]:
    """What a user has given to others on top of their rights, by company."""
    whom = selectinload(Share.representation)
    loaded = whom.selectinload(Representation.account), whom.selectinload(Representation.company)
    given = select(Share).where(Share.given_by == account_id).order_by(Share.fo_nummer, Share.since, Share.id)
    return list(tx.scalars(given.options(*loaded)))


def share_in(tx: Transaction, own: Representation, account_id: str, share_id: str) -> Share:
    """What a user has on top of their right in the actor's company; administrators may, and its giver.

    Raises Forbidden.
    """
    share = tx.get(Share, share_id, populate_existing=True)
    if share is None or (share.account_id, share.fo_nummer) != (account_id, own.fo_nummer):
        raise Forbidden
    if not own.administrator and share.given_by != own.account_id:
        raise Forbidden
    return share


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


def only_administrator(tx: Transaction, fo_nummer: str) -> str | None:
    """The account of a company's administrator, if there is one alone."""
    two = select(Representation.account_id).where(Representation.fo_nummer == fo_nummer, Representation.administrator)
    found = tx.scalars(two.limit(2)).all()
    return found[0] if len(found) == 1 else None


def is_last_administrator(tx: Transaction, *ending: Representation) -> bool:
    """Whether a company has no administrator but among these; to be asked while it is locked."""
    others = select(Representation.account_id).where(
        Representation.fo_nummer == ending[0].fo_nummer,
        Representation.administrator,
        Representation.account_id.not_in([row.account_id for row in ending]),
    )
    return any(row.administrator for row in ending) and tx.scalar(others.limit(1)) is None
