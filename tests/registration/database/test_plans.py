"""No statement of a page goes through a whole table: what 100,000 accounts cost is what one costs.

Seen in the plans. SQLite's do not depend on how much there is. PostgreSQL's do; so it may not read a whole table here,
nor join by anything but a look into an index, and whatever it does so all the same it has no index for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Row, event

from registration.database.connection import Database
from registration.database.models import Base
from tests.harness.registration import TESTISAHKO, Site, to_form
from tests.harness.registration_rights import Browser, Harness, open_app, open_harness, sign_in

READS = ("SELECT", "UPDATE", "DELETE")
SCAN = re.compile(rf"SCAN ({'|'.join(Base.metadata.tables)})\b")
INDEXES = """
SELECT name.relname AS name, i.indrelid::regclass::text AS table, first.attname AS first FROM pg_index i
JOIN pg_class name ON name.oid = i.indexrelid
JOIN pg_attribute first ON first.attrelid = i.indexrelid AND first.attnum = 1
"""
"""Of PostgreSQL, with table and first column."""
NO_STATISTICS = (
    "UPDATE pg_class SET reltuples = -1, relpages = 0 WHERE relnamespace = 'public'::regnamespace",
    "DELETE FROM pg_statistic USING pg_class c WHERE c.oid = starelid AND c.relnamespace = 'public'::regnamespace",
)
"""Taken back at the end: what PostgreSQL has seen by itself of tables that are empty, or were, plans for that."""
PEOPLE = ("aino", "bertil", "cecilia")


@pytest.fixture
def rights_harness(empty_tables: str) -> Iterator[Harness]:
    harness = open_harness(empty_tables)
    yield harness
    harness.database.close()


def goes_through(step: str, statement: str) -> bool:
    """Whether a step of a plan goes through a table; the first row by an index is one."""
    return bool(SCAN.match(step)) and not ("USING INDEX" in step and "LIMIT" in statement)


def steps_of(connection: Connection, statement: str, parameters: Any) -> list[str]:
    """The plan's steps, as SQLite tells them."""
    if connection.dialect.name == "sqlite":
        return [step for *_, step in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
    for kind in ("seqscan", "hashjoin", "mergejoin"):
        connection.exec_driver_sql(f"SET enable_{kind} = off")
    ((plan,),) = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters)
    return list(told_as_sqlite(plan[0]["Plan"], connection.exec_driver_sql(INDEXES).all()))


def told_as_sqlite(node: dict[str, Any], indexes: Sequence[Row[Any]]) -> Iterator[str]:
    """A plan of PostgreSQL: an index is read from end to end where no condition is on the first column of any.

    Which one it takes of two that fit depends on how much there is, and there is nothing here.
    """
    if node["Node Type"] == "Seq Scan":
        yield f"SCAN {node['Relation Name']}"
    if "Index Name" in node:
        table = next(row.table for row in indexes if row.name == node["Index Name"])
        condition = f"{node.get('Index Cond', '')} {node.get('Filter', '')}"
        first = "|".join(row.first for row in indexes if row.table == table)
        if not re.search(rf"\b({first})\b", condition):
            yield f"SCAN {table}" + ("" if "Index Cond" in node else " USING INDEX")
    for below in node.get("Plans", ()):
        yield from told_as_sqlite(below, indexes)


@contextmanager
def scans(database: Database) -> Iterator[list[str]]:
    """Which statements go through a table, and which table: known at the end of the block."""
    asked: dict[str, Any] = {}

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        asked.setdefault(statement, parameters[0] if many else parameters)

    event.listen(database.engine, "before_cursor_execute", note)
    found: list[str] = []
    try:
        yield found
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
    with database.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            for statement in NO_STATISTICS:
                connection.exec_driver_sql(statement)
        for statement, parameters in asked.items():
            if statement.startswith(READS):
                steps = steps_of(connection, statement, parameters)
                found += [f"{step}: {statement}" for step in steps if goes_through(step, statement)]
    assert asked


def entered(harness: Harness, folder: Path) -> tuple[Browser, Database]:
    """An administrator's browser, and the database of the application behind it."""
    app = open_app(folder, harness.database.engine.url.render_as_string(hide_password=False))
    return sign_in(harness, app, harness.people(*PEOPLE)[0]), app.extensions["registration"].database


def test_the_pages_of_rights_go_through_no_table(rights_harness: Harness, tmp_path: Path) -> None:
    browser, database = entered(rights_harness, tmp_path)
    users = f"/companies/{rights_harness.key()}/users"
    with scans(database) as found:
        pages = ("/rights", users, f"/companies/{rights_harness.key()}/share", "/sessions")
        assert [browser.get(path).status_code for path in pages] == [200] * len(pages)
    assert found == []
    database.close()


def test_a_registration_and_a_sign_in_go_through_no_table(site_on_either: Site) -> None:
    site = site_on_either
    with scans(site.service.database) as found:
        person = site.registrant()
        person.expect(
            "/done", person.post("/review", person.expect("/review", person.fill(to_form(person), TESTISAHKO)))
        )
        assert person.get("/rights").path == "/rights"
    assert found == []


def test_a_table_without_an_index_is_seen(rights_harness: Harness, tmp_path: Path) -> None:
    browser, database = entered(rights_harness, tmp_path)
    try:
        with database.engine.begin() as connection:
            connection.exec_driver_sql("DROP INDEX ix_representation_fo_nummer")
        with scans(database) as found:
            browser.get(f"/companies/{rights_harness.key()}/users")
    finally:
        with database.engine.begin() as connection:
            connection.exec_driver_sql("CREATE INDEX ix_representation_fo_nummer ON representation (fo_nummer)")
        database.close()
    assert any(line.startswith("SCAN representation") for line in found)
