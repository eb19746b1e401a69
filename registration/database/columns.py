"""The columns that migrations make."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa


def text(name: str, length: int | None, *more: Any, null: bool = False, **kinds: Any) -> sa.Column[Any]:
    """length: of characters, None for any."""
    return sa.Column(name, sa.String(length) if length else sa.Text(), *more, nullable=null, **kinds)


def number(name: str, *, null: bool = False, **kinds: Any) -> sa.Column[Any]:
    """A large number: a time, in seconds since the epoch, or a place in a sequence."""
    return sa.Column(name, sa.BigInteger(), nullable=null, **kinds)


def account(**kinds: Any) -> sa.Column[Any]:
    """The account that a row hangs on, and goes with."""
    return text("account_id", 32, sa.ForeignKey("account.id", ondelete="CASCADE"), **kinds)
