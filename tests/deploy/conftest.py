"""What the tests of deploy/ use."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from tests.harness.exposed import Exposed, exposed_metrics, fresh_services


@pytest.fixture(scope="session")
def services(broker_keys: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Flask]:
    """The broker and registration, as they are after a start."""
    return fresh_services(broker_keys, tmp_path_factory.mktemp("exposed"))


@pytest.fixture(scope="session")
def exposed(services: dict[str, Flask]) -> list[Exposed]:
    """Every metric of the broker and of registration."""
    return exposed_metrics(services)
