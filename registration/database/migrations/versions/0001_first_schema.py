"""The first schema. Times are whole seconds since the epoch."""

import sqlalchemy as sa
from alembic import op

from registration.database.columns import account, number, text

revision = "0001"
down_revision = None


def tables() -> dict[str, tuple[sa.schema.SchemaItem, ...]]:
    """What each is made of; a row's owner stands before it."""
    right = ("account_id", "fo_nummer")
    return {
        "account": (
            text("id", 32, primary_key=True),
            text("sub", 255, unique=True),
            text("user_name", 254),
            text("user_name_key", 1024, unique=True),
            text("password_hash", 255),
            text("given_name", 255),
            text("family_name", 255),
            text("email", 254),
            number("email_confirmed_at", null=True),
            text("locale", 8),
            text("terms_version", 64),
            number("terms_accepted_at"),
            number("created_at"),
            number("password_changed_at"),
        ),
        "attempt": (
            text("id", 64, primary_key=True),
            text("browser", 64, index=True),
            text("purpose", 16),
            text("locale", 8),
            text("sealed", None),
            number("claimed_at", null=True),
            text("outcome", None, null=True),
            number("expires_at", index=True),
        ),
        "audit": (
            sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, nullable=False),
            number("at", index=True),
            text("event", 32),
            text("actor", 128),
            text("subject", 32, null=True, index=True),
            text("fo_nummer", 9, null=True, index=True),
            sa.Column("details", sa.JSON(), nullable=False),
        ),
        "company": (
            text("fo_nummer", 9, primary_key=True),
            text("key", 32, unique=True),
            text("name", 255),
            number("founded_at"),
        ),
        "customer": (
            text("customer_number", 64, primary_key=True),
            text("fo_nummer", 9),
            text("company_name", 255),
        ),
        "draft": (text("sub", 255, primary_key=True), text("sealed", None), number("expires_at", index=True)),
        "tries": (
            text("id", 64, primary_key=True),
            sa.Column("count", sa.Integer(), nullable=False),
            number("until", index=True),
        ),
        "used_assertion": (text("id", 64, primary_key=True), number("expires_at", index=True)),
        "outbox": (
            text("id", 32, primary_key=True),
            text("kind", 32),
            account(index=True),
            text("address", 254),
            text("locale", 8),
            sa.Column("words", sa.JSON(), nullable=False),
            number("created_at"),
            number("next_try_at"),
            sa.Column("tries", sa.Integer(), nullable=False),
            number("claimed_until"),
            number("sent_at", null=True),
            sa.Index("ix_outbox_sent_at_next_try_at", "sent_at", "next_try_at"),
        ),
        "representation": (
            account(primary_key=True),
            text("fo_nummer", 9, sa.ForeignKey("company.fo_nummer"), primary_key=True),
            sa.Column("administrator", sa.Boolean(), nullable=False),
            *(text(section, 8) for section in ("consumption", "contracts", "invoices", "users")),
            number("since"),
            text("given_by", 32),
            sa.Index("ix_representation_fo_nummer", "fo_nummer"),
        ),
        "session": (
            text("id", 64, primary_key=True),
            text("key", 32, unique=True),
            account(null=True, index=True),
            text("sub", 255, null=True, index=True),
            text("sealed", None, null=True),
            text("browser", 64),
            number("identified_at", null=True),
            number("created_at"),
            number("seen_at"),
            number("expires_at", index=True),
        ),
        "customer_number": (
            *(text(name, length, primary_key=True) for name, length in zip(right, (32, 9), strict=True)),
            text("customer_number", 64, primary_key=True),
            sa.ForeignKeyConstraint(right, [f"representation.{name}" for name in right], ondelete="CASCADE"),
        ),
    }


def upgrade() -> None:
    """Forwards."""
    for name, made_of in tables().items():
        op.create_table(name, *made_of)


def downgrade() -> None:
    """Backwards; an index goes with its table."""
    for name in reversed(tables()):
        op.drop_table(name)
