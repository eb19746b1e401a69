"""Tests in browsers that are not Chromium: the stack that they share, and a fresh browser for each test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import demo.runner.stack
from demo.runner.configs import Places
from tests.browser.registration_demo import run_demo

if TYPE_CHECKING:
    from tests.browser.registration_demo import Demo
    from tests.engines.engine_walk import Walk

collect_ignore_glob = [] if find_spec("selenium") else ["test_*.py"]

RAN: set[str] = set()
"""Browsers that ran, with their versions, for the summary."""
PICTURES = "ENGINE_PICTURES"
"""A variable that names a folder: pictures of some pages are kept there."""


@pytest.fixture(scope="session")
def demo_elsewhere(stack_state: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The whole demo as processes. The banks are of another site than the rest, as in production: at localhost.

    To a browser all of 127.0.0.1 is one site, and what comes from there has every cookie.
    """

    def places(**values: Any) -> Places:
        values["mock"] = values["mock"].replace("127.0.0.1", "localhost")
        return Places(**values)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(demo.runner.stack, "Places", places)
        yield from run_demo(tmp_path_factory.mktemp("d"), stack_state)


@pytest.fixture
def ran() -> set[str]:
    """To add a browser that runs, with its version."""
    return RAN


@pytest.fixture(params=["firefox", "webkit"])
def walk(request: pytest.FixtureRequest, demo_elsewhere: Demo) -> Iterator[Walk]:
    """A person at a fresh browser. At the end no page may have logged anything, where the browser tells."""
    from tests.engines.engine_walk import Walk
    from tests.engines.engines import ENGINES

    pictures = os.environ.get(PICTURES)
    with ENGINES[request.param]() as engine:
        RAN.add(f"{engine.name} {engine.version}")
        walk = Walk(demo_elsewhere, engine, Path(pictures) if pictures else None)
        yield walk
        walk.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which browsers ran."""
    if RAN:
        terminalreporter.write_line(f"browsers: {', '.join(sorted(RAN))}")
