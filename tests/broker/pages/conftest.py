from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.broker.pages.house import House, build_house


@pytest.fixture(scope="session")
def built() -> House:
    """The plain house; tests that change anything build their own."""
    return build_house()


@pytest.fixture
def house(built: House) -> Iterator[House]:
    """The plain house, within a request."""
    with built.app.test_request_context("/choose/abcdef"):
        yield built
