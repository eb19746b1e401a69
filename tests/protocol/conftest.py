"""The real apps over HTTP: mock banks and brokers on ports of their own, one Valkey, a clock that tests move."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.broker import System


@pytest.fixture(scope="session")
def system(valkey_url: str, broker_keys: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Mock banks and, on demand, brokers."""
    with System(valkey_url, broker_keys, tmp_path_factory.mktemp("system")) as made:
        yield made


@pytest.fixture(autouse=True)
def _fresh(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every test starts with mock banks that remember nothing and clocks that are right."""
    if "system" in request.fixturenames:
        request.getfixturevalue("system").reset()
    return
