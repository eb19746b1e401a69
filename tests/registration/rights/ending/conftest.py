"""Rights on each database: a harness, the application, and what the background does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from registration.backup.erasure_list import ErasureList
from registration.due import end_due
from registration.service import Service
from tests.harness.registration_ending import Register
from tests.harness.registration_rights import Harness, open_harness


@pytest.fixture
def harness(empty_tables: str) -> Iterator[Harness]:
    harness = open_harness(empty_tables)
    yield harness
    harness.database.close()


@pytest.fixture
def app(opened_app: Callable[[str], Flask], empty_tables: str) -> Flask:
    return opened_app(empty_tables)


@pytest.fixture
def register() -> Register:
    return Register(n1001=None)


@pytest.fixture
def pass_time(app: Flask, register: Register, tmp_path: Path) -> Callable[[int], Service]:
    """What the background does at a moment."""

    def run(now: int) -> Service:
        service: Service = app.extensions["registration"]
        erasures = ErasureList(tmp_path / "erasures")
        then = replace(service, clock=lambda: now, register=register, erasures=erasures)
        end_due(then)
        return then

    return run
