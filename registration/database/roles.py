"""What the service's role may do on PostgreSQL: all that it needs, and to the audit trail nothing but append and read.

The tables belong to another role, which migrates and prunes: an owner can give itself any right.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

from registration.database.models import AuditCheckpoint, AuditRecord, Base

RIGHTS = {AuditRecord.__tablename__: "SELECT, INSERT", AuditCheckpoint.__tablename__: "SELECT"}
"""Of the service's role, by table; on every other table of ours it may change rows too."""
_ROWS = "SELECT, INSERT, UPDATE, DELETE"
_MIGRATIONS = "alembic_version"


class NoSuchRole(Exception):
    """There is none of that name, or the database knows no roles. The message says which, and the mend."""


def grant(connection: Connection, role: str) -> None:
    """Give a role what the service needs on every table of this schema, and take the rest from it. Raises NoSuchRole.

    To be done again after each migration, as new tables have no rights.
    """
    if connection.dialect.name != "postgresql":
        raise NoSuchRole("SQLite has no roles: whoever may write its file may change the trail; leave --app-role out")
    if not connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role}):
        raise NoSuchRole(f"there is no role {role}: CREATE ROLE {role} LOGIN PASSWORD '…'")
    quote = connection.dialect.identifier_preparer.quote
    name, schema = quote(role), quote(str(connection.scalar(text("SELECT current_schema()"))))
    connection.execute(text(f"GRANT USAGE ON SCHEMA {schema} TO {name}"))
    for table in Base.metadata.sorted_tables:
        connection.execute(text(f"REVOKE ALL ON {quote(table.name)} FROM {name}"))
        connection.execute(text(f"GRANT {RIGHTS.get(table.name, _ROWS)} ON {quote(table.name)} TO {name}"))
    connection.execute(text(f"GRANT SELECT ON {_MIGRATIONS} TO {name}"))
    connection.execute(text(f"GRANT USAGE ON SEQUENCE {quote(AuditRecord.__tablename__ + '_id_seq')} TO {name}"))


def powers_over_the_trail(connection: Connection) -> list[str]:
    """What the role of a connection could do to records that are there: UPDATE, DELETE, TRUNCATE, ownership.

    Empty is as it should be; of SQLite, whose file has no roles, nothing is said.
    """
    if connection.dialect.name != "postgresql":
        return []
    audit = {"audit": AuditRecord.__tablename__}
    may = text("SELECT has_table_privilege(current_user, :audit, :right)")
    found = [right for right in ("UPDATE", "DELETE", "TRUNCATE") if connection.scalar(may, audit | {"right": right})]
    owns = text(
        "SELECT pg_has_role(current_user, relowner, 'USAGE') FROM pg_class WHERE oid = CAST(:audit AS regclass)"
    )
    return [*found, "ownership"] if connection.scalar(owns, audit) else found
