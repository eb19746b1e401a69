"""What a person has filled in and not sent yet: sealed, one for each `sub`, found again after a new identification."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import Insert, bindparam, delete
from sqlalchemy.orm import Session

from registration.database.connection import insert
from registration.database.models import Draft
from registration.service import Service

FIELDS = ("company_name", "fo_nummer", "customer_number", "given_name", "family_name", "email", "user_name")
"""What is kept as it was typed. Beside them: the password's (`OF_PASSWORD`), `terms`, `right`, `checked`, `problem`.

Of a person with an account: `page` and what was `typed` there, while they identify again (accounts/fresh.py)."""

_DROPPING = delete(Draft).where(Draft.sub == bindparam("of"))


def load(service: Service, sub: str) -> dict[str, Any]:
    """The draft of a person; empty if there is none, or no longer."""
    with service.database.read() as transaction:
        row = transaction.get(Draft, sub)
    return opened(service, sub, row.sealed, row.expires_at) if row is not None else {}


def opened(service: Service, sub: str, sealed: str, expires_at: int) -> dict[str, Any]:
    """A draft as it stands in the database; empty if it has expired."""
    return (expires_at > service.now and service.keys.unseal(f"draft:{sub}", sealed)) or {}


def save(
    transaction: Session, service: Service, sub: str, draft: Mapping[str, Any], seconds: int | None = None
) -> None:
    """Keep a draft, for as long as the configuration says from now, unless seconds are given."""
    sealed = service.keys.seal(f"draft:{sub}", dict(draft))
    values = {"sealed": sealed, "expires_at": service.now + (seconds or service.settings.rules.draft)}
    connection = transaction.connection()
    connection.execute(_saving(connection.dialect.name), {"sub": sub, **values})


@cache
def _saving(dialect: str) -> Insert:
    insertion = insert(dialect, Draft.__table__)
    kept = {"sealed": insertion.excluded.sealed, "expires_at": insertion.excluded.expires_at}
    return insertion.on_conflict_do_update(index_elements=["sub"], set_=kept)


def drop(transaction: Session, sub: str) -> None:
    """Delete a draft: it has been sent."""
    transaction.connection().execute(_DROPPING, {"of": sub})
