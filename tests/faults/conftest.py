"""A system of its own for what dies: its Valkey can be killed, and its broker is a process that can be, too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.broker import System
from tests.harness.broker_process.process import BrokerProcess
from tests.harness.valkey import Valkey


@pytest.fixture(scope="session")
def valkey() -> Iterator[Valkey]:
    made = Valkey()
    made.start()
    yield made
    made.remove()


@pytest.fixture(scope="session")
def made_system(
    valkey: Valkey, broker_keys: Path, bank_keys: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[System]:
    with System(valkey, broker_keys, bank_keys, tmp_path_factory.mktemp("system")) as made:
        yield made


@pytest.fixture
def system(made_system: System, valkey: Valkey) -> System:
    """Mock banks that remember nothing, right clocks, a Valkey that runs."""
    valkey.start()
    made_system.reset()
    return made_system


@pytest.fixture
def broker(system: System) -> Iterator[BrokerProcess]:
    made = BrokerProcess(system)
    yield made
    made.end()
