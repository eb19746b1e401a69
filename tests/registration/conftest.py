"""What the tests of registration use: a house for all of them, and a home with a database of its own for each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from estate import TESTISAHKO, Home, House, know, open_home
from stage import Stage


@pytest.fixture(scope="session")
def house(valkey_url: str, broker_keys: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Mock banks and a broker."""
    with Stage(valkey_url, broker_keys, tmp_path_factory.mktemp("house")) as stage:
        yield House(stage, tmp_path_factory.mktemp("registration"))


@pytest.fixture
def home(house: House, sqlite_url: str) -> Iterator[Home]:
    """Registration on SQLite, with one company in the customer register."""
    yield from _home(house, sqlite_url)


@pytest.fixture
def home_on_either(house: House, database_url: str) -> Iterator[Home]:
    """Registration on SQLite and on PostgreSQL."""
    yield from _home(house, database_url)


def _home(house: House, url: str) -> Iterator[Home]:
    house.stage.reset()
    home = open_home(house, house.config(url), house.stage.clock)
    know(home, [TESTISAHKO])
    yield home
    home.database.close()
