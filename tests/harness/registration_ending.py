"""Rights that end, as tests ask for it: who gives what to whom, what is left, who was told."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from registration.customer_register import Customer, RegisterUnavailable
from registration.database.models import Account, AuditRecord, OutboxEntry
from registration.rights import ending, sharing
from tests.harness.registration_rights import NOW, READER, Harness


class Register:
    """A customer register that knows some numbers, with the last day of their contract; None: it is away."""

    def __init__(self, **numbers: str | None) -> None:
        self.numbers: dict[str, str | None] | None = {name.removeprefix("n"): day for name, day in numbers.items()}
        self.asked: list[str] = []

    def find(self, customer_number: str, fo_nummer: str) -> Customer | None:
        """As customer_register.CustomerRegister."""
        self.asked.append(customer_number)
        if self.numbers is None:
            raise RegisterUnavailable
        if customer_number not in self.numbers:
            return None
        return Customer(customer_number, fo_nummer, "Företag", contract_ends=self.numbers[customer_number])


def share(
    harness: Harness, actor: Account, other: Account, ends_at: int | None = None, now: int = NOW, **levels: str
) -> None:
    """Let another user see the company's data: its consumption, and what levels say."""
    with harness.database.write() as tx:
        sharing.share(tx, actor, harness.key(), other.user_name, other.email, READER | levels, now, ends_at)


def remove(harness: Harness, actor: Account, other: Account, **more: Any) -> list[str]:
    """Take all of a user's rights; the ids of what has ended."""
    with harness.database.write() as tx:
        return ending.remove(tx, actor, harness.key(), other.id, NOW, **more)


def chain(harness: Harness) -> list[Account]:
    """An administrator, an employee, whom the employee has let in, and whom that one has."""
    chief, employee = harness.people("aino", "bertil")
    guest, further = harness.person("cecilia"), harness.person("daniel")
    share(harness, employee, guest)
    share(harness, guest, further)
    return [chief, employee, guest, further]


def held_by(harness: Harness, *people: Account) -> list[str | None]:
    """Who has given each of these people their right; None for those without one."""
    return [right.given_by if (right := harness.right(person)) else None for person in people]


def records(harness: Harness, event: str) -> list[AuditRecord]:
    """What stands in the audit trail of an event."""
    with harness.database.read() as tx:
        return list(tx.scalars(select(AuditRecord).where(AuditRecord.event == event).order_by(AuditRecord.id)))


def mails(harness: Harness, kind: str) -> list[OutboxEntry]:
    """The e-mails of a kind that wait."""
    with harness.database.read() as tx:
        return list(tx.scalars(select(OutboxEntry).where(OutboxEntry.kind == kind)))
