"""The first schema. Times are whole seconds since the epoch."""

import sqlalchemy as sa
from alembic import op

from registration.database.columns import account, number, text

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Forwards."""
    op.create_table(
        "account",
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
    )
    op.create_table(
        "attempt",
        text("id", 64, primary_key=True),
        text("browser", 64, index=True),
        text("purpose", 16),
        text("locale", 8),
        text("sealed", None),
        number("claimed_at", null=True),
        text("outcome", None, null=True),
        number("expires_at", index=True),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, nullable=False),
        number("at", index=True),
        text("event", 32),
        text("actor", 128),
        text("subject", 32, null=True, index=True),
        text("fo_nummer", 9, null=True, index=True),
        sa.Column("details", sa.JSON(), nullable=False),
    )
    op.create_table(
        "company",
        text("fo_nummer", 9, primary_key=True),
        text("key", 32, unique=True),
        text("name", 255),
        number("founded_at"),
    )
    op.create_table(
        "customer",
        text("customer_number", 64, primary_key=True),
        text("fo_nummer", 9),
        text("company_name", 255),
    )
    op.create_table("draft", text("sub", 255, primary_key=True), text("sealed", None), number("expires_at", index=True))
    op.create_table(
        "tries",
        text("id", 64, primary_key=True),
        sa.Column("count", sa.Integer(), nullable=False),
        number("until", index=True),
    )
    op.create_table("used_assertion", text("id", 64, primary_key=True), number("expires_at", index=True))
    op.create_table(
        "outbox",
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
    )
    op.create_index("ix_outbox_sent_at_next_try_at", "outbox", ["sent_at", "next_try_at"])
    op.create_table(
        "representation",
        account(primary_key=True),
        text("fo_nummer", 9, sa.ForeignKey("company.fo_nummer"), primary_key=True),
        sa.Column("administrator", sa.Boolean(), nullable=False),
        *(text(section, 8) for section in ("consumption", "contracts", "invoices", "users")),
        number("since"),
        text("given_by", 32),
    )
    op.create_index("ix_representation_fo_nummer", "representation", ["fo_nummer"])
    op.create_table(
        "session",
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
    )
    right = ("account_id", "fo_nummer")
    op.create_table(
        "customer_number",
        *(text(name, length, primary_key=True) for name, length in zip(right, (32, 9), strict=True)),
        text("customer_number", 64, primary_key=True),
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
