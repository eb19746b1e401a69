"""Rights that end and cases that are decided; what staff search by and ask for; callers; webhooks."""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from alembic import op

from registration.accounts.names import company_name_key
from registration.database.columns import account, number, text
from registration.database.models import LONGEST_NAME_KEY, person_name_key

revision = "0003"
down_revision = "0002"

ADDED: dict[str, dict[str, sa.types.TypeEngine[Any]]] = {
    "company": {"reviewed_at": sa.BigInteger(), "review_asked_at": sa.BigInteger()},
    "customer": {"email": sa.String(254), "postal_address": sa.String(255), "contract_ends": sa.String(10)},
    "customer_number": {"share_id": sa.String(32)},
    "representation": {"ends_at": sa.BigInteger(), "reviewed_at": sa.BigInteger()},
}
LONGEST = {"name_key": LONGEST_NAME_KEY, "email_key": 254}
FOLDED = (
    ("account", "id", "name_key", ("given_name", "family_name"), person_name_key),
    ("account", "id", "email_key", ("email",), str.casefold),
    ("company", "fo_nummer", "name_key", ("name",), company_name_key),
    ("customer", "customer_number", "name_key", ("company_name",), company_name_key),
)
WIDER = (
    ("ix_representation_fo_nummer", "representation", ["fo_nummer", "administrator", "account_id"]),
    ("ix_audit_subject", "audit", ["subject", "seq"]),
    ("ix_audit_fo_nummer", "audit", ["fo_nummer", "seq"]),
)
"""Indexes of their first column until now."""
INDEXES = (
    ("ix_customer_number_fo_nummer", "customer_number", ["fo_nummer", "customer_number"]),
    ("ix_customer_number_customer_number", "customer_number", ["customer_number", "fo_nummer"]),
    ("ix_customer_fo_nummer", "customer", ["fo_nummer"]),
    ("ix_audit_actor", "audit", ["actor", "seq"]),
    ("ix_representation_ends_at", "representation", ["ends_at"]),
)
OPEN = sa.text("state = 'open'")
MANY = 1000


def upgrade() -> None:
    """Forwards."""
    for table, added in ADDED.items():
        for name, kind in added.items():
            op.add_column(table, sa.Column(name, kind, nullable=True))
    for table, key, made, names, fold in FOLDED:
        of_database = "C" if made == "name_key" and op.get_bind().dialect.name != "sqlite" else None
        kind = sa.String(LONGEST[made], collation=of_database)
        op.add_column(table, sa.Column(made, kind, nullable=False, server_default=""))
        _fill(sa.table(table, *map(sa.column, (key, made, *names))), key, made, names, fold)
        op.create_index(f"ix_{table}_{made}", table, [made])
    for name, table, _ in WIDER:
        op.drop_index(name, table)
    for name, table, columns in (*WIDER, *INDEXES):
        op.create_index(name, table, columns)
    for name, made_of in tables().items():
        op.create_table(name, *made_of)
    op.execute(
        "INSERT INTO number_status (fo_nummer, customer_number, checked_at, known) "
        "SELECT DISTINCT fo_nummer, customer_number, 0, false FROM customer_number"
    )


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


def tables() -> dict[str, tuple[sa.schema.SchemaItem, ...]]:
    """What the new ones are made of."""
    needed = {"kind": 16, "state": 16, "way": 16, "fo_nummer": 9, "company_name": 255, "customer_number": 64}
    decided = {"decided_by": 128, "reason": 255, "code_digest": 64}
    once = ("account_id", "fo_nummer")
    return {
        "service_case": (
            text("id", 32, primary_key=True),
            account(index=True),
            *(text(name, length) for name, length in needed.items()),
            number("opened_at"),
            *(number(name, null=True) for name in ("decided_at", "code_made_at")),
            *(text(name, length, null=True) for name, length in decided.items()),
            sa.Column("code_tries", sa.Integer(), nullable=False),
            sa.Index("ix_service_case_fo_nummer", "fo_nummer"),
            sa.Index("ix_service_case_state_opened_at", "state", "opened_at"),
            sa.Index("uq_service_case_open", *once, unique=True, sqlite_where=OPEN, postgresql_where=OPEN),
        ),
        "staff_act": (
            text("id", 32, primary_key=True),
            sa.Column("asked", sa.JSON(), nullable=False),
            account(index=True),
            text("fo_nummer", 9, null=True),
            text("asked_by", 128),
            number("asked_at"),
            text("state", 8, index=True),
            text("decided_by", 128, null=True),
            number("decided_at", null=True),
            number("expires_at", index=True),
        ),
        "webhook": (
            text("name", 64, primary_key=True),
            *map(number, ("seq", "next_try_at", "claimed_until")),
            sa.Column("tries", sa.Integer(), nullable=False),
        ),
        "caller_check": (
            text("id", 32, primary_key=True),
            text("staff", 128),
            account(null=True, index=True),
            text("case_id", 32, null=True),
            *(text(name, 64, null=True, unique=True) for name in ("code", "browser", "attempt")),
            number("identified_at", null=True),
            text("sealed", None, null=True),
            sa.Column("tries", sa.Integer(), nullable=False),
            number("expires_at", index=True),
        ),
        "share": (
            text("id", 32, primary_key=True),
            *(text(name, length) for name, length in zip(once, (32, 9), strict=True)),
            *(text(section, 8) for section in ("consumption", "contracts", "invoices", "users")),
            number("since"),
            text("given_by", 32, index=True),
            number("ends_at", null=True, index=True),
            sa.ForeignKeyConstraint(once, [f"representation.{name}" for name in once], ondelete="CASCADE"),
            sa.Index("ix_share_account_id", *once),
        ),
        "number_status": (
            text("fo_nummer", 9, primary_key=True),
            text("customer_number", 64, primary_key=True),
            number("checked_at", index=True),
            sa.Column("known", sa.Boolean(), nullable=False),
            *(number(name, null=True) for name in ("ends_at", "suspended_at")),
        ),
    }


def downgrade() -> None:
    """Backwards: what is under way ends."""
    for table in tables():
        op.drop_table(table)
    for name, table, _ in (*WIDER, *INDEXES):
        op.drop_index(name, table)
    for name, table, columns in WIDER:
        op.create_index(name, table, columns[:1])
    for table, _, made, *_ in FOLDED:
        op.drop_index(f"ix_{table}_{made}", table)
        op.drop_column(table, made)
    for table, added in ADDED.items():
        for name in added:
            op.drop_column(table, name)
