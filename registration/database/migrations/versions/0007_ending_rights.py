"""Rights end with their reason: by a date, with a customer number, and what is asked of administrators each year."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

COLUMNS = {"company": ("reviewed_at", "review_asked_at"), "representation": ("ends_at",)}


def upgrade() -> None:
    """Forwards."""
    for table, names in COLUMNS.items():
        for name in names:
            op.add_column(table, sa.Column(name, sa.BigInteger(), nullable=True))
    op.create_index("ix_representation_ends_at", "representation", ["ends_at"])
    op.create_table(
        "number_status",
        sa.Column("fo_nummer", sa.String(9), primary_key=True),
        sa.Column("customer_number", sa.String(64), primary_key=True),
        sa.Column("checked_at", sa.BigInteger(), nullable=False),
        sa.Column("known", sa.Boolean(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=True),
        sa.Column("suspended_at", sa.BigInteger(), nullable=True),
    )
    op.create_index("ix_number_status_checked_at", "number_status", ["checked_at"])
    op.execute(
        "INSERT INTO number_status (fo_nummer, customer_number, checked_at, known) "
        "SELECT DISTINCT fo_nummer, customer_number, 0, false FROM customer_number"
    )


def downgrade() -> None:
    """Backwards."""
    op.drop_table("number_status")
    op.drop_index("ix_representation_ends_at", "representation")
    for table, names in COLUMNS.items():
        for name in names:
            op.drop_column(table, name)
