"""Cases, which somebody decides; where a customer's letters go, and until when the contract runs."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

OPEN = sa.text("state = 'open'")
COLUMNS = {"email": 254, "postal_address": 255, "contract_ends": 10}


def upgrade() -> None:
    """Forwards."""
    needed = {"kind": 16, "state": 16, "way": 16, "fo_nummer": 9, "company_name": 255, "customer_number": 64}
    op.create_table(
        "service_case",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("account_id", sa.String(32), sa.ForeignKey("account.id", ondelete="CASCADE"), nullable=False),
        *(sa.Column(name, sa.String(length), nullable=False) for name, length in needed.items()),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=True) for name in ("decided_at", "code_made_at")),
        sa.Column("decided_by", sa.String(128), nullable=True),
        sa.Column("reason", sa.String(255), nullable=True),
        sa.Column("code_digest", sa.String(64), nullable=True),
        sa.Column("code_tries", sa.Integer(), nullable=False),
    )
    for columns in (["account_id"], ["fo_nummer"], ["state", "opened_at"]):
        op.create_index("_".join(["ix_service_case", *columns]), "service_case", columns)
    once = ["account_id", "fo_nummer"]
    op.create_index("uq_service_case_open", "service_case", once, unique=True, sqlite_where=OPEN, postgresql_where=OPEN)
    for name, length in COLUMNS.items():
        op.add_column("customer", sa.Column(name, sa.String(length), nullable=True))


def downgrade() -> None:
    """Backwards."""
    for name in COLUMNS:
        op.drop_column("customer", name)
    op.drop_table("service_case")
