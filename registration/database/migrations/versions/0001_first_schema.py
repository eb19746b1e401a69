"""The first schema. Times are whole seconds since the epoch."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def _text(name: str, length: int | None, *more: Any, null: bool = False, **kinds: Any) -> sa.Column[Any]:
    """length: of characters, None for any."""
    return sa.Column(name, sa.String(length) if length else sa.Text(), *more, nullable=null, **kinds)


def _time(name: str, *, null: bool = False, **kinds: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger(), nullable=null, **kinds)


def _account(**kinds: Any) -> sa.Column[Any]:
    """The account that a row hangs on, and goes with."""
    return _text("account_id", 32, sa.ForeignKey("account.id", ondelete="CASCADE"), **kinds)


def upgrade() -> None:
    """Forwards."""
    op.create_table(
        "account",
        _text("id", 32, primary_key=True),
        _text("sub", 255, unique=True),
        _text("user_name", 254),
        _text("user_name_key", 1024, unique=True),
        _text("password_hash", 255),
        _text("given_name", 255),
        _text("family_name", 255),
        _text("email", 254),
        _time("email_confirmed_at", null=True),
        _text("locale", 8),
        _text("terms_version", 64),
        _time("terms_accepted_at"),
        _time("created_at"),
        _time("password_changed_at"),
    )
    op.create_table(
        "attempt",
        _text("id", 64, primary_key=True),
        _text("browser", 64, index=True),
        _text("purpose", 16),
        _text("locale", 8),
        _text("sealed", None),
        _time("claimed_at", null=True),
        _text("outcome", None, null=True),
        _time("expires_at", index=True),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, nullable=False),
        _time("at", index=True),
        _text("event", 32),
        _text("actor", 128),
        _text("subject", 32, null=True, index=True),
        _text("fo_nummer", 9, null=True, index=True),
        sa.Column("details", sa.JSON(), nullable=False),
    )
    op.create_table(
        "company",
        _text("fo_nummer", 9, primary_key=True),
        _text("key", 32, unique=True),
        _text("name", 255),
        _time("founded_at"),
    )
    op.create_table(
        "customer",
        _text("customer_number", 64, primary_key=True),
        _text("fo_nummer", 9),
        _text("company_name", 255),
    )
    op.create_table(
        "draft", _text("sub", 255, primary_key=True), _text("sealed", None), _time("expires_at", index=True)
    )
    op.create_table(
        "tries",
        _text("id", 64, primary_key=True),
        sa.Column("count", sa.Integer(), nullable=False),
        _time("until", index=True),
    )
    op.create_table("used_assertion", _text("id", 64, primary_key=True), _time("expires_at", index=True))
    op.create_table(
        "outbox",
        _text("id", 32, primary_key=True),
        _text("kind", 32),
        _account(index=True),
        _text("address", 254),
        _text("locale", 8),
        sa.Column("words", sa.JSON(), nullable=False),
        _time("created_at"),
        _time("next_try_at"),
        sa.Column("tries", sa.Integer(), nullable=False),
        _time("claimed_until"),
        _time("sent_at", null=True),
    )
    op.create_index("ix_outbox_sent_at_next_try_at", "outbox", ["sent_at", "next_try_at"])
    op.create_table(
        "representation",
        _account(primary_key=True),
        _text("fo_nummer", 9, sa.ForeignKey("company.fo_nummer"), primary_key=True),
        sa.Column("administrator", sa.Boolean(), nullable=False),
        *(_text(section, 8) for section in ("consumption", "contracts", "invoices", "users")),
        _time("since"),
        _text("given_by", 32),
    )
    op.create_index("ix_representation_fo_nummer", "representation", ["fo_nummer"])
    op.create_table(
        "session",
        _text("id", 64, primary_key=True),
        _text("key", 32, unique=True),
        _account(null=True, index=True),
        _text("sub", 255, null=True, index=True),
        _text("sealed", None, null=True),
        _text("browser", 64),
        _time("identified_at", null=True),
        _time("created_at"),
        _time("seen_at"),
        _time("expires_at", index=True),
    )
    right = ("account_id", "fo_nummer")
    op.create_table(
        "customer_number",
        *(_text(name, length, primary_key=True) for name, length in zip(right, (32, 9), strict=True)),
        _text("customer_number", 64, primary_key=True),
        sa.ForeignKeyConstraint(right, [f"representation.{name}" for name in right], ondelete="CASCADE"),
    )


def downgrade() -> None:
    """Backwards; an index goes with its table."""
    for table in (
        "customer_number",
        "session",
        "representation",
        "outbox",
        "used_assertion",
        "tries",
        "draft",
        "customer",
        "company",
        "audit",
        "attempt",
        "account",
    ):
        op.drop_table(table)
