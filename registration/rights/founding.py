"""Who is the first of a company: decided by its founding row, never by a count.

The row stays when the last representative has gone. So nobody becomes administrator by waiting until the others are
gone: who registers then may read consumption, and customer service grants administrator rights by command.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from sqlalchemy import Insert, select, update
from sqlalchemy.orm import Session as Transaction
from sqlalchemy.sql.dml import ReturningInsert

from registration.database.connection import insert, insert_or_leave, new_id
from registration.database.models import Account, Company, CustomerNumber, NumberStatus, Representation
from registration.rights.levels import ALL, JOINING

BY_REGISTRATION, BY_CUSTOMER_SERVICE = SOURCES = ("registration", "customer service")


def found_or_join(
    tx: Transaction,
    account: Account,
    fo_nummer: str,
    company_name: str,
    customer_number: str,
    now: int,
    given_by: str = BY_REGISTRATION,
) -> bool:
    """Make an account a representative of a company; returns whether it is an administrator of it.

    The first one ever is, with every right; later ones may read consumption. An account that already represents the
    company keeps its rights and gets the customer number. The account must have been added to the transaction. The
    company is locked until its end. now: seconds since the epoch.
    """
    tx.flush()
    first = found(tx, fo_nummer, company_name, now)
    return join(tx, account, fo_nummer, customer_number, now, first=first, given_by=given_by)


def found(tx: Transaction, fo_nummer: str, company_name: str, now: int) -> bool:
    """Make the founding row of a company; whether there was none. The company is locked until the transaction's end."""
    connection, key = tx.connection(), new_id()
    row = {"fo_nummer": fo_nummer, "key": key, "name": company_name, "founded_at": now}
    return bool(connection.execute(_founding(connection.dialect.name), row).scalar_one() == key)


def join(
    tx: Transaction,
    account: Account,
    fo_nummer: str,
    customer_number: str,
    now: int,
    *,
    first: bool,
    given_by: str = BY_REGISTRATION,
) -> bool:
    """Make an account a representative of a locked company, as its first one or not; as `found_or_join`."""
    row = {"account_id": account.id, "fo_nummer": fo_nummer}
    rights = {"administrator": first, **(ALL if first else JOINING), "since": now, "given_by": given_by}
    joined = insert_or_leave(tx, Representation, **row, **rights)
    add_customer_numbers(tx, account.id, fo_nummer, [customer_number])
    return first if joined else bool(tx.scalar(select(Representation.administrator).filter_by(**row)))


def add_customer_numbers(
    tx: Transaction, account_id: str, fo_nummer: str, numbers: Iterable[str], share_id: str | None = None
) -> list[str]:
    """Let a representative see customer numbers of the company; returns those that are new.

    share_id: of the share that they hang on; without, one that hung on a share does so no more. The customer register
    is asked about them in the next round (due.py).
    """
    numbers, mine = list(numbers), {"account_id": account_id, "fo_nummer": fo_nummer}
    if rows := [{"fo_nummer": fo_nummer, "customer_number": number} for number in numbers]:
        connection = tx.connection()
        connection.execute(_asking_again(connection.dialect.name), rows)
    inserted = [
        number
        for number in numbers
        if insert_or_leave(tx, CustomerNumber, **mine, customer_number=number, share_id=share_id)
    ]
    if share_id is None and len(inserted) < len(numbers):
        theirs = update(CustomerNumber).filter_by(**mine).where(CustomerNumber.customer_number.in_(numbers))
        tx.execute(theirs.values(share_id=None))
    return inserted


@cache
def _founding(dialect: str) -> ReturningInsert[Any]:
    """Gives the company's key, whoever has made it; a row that is there is written as it is, and so locked."""
    insertion, key = insert(dialect, Company.__table__), Company.__table__.c.key
    return insertion.on_conflict_do_update(index_elements=["fo_nummer"], set_={"key": key}).returning(key)


@cache
def _asking_again(dialect: str) -> Insert:
    insertion = insert(dialect, NumberStatus.__table__)
    return insertion.on_conflict_do_update(index_elements=["fo_nummer", "customer_number"], set_={"checked_at": 0})
