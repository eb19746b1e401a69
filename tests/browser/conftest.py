"""Tests in a browser need a driver that `make test` does not install: where it is missing, they are not collected."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from demo.runner.registrant import Company
    from tests.browser.registration_demo import Demo, User
    from tests.browser.registration_walk import Visit

collect_ignore_glob = [] if find_spec("playwright") else ["test_*.py"]


@pytest.fixture(scope="session")
def demo(stack_state: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The whole demo as processes, with companies that nobody has registered for; never one that is up already."""
    from tests.browser.registration_demo import run_demo

    if os.environ.get("PORTAL_URL"):
        pytest.skip("registering leaves accounts behind, so these tests start a stack of their own: unset PORTAL_URL")
    yield from run_demo(tmp_path_factory.mktemp("d"), stack_state)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A Chromium for the tests of a module, each in a context of its own."""
    from tests.harness.chromium import open_chromium

    with open_chromium() as browser:
        yield browser


@pytest.fixture
def visit(chromium: Browser, demo: Demo) -> Iterator[Visit]:
    """A person at a fresh browser, in Swedish and on a wide screen unless the test asks for another.

    At the end no page may have logged an error, and none may have asked another host for anything.
    """
    from tests.browser.registration_walk import Visit

    demo.require_running()
    visit = Visit(demo, chromium)
    yield visit
    visit.close()


@pytest.fixture
def company(demo: Demo) -> Company:
    """One that nobody has registered for."""
    demo.require_running()
    return demo.company()


@pytest.fixture
def chief(demo: Demo, company: Company) -> User:
    """The company's administrator."""
    return demo.registered(company, "chief")


@pytest.fixture
def clerk(demo: Demo, company: Company, chief: User) -> User:
    """The company's other user, who may read consumption."""
    return demo.registered(company, "clerk")
