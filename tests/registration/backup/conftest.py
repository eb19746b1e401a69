"""A machine whose database is on the oldest schema, on both kinds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.postgres import PostgresServer
from tests.harness.registration_machine import Machine


@pytest.fixture(params=["sqlite", "postgresql"])
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Machine]:
    if request.param == "sqlite":
        names = iter("abcdef")
        yield Machine(tmp_path, lambda: f"sqlite:///{tmp_path / next(names)}.sqlite", None)
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    made: list[str] = []

    def new_url() -> str:
        made.append(server.create_database())
        return made[-1]

    yield Machine(tmp_path, new_url, server.programs)
    for url in made:
        server.drop(url)
