"""What the tests of customer service use: one of each process for all, and empty tables for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness.customer_service import StaffHarness, open_staff_harness
from tests.harness.schema import Tables


@pytest.fixture(scope="session")
def opened_staff(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[StaffHarness, Tables]]:
    folder = tmp_path_factory.mktemp("customer-service")
    tables = Tables(lambda: f"sqlite:///{folder / 'registration.sqlite'}")
    with open_staff_harness(folder, tables.empty()) as harness:
        yield harness, tables
    tables.close()


@pytest.fixture
def staff(opened_staff: tuple[StaffHarness, Tables]) -> StaffHarness:
    """Customer service, with nobody in it."""
    harness, tables = opened_staff
    tables.empty()
    harness.clock.ahead = 0.0
    harness.open_site()
    harness.registration.begin()
    return harness
