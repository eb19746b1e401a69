"""A stage of its own for what dies: its Valkey can be killed, and its broker is a process that can be, too."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "protocol"))

from mortal import BrokerProcess, Valkey
from stage import Stage


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    made = Valkey(tmp_path_factory.mktemp("mortal") / "vk")
    made.start()
    yield made
    made.kill()


@pytest.fixture(scope="session")
def made_stage(valkey: Valkey, broker_keys: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with Stage(valkey.url, broker_keys, tmp_path_factory.mktemp("stage")) as made:
        yield made


@pytest.fixture
def stage(made_stage: Stage, valkey: Valkey) -> Stage:
    """Mock banks that remember nothing, right clocks, a Valkey that runs."""
    valkey.start()
    made_stage.reset()
    return made_stage


@pytest.fixture
def broker(stage: Stage) -> Iterator[BrokerProcess]:
    made = BrokerProcess(stage)
    yield made
    made.end()
