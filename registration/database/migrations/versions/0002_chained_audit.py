"""The audit trail is chained, what is there already too; checkpoints stand for what is pruned.

PostgreSQL keeps writers away from the first change of the table to the end, so no record comes between.
"""

import hashlib
import json

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

AUDIT = sa.table(
    "audit",
    *(sa.column(name) for name in ("id", "at", "event", "actor", "subject", "fo_nummer", "seq", "hash")),
    sa.column("details", sa.JSON()),
)
MANY = 1000


def upgrade() -> None:
    """Forwards."""
    op.add_column("audit", sa.Column("seq", sa.BigInteger(), nullable=True))
    op.add_column("audit", sa.Column("hash", sa.String(64), nullable=True))
    op.create_table(
        "audit_checkpoint",
        sa.Column("seq", sa.BigInteger(), primary_key=True, autoincrement=False, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
    )
    _chain(op.get_bind())
    op.create_index("ix_audit_seq", "audit", ["seq"], unique=True)


def _chain(connection: sa.Connection) -> None:
    """As registration.audit.chain did when this was written."""
    seq, previous, id = 0, "0" * 64, -1
    change = (
        AUDIT.update()
        .where(AUDIT.c.id == sa.bindparam("of"))
        .values(seq=sa.bindparam("number"), hash=sa.bindparam("made"))
    )
    while rows := connection.execute(sa.select(AUDIT).where(AUDIT.c.id > id).order_by(AUDIT.c.id).limit(MANY)).all():
        changes = []
        for row in rows:
            seq, id = seq + 1, row.id
            told = [previous, seq, row.at, row.event, row.actor, row.subject, row.fo_nummer, row.details]
            whole = json.dumps(told, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
            previous = hashlib.sha256(whole.encode()).hexdigest()
            changes.append({"of": id, "number": seq, "made": previous})
        connection.execute(change, changes)


def downgrade() -> None:
    """Backwards; what was pruned stays away."""
    op.drop_table("audit_checkpoint")
    op.drop_index("ix_audit_seq", "audit")
    op.drop_column("audit", "hash")
    op.drop_column("audit", "seq")
