"""Makes the table of customers what a file says: what would change, and the change itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields

from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.orm import Session

from registration import audit
from registration.accounts.names import company_name_key
from registration.customer_register import Customer
from registration.database import models
from registration.database.connection import Database

_AT_ONCE = 500
"""Rows of one statement."""
Progress = Callable[[int], object]
"""Told how many rows are done."""
_LOCK = text("LOCK TABLE customer IN SHARE ROW EXCLUSIVE MODE")


class RegisterChanged(Exception):
    """The table is not what it was when the changes were shown."""


@dataclass(frozen=True)
class Changes:
    """What makes the table equal to a file. changed: before and after. before: how many customers there are now."""

    before: int
    added: tuple[Customer, ...]
    changed: tuple[tuple[Customer, Customer], ...]
    removed: tuple[Customer, ...]

    @property
    def any(self) -> bool:
        """Whether there is something to change."""
        return bool(self.added or self.changed or self.removed)

    @property
    def removes_most(self) -> bool:
        """Whether more than half of the customers would go: rather a file that was cut than what was meant."""
        return len(self.removed) * 2 > self.before

    @property
    def counts(self) -> dict[str, str]:
        """How many are added, changed and removed, for the audit trail."""
        return {name: str(len(getattr(self, name))) for name in ("added", "changed", "removed")}


def preview(database: Database, customers: Sequence[Customer]) -> Changes:
    """What an import of these customers, the whole register, would change."""
    with database.read() as session:
        return _compare(session, customers)


def apply(
    database: Database,
    customers: Sequence[Customer],
    shown: Changes,
    by: audit.By,
    progress: Progress = lambda done: None,
) -> None:
    """Make the register consist of these customers, with a record in the audit trail: all of it, or nothing.

    shown: what `preview` gave. progress: told of rows that are done. Raises
    RegisterChanged if it is no longer that.
    """
    with database.write() as session:
        if not database.is_sqlite:
            session.execute(_LOCK)
        if _compare(session, customers) != shown:
            raise RegisterChanged("the register has been changed meanwhile")
        _change(session, shown, progress)
        by.record(session, "customers_imported", **shown.counts)


def _compare(session: Session, customers: Sequence[Customer]) -> Changes:
    row = models.Customer
    columns = [getattr(row, field.name) for field in fields(Customer)]
    known = {one[0]: Customer(*one) for one in session.execute(select(*columns))}
    wanted = {customer.customer_number: customer for customer in customers}
    return Changes(
        before=len(known),
        added=tuple(wanted[number] for number in sorted(wanted.keys() - known.keys())),
        changed=tuple(
            (known[number], wanted[number])
            for number in sorted(wanted.keys() & known.keys())
            if known[number] != wanted[number]
        ),
        removed=tuple(known[number] for number in sorted(known.keys() - wanted.keys())),
    )


def _change(session: Session, changes: Changes, progress: Progress) -> None:
    """In parts, so that half a million rows need no memory of their own, in the one transaction of the caller."""
    row, done = models.Customer, 0
    after = tuple(customer for _, customer in changes.changed)
    for kind, customers in (("removed", changes.removed), ("changed", after), ("added", changes.added)):
        for start in range(0, len(customers), _AT_ONCE):
            some = [
                asdict(customer) | {"name_key": company_name_key(customer.company_name)[: models.LONGEST_NAME_KEY]}
                for customer in customers[start : start + _AT_ONCE]
            ]
            if kind == "removed":
                session.execute(delete(row).where(row.customer_number.in_(one["customer_number"] for one in some)))
            else:
                session.execute(update(row) if kind == "changed" else insert(row), some)
            done += len(some)
            progress(done)
