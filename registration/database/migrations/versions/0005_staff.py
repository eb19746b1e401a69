"""What staff search by, what they have asked for, and how far webhooks have been told."""

from collections.abc import Callable

import sqlalchemy as sa
from alembic import op

from registration.accounts.names import company_name_key
from registration.database.models import LONGEST_NAME_KEY, person_name_key

revision = "0005"
down_revision = "0003"

LONGEST = {"name_key": LONGEST_NAME_KEY, "email_key": 254}
FOLDED = (
    ("account", "id", "name_key", ("given_name", "family_name"), person_name_key),
    ("account", "id", "email_key", ("email",), str.casefold),
    ("company", "fo_nummer", "name_key", ("name",), company_name_key),
    ("customer", "customer_number", "name_key", ("company_name",), company_name_key),
)
INDEXES = (
    ("ix_customer_number_fo_nummer", "customer_number", ["fo_nummer", "customer_number"]),
    ("ix_customer_number_customer_number", "customer_number", ["customer_number", "fo_nummer"]),
    ("ix_customer_fo_nummer", "customer", ["fo_nummer"]),
    ("ix_audit_actor", "audit", ["actor", "seq"]),
)
WIDER = (
    ("ix_representation_fo_nummer", "representation", ["fo_nummer", "administrator", "account_id"]),
    ("ix_audit_subject", "audit", ["subject", "seq"]),
    ("ix_audit_fo_nummer", "audit", ["fo_nummer", "seq"]),
)
MANY = 1000


def _text(name: str, length: int, *more: sa.ForeignKey, null: bool = False) -> "sa.Column[str]":
    return sa.Column(name, sa.String(length), *more, nullable=null)


def _number(name: str, *, null: bool = False) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger(), nullable=null)


def upgrade() -> None:
    """Forwards."""
    for table, key, made, names, fold in FOLDED:
        of_database = "C" if made == "name_key" and op.get_bind().dialect.name != "sqlite" else None
        kind = sa.String(LONGEST[made], collation=of_database)
        op.add_column(table, sa.Column(made, kind, nullable=False, server_default=""))
        _fill(sa.table(table, *map(sa.column, (key, made, *names))), key, made, names, fold)
        op.create_index(f"ix_{table}_{made}", table, [made])
    for name, table, columns in INDEXES:
        op.create_index(name, table, columns)
    for name, table, columns in WIDER:
        op.drop_index(name, table)
        op.create_index(name, table, columns)
    op.create_table(
        "staff_act",
        _text("id", 32),
        sa.Column("asked", sa.JSON(), nullable=False),
        _text("account_id", 32, sa.ForeignKey("account.id", ondelete="CASCADE")),
        _text("fo_nummer", 9, null=True),
        _text("asked_by", 128),
        _number("asked_at"),
        _text("state", 8),
        _text("decided_by", 128, null=True),
        _number("decided_at", null=True),
        _number("expires_at"),
        sa.PrimaryKeyConstraint("id"),
    )
    for column in ("account_id", "state", "expires_at"):
        op.create_index(f"ix_staff_act_{column}", "staff_act", [column])
    numbers = map(_number, ("seq", "next_try_at", "claimed_until"))
    tries = sa.Column("tries", sa.Integer(), nullable=False)
    op.create_table("webhook", _text("name", 64), *numbers, tries, sa.PrimaryKeyConstraint("name"))


def _fill(table: sa.TableClause, key: str, made: str, names: tuple[str, ...], fold: Callable[..., str]) -> None:
    """As the models do for a new row."""
    connection, last = op.get_bind(), ""
    by_key = table.c[key]
    some = sa.select(by_key, *(table.c[name] for name in names)).order_by(by_key).limit(MANY)
    while rows := connection.execute(some.where(by_key > last)).all():
        changes = [{"of": id, "made": fold(*told)[: LONGEST[made]]} for id, *told in rows]
        change = sa.update(table).where(by_key == sa.bindparam("of")).values({made: sa.bindparam("made")})
        connection.execute(change, changes)
        last = rows[-1][0]


def downgrade() -> None:
    """Backwards."""
    op.drop_table("webhook")
    op.drop_table("staff_act")
    for name, table, columns in WIDER:
        op.drop_index(name, table)
        op.create_index(name, table, columns[:1])
    for name, table, _ in INDEXES:
        op.drop_index(name, table)
    for table, _, made, *_ in FOLDED:
        op.drop_index(f"ix_{table}_{made}", table)
        op.drop_column(table, made)
