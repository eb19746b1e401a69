"""On PostgreSQL the service's role may append to the audit trail and read it; nothing that is there can it change."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import tomli_w
from click.testing import CliRunner, Result
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import ProgrammingError

from registration import audit
from registration.cli import main
from registration.database.connection import Database
from registration.database.models import AuditRecord, Base
from registration.tidy import tidy
from tests.harness.registration import TESTISAHKO, Harness, know, open_site
from tests.harness.registration_rights import config

pytestmark = pytest.mark.smoke

WHY = ("--operator", "maija", "--reason", "retention")


@dataclass
class Roles:
    """A migrated database, and its two users' configurations."""

    owner: Path
    service: Path
    service_url: str
    role: str

    def run(self, file: Path, *arguments: str) -> Result:
        return CliRunner().invoke(main, [*arguments, "--config", str(file)])


@pytest.fixture
def roles(postgres_url: str, tmp_path: Path) -> Iterator[Roles]:
    role, password = f"tunnus_test_{secrets.token_hex(6)}", secrets.token_hex(8)
    engine = create_engine(postgres_url)
    with engine.begin() as connection:
        connection.execute(text(f"CREATE ROLE {role} LOGIN PASSWORD '{password}'"))
    service_url = make_url(postgres_url).set(username=role, password=password).render_as_string(hide_password=False)
    files = []
    for name, url in (("owner", postgres_url), ("service", service_url)):
        file = tmp_path / f"{name}.toml"
        file.write_text(tomli_w.dumps(config(tmp_path, url)))
        files.append(file)
    made = Roles(*files, service_url, role)
    done = made.run(made.owner, "migrate", "--app-role", role)
    assert done.exit_code == 0, done.output
    yield made
    with engine.begin() as connection:
        connection.execute(text(f"DROP OWNED BY {role}"))
        connection.execute(text(f"DROP ROLE {role}"))
    engine.dispose()


def test_a_person_registers_and_everything_else_goes_on_under_the_services_role(roles: Roles, harness: Harness) -> None:
    harness.system.reset()
    site = open_site(harness, harness.config(roles.service_url), harness.system.clock)
    know(site, [TESTISAHKO])
    site.registrant().register("nordea", TESTISAHKO, "person", "person@example.com")
    assert "registered" in [record.event for record in site.rows(AuditRecord)]
    tidy(site.service)
    site.database.close()
    assert roles.run(roles.service, "audit", "verify").exit_code == 0
    done = roles.run(roles.service, "forget", "person", "--leave-without-administrator", "--yes", *WHY)
    assert done.exit_code == 0, done.output
    assert roles.run(roles.service, "audit", "find", "maija").exit_code == 0


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET actor = 'x'",
        "UPDATE audit SET hash = NULL, seq = NULL",
        "DELETE FROM audit",
        "TRUNCATE audit",
        "DROP TABLE audit",
        "ALTER TABLE audit DISABLE TRIGGER ALL",
        "GRANT ALL ON audit TO CURRENT_USER",
        "INSERT INTO audit_checkpoint (seq, hash, at, statement) VALUES (1, '', 1, '')",
        "DELETE FROM audit_checkpoint",
        "UPDATE alembic_version SET version_num = '0001'",
    ],
)
def test_what_is_there_cannot_be_changed_by_it(roles: Roles, statement: str) -> None:
    engine = create_engine(roles.service_url)
    insert = "INSERT INTO audit (at, event, actor, details) VALUES (1, 'signed_in', 'nobody', '{}')"
    with engine.begin() as connection:
        connection.execute(text(insert))
    with engine.connect() as connection:
        if statement.startswith("GRANT"):  # PostgreSQL only warns of what one may not give
            connection.execute(text(statement))
            statement = "DELETE FROM audit"
        with pytest.raises(ProgrammingError) as refused:
            connection.execute(text(statement))
        assert isinstance(refused.value.orig, InsufficientPrivilege)
    engine.dispose()


def test_it_may_not_prune_and_the_owner_may(roles: Roles) -> None:
    database = Database(roles.service_url)
    with database.write() as tx:
        audit.record(tx, "signed_in", now=1, actor="nobody")
    database.close()
    arguments = ("audit", "prune", "--older-than", "400d", *WHY)
    done = roles.run(roles.service, *arguments)
    assert (done.exit_code, "this role may not prune" in done.stderr) == (1, True)
    assert roles.run(roles.owner, *arguments).output == "1 records were removed\n"
    assert roles.run(roles.service, "audit", "verify").output == "1 records, 1 pruned, 0 findings\n"


def test_check_warns_of_a_role_that_could(roles: Roles) -> None:
    done = roles.run(roles.service, "check")
    assert (done.exit_code, done.output) == (0, "all is well\n")
    done = roles.run(roles.owner, "check")
    assert done.exit_code == 0
    assert "could change the audit trail (UPDATE, DELETE, TRUNCATE, ownership)" in done.output


@pytest.mark.parametrize("right", ["UPDATE", "DELETE", "TRUNCATE"])
def test_check_warns_of_each_right(roles: Roles, right: str, postgres_url: str) -> None:
    engine = create_engine(postgres_url)
    with engine.begin() as connection:
        connection.execute(text(f"GRANT {right} ON audit TO {roles.role}"))
    engine.dispose()
    assert f"could change the audit trail ({right})" in roles.run(roles.service, "check").output
    assert roles.run(roles.owner, "migrate", "--app-role", roles.role).exit_code == 0
    assert roles.run(roles.service, "check").output == "all is well\n"


def test_every_table_of_ours_can_be_used(roles: Roles) -> None:
    engine = create_engine(roles.service_url)
    with engine.connect() as connection:
        for table in Base.metadata.sorted_tables:
            connection.execute(table.select())
    engine.dispose()


def test_a_role_that_there_is_not_is_told(roles: Roles) -> None:
    done = roles.run(roles.owner, "migrate", "--app-role", "nobody-of-that-name")
    assert (done.exit_code, "there is no role nobody-of-that-name" in done.stderr) == (1, True)


def test_sqlite_has_no_roles(tmp_path: Path, sqlite_url: str) -> None:
    file = tmp_path / "registration.toml"
    file.write_text(tomli_w.dumps(config(tmp_path, sqlite_url)))
    done = CliRunner().invoke(main, ["migrate", "--app-role", "x", "--config", str(file)])
    assert (done.exit_code, "SQLite has no roles" in done.stderr) == (1, True)
