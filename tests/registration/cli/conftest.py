"""A database with people in it, and the commands about them, on both kinds of database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.registration_commands import Commands
from tests.harness.registration_rights import Harness, open_harness


@pytest.fixture
def harness(empty_tables: str) -> Iterator[Harness]:
    harness = open_harness(empty_tables)
    yield harness
    harness.database.close()


@pytest.fixture
def commands(tmp_path: Path, empty_tables: str, harness: Harness) -> Commands:
    return Commands(tmp_path, empty_tables, harness)
