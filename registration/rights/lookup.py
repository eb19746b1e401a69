"""Who has which rights, and the lock under which they change."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction
from sqlalchemy.orm import selectinload

from kit.pages.languages import collation_key
from registration.database.models import Account, Company, Representation
from registration.rights.errors import Forbidden
from registration.rights.levels import Levels, at_least, levels_of


@dataclass(frozen=True, slots=True)
class Right:
    """What a person may see and do for a company. since: seconds since the epoch."""

    company_key: str
    fo_nummer: str
    name: str
    customer_numbers: tuple[str, ...]
    administrator: bool
    levels: Levels
    since: int

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
    """A user of a company, as those see who may see its users. last_administrator: there is no other one."""

    account_id: str
    given_name: str
    family_name: str
    user_name: str
    administrator: bool
    last_administrator: bool
    levels: Levels
    since: int

    @property
    def name(self) -> str:
        """Given and family name."""
        return f"{self.given_name} {self.family_name}"


def rights_of(tx: Transaction, account_id: str) -> list[Right]:
    """All rights of an account, by the names of the companies."""
    rows = tx.scalars(
        select(Representation)
        .where(Representation.account_id == account_id)
        .options(selectinload(Representation.company), selectinload(Representation.customer_numbers))
    )
    return sorted(map(_right, rows), key=lambda right: (collation_key(right.name), right.fo_nummer))


def right_in(tx: Transaction, account_id: str, company_key: str) -> Right:
    """The right of an account in one company. Raises Forbidden if it has none, or there is no such company."""
    row = tx.scalar(
        select(Representation)
        .join(Representation.company)
        .where(Representation.account_id == account_id, Company.key == company_key)
        .options(selectinload(Representation.company), selectinload(Representation.customer_numbers))
    )
    if row is None:
        raise Forbidden
    return _right(row)


def users_of(tx: Transaction, account_id: str, company_key: str) -> tuple[Right, list[CompanyUser]]:
    """The actor's own right and the company's users, by name. Raises Forbidden if they may not see them."""
    right = right_in(tx, account_id, company_key)
    if not right.may_see_users:
        raise Forbidden
    return right, _users(tx, right.fo_nummer)


def user_of(tx: Transaction, account_id: str, company_key: str, other_id: str) -> tuple[Right, CompanyUser]:
    """The actor's own right and one user of the company: an administrator sees all, and everybody themselves.

    Who may change others sees those whom they may change. Raises Forbidden.
    """
    right = right_in(tx, account_id, company_key)
    user = next((user for user in _users(tx, right.fo_nummer) if user.account_id == other_id), None)
    if user is None:
        raise Forbidden
    if right.administrator or other_id == account_id or (right.may_change_users and not user.administrator):
        return right, user
    raise Forbidden


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


def acting_in(tx: Transaction, company: Company, account_id: str) -> Representation:
    """The representation of who acts. Raises Forbidden if they have none."""
    found = representation_in(tx, company, account_id)
    if found is None:
        raise Forbidden
    return found


def is_last_administrator(tx: Transaction, representation: Representation) -> bool:
    """Whether the company has no other administrator; to be asked while it is locked."""
    others = select(Representation.account_id).where(
        Representation.fo_nummer == representation.fo_nummer,
        Representation.administrator,
        Representation.account_id != representation.account_id,
    )
    return representation.administrator and tx.scalar(others.limit(1)) is None


def _users(tx: Transaction, fo_nummer: str) -> list[CompanyUser]:
    rows = tx.execute(
        select(Representation, Account)
        .join(Account, Account.id == Representation.account_id)
        .where(Representation.fo_nummer == fo_nummer)
    ).all()
    administrators = sum(row.administrator for row, _ in rows)
    users = [
        CompanyUser(
            account.id,
            account.given_name,
            account.family_name,
            account.user_name,
            row.administrator,
            row.administrator and administrators == 1,
            levels_of(row),
            row.since,
        )
        for row, account in rows
    ]
    return sorted(users, key=lambda user: (collation_key(user.family_name), collation_key(user.given_name), user.since))


def _right(row: Representation) -> Right:
    return Right(
        row.company.key,
        row.fo_nummer,
        row.company.name,
        tuple(number.customer_number for number in row.customer_numbers),
        row.administrator,
        levels_of(row),
        row.since,
    )
