"""One running stack for all tests of the demo."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from demo.runner.configs import broker_config
from demo.runner.mock_banks import MockBanks
from demo.runner.stack import Stack
from tests.demo.running import CONTRACT, running_stack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Valkey, the mock banks and a broker."""
    with running_stack(tmp_path_factory.mktemp("demo")) as running:
        running.start_broker(broker_config(*CONTRACT, running.places))
        yield running


@pytest.fixture
def mock(stack: Stack) -> MockBanks:
    """The mock banks, forgetful of other tests."""
    banks = MockBanks(stack.places.mock)
    banks.reset()
    return banks
