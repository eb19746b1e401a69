"""What the tests of deploy/ use."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness.exposed import Exposed, exposed_metrics


@pytest.fixture(scope="session")
def exposed(broker_keys: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Exposed]:
    """Every metric of the broker and of registration."""
    return exposed_metrics(broker_keys, tmp_path_factory.mktemp("exposed"))
