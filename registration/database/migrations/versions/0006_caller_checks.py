"""Who is on the phone: checks that customer service begins and the caller ends."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Forwards."""
    op.create_table(
        "caller_check",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("code", sa.String(64), nullable=True),
        sa.Column("staff", sa.String(128), nullable=False),
        sa.Column("account_id", sa.String(32), sa.ForeignKey("account.id", ondelete="CASCADE"), nullable=True),
        sa.Column("case_id", sa.String(32), nullable=True),
        sa.Column("browser", sa.String(64), nullable=True),
        sa.Column("attempt", sa.String(64), nullable=True),
        sa.Column("identified_at", sa.BigInteger(), nullable=True),
        sa.Column("sealed", sa.Text(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        *(sa.UniqueConstraint(name) for name in ("code", "browser", "attempt")),
    )
    for column in ("account_id", "expires_at"):
        op.create_index(f"ix_caller_check_{column}", "caller_check", [column])


def downgrade() -> None:
    """Backwards; a check under way ends."""
    op.drop_table("caller_check")
