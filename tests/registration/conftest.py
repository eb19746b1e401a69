"""What the tests of registration use: a harness for all of them, and a site with a database of its own for each."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from flask import Flask

from tests.harness.broker import StoreServer, System
from tests.harness.registration import TESTISAHKO, Harness, Site, know
from tests.harness.registration_api import ApiHarness, open_harness
from tests.harness.registration_keys import make_keys
from tests.harness.registration_rights import open_app
from tests.harness.schema import Tables
from tunnus_verifier.testing.mint import TokenMint


@pytest.fixture(scope="session")
def harness(
    store_server: StoreServer, broker_keys: Path, bank_keys: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Harness]:
    """Mock banks and a broker."""
    with System(store_server, broker_keys, bank_keys, tmp_path_factory.mktemp("harness")) as system:
        yield Harness(system, tmp_path_factory.mktemp("registration"))


@pytest.fixture(scope="session")
def tables(request: pytest.FixtureRequest, folder_in_memory: Path) -> Iterator[dict[str, Tables]]:
    """Registration's tables on each kind of database, made by the first test that asks for them."""
    kinds = {
        "sqlite": Tables(lambda: f"sqlite:///{tempfile.mkdtemp(dir=folder_in_memory)}/tunnus.sqlite"),
        "postgresql": Tables(lambda: request.getfixturevalue("postgres_server").create_database()),
    }
    yield kinds
    for kind in kinds.values():
        kind.close()


@pytest.fixture
def sqlite_tables(tables: dict[str, Tables]) -> str:
    """The URL of empty tables on SQLite, which other tests use too: for what leaves nothing but rows."""
    return tables["sqlite"].empty()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_tables(request: pytest.FixtureRequest, tables: dict[str, Tables]) -> str:
    """The same; the test runs once on each kind of database."""
    return tables[request.param].empty()


@pytest.fixture
def site(harness: Harness, sqlite_tables: str) -> Site:
    """Registration on SQLite, with one company in the customer register."""
    return _home(harness, sqlite_tables)


@pytest.fixture
def site_on_either(harness: Harness, empty_tables: str) -> Site:
    """Registration on SQLite and on PostgreSQL."""
    return _home(harness, empty_tables)


def _home(harness: Harness, url: str) -> Site:
    harness.system.reset()
    site = harness.site(url)
    know(site, [TESTISAHKO])
    return site


@pytest.fixture(scope="session")
def opened_api(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], ApiHarness]:
    """Registration's API on the tables of a URL: one application for each, made once, whose broker nobody asks."""
    folder = tmp_path_factory.mktemp("api") / "keys"
    make_keys(folder, 0)
    return cache(lambda url: open_harness(url, folder, TokenMint("http://127.0.0.1:9", "registration")))


@pytest.fixture(scope="session")
def opened_app(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Flask]:
    """Registration at a moment that stands, on the tables of a URL: one application for each, made once."""
    folder = tmp_path_factory.mktemp("app")
    return cache(lambda url: open_app(folder, url))


@pytest.fixture
def api_on_sqlite(opened_api: Callable[[str], ApiHarness], sqlite_tables: str) -> ApiHarness:
    """On SQLite only: for what does not depend on the database."""
    return opened_api(sqlite_tables).begin()


@pytest.fixture
def api(opened_api: Callable[[str], ApiHarness], empty_tables: str) -> ApiHarness:
    return opened_api(empty_tables).begin()
