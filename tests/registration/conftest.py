"""What the tests of registration use: a harness for all of them, and a site with a database of its own for each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.broker import System
from tests.harness.registration import TESTISAHKO, Harness, Site, know, open_site


@pytest.fixture(scope="session")
def harness(valkey_url: str, broker_keys: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """Mock banks and a broker."""
    with System(valkey_url, broker_keys, tmp_path_factory.mktemp("harness")) as system:
        yield Harness(system, tmp_path_factory.mktemp("registration"))


@pytest.fixture
def site(harness: Harness, sqlite_url: str) -> Iterator[Site]:
    """Registration on SQLite, with one company in the customer register."""
    yield from _home(harness, sqlite_url)


@pytest.fixture
def site_on_either(harness: Harness, database_url: str) -> Iterator[Site]:
    """Registration on SQLite and on PostgreSQL."""
    yield from _home(harness, database_url)


def _home(harness: Harness, url: str) -> Iterator[Site]:
    harness.system.reset()
    site = open_site(harness, harness.config(url), harness.system.clock)
    know(site, [TESTISAHKO])
    yield site
    site.database.close()
