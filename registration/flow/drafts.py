"""What a person has filled in and not sent yet: sealed, one for each `sub`, found again after a new identification."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from registration.database.connection import insert
from registration.database.models import Draft
from registration.service import Service

FIELDS = ("company_name", "fo_nummer", "customer_number", "given_name", "family_name", "email", "user_name")
"""What is kept as it was typed. Beside them: the password's (`OF_PASSWORD`), `terms`, `right`, `checked`, `problem`.

Of a person with an account: `page` and what was `typed` there, while they identify again (accounts/fresh.py)."""


def load(service: Service, sub: str) -> dict[str, Any]:
    """The draft of a person; empty if there is none, or no longer."""
    with service.database.read() as transaction:
        row = transaction.get(Draft, sub)
    if row is None or row.expires_at <= service.now:
        return {}
    return service.keys.unseal(f"draft:{sub}", row.sealed) or {}


def save(service: Service, sub: str, draft: Mapping[str, Any], seconds: int | None = None) -> None:
    """Keep a draft, for as long as the configuration says from now, unless seconds are given."""
    sealed = service.keys.seal(f"draft:{sub}", dict(draft))
    with service.database.write() as transaction:
        values = {"sealed": sealed, "expires_at": service.now + (seconds or service.settings.rules.draft)}
        statement = insert(transaction, Draft).values(sub=sub, **values)
        transaction.execute(statement.on_conflict_do_update(index_elements=["sub"], set_=values))


def drop(transaction: Session, sub: str) -> None:
    """Delete a draft: it has been sent."""
    transaction.execute(delete(Draft).where(Draft.sub == sub))
