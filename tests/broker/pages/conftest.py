from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness.broker_pages import Harness, build_harness


@pytest.fixture(scope="session")
def built() -> Harness:
    """The plain harness; tests that change anything build their own."""
    return build_harness()


@pytest.fixture
def harness(built: Harness) -> Iterator[Harness]:
    """The plain harness, within a request."""
    with built.app.test_request_context("/choose/abcdef"):
        yield built
