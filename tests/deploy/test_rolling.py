"""Every process is replaced while people identify and register: nobody notices."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.harness.fleet import Fleet, People

DRAIN = 5
"""Seconds, as in production."""
SECONDS = 120
"""A machine that is busy takes longer to come to a state; nothing here waits for so long."""


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("kind", "members"),
    [
        pytest.param("nginx", [0, 2], marks=pytest.mark.peers),
        pytest.param("nginx", [0, 1, 2, 3], marks=pytest.mark.drill),
        pytest.param("haproxy", [0, 1, 2, 3], marks=pytest.mark.drill),
    ],
)
def test_a_rolling_restart_costs_no_request_and_no_login(
    kind: str, members: list[int], make_fleet: Callable[..., Fleet]
) -> None:
    fleet = make_fleet(kind, server={"drain": DRAIN})
    fleet.start()
    people = People(fleet)
    people.begin(identify=5, register=3)
    try:
        some_get_through(people)
        for member in members:
            assert fleet.members[member].stop() == 0
            some_get_through(people)  # by the other one
            fleet.members[member].start()
            some_get_through(people)
    finally:
        people.end()
    assert people.wrong == []
    statuses = fleet.proxy.statuses()
    assert [status for status in statuses if status >= 400] == []
    assert fleet.accounts() == set(people.registered)
    print(f"{kind}: {len(members)} restarts, {people.count()} people, {len(statuses)} requests")


def some_get_through(people: People) -> None:
    """Wait until more of both kinds have come to the end."""
    before, end = people.count(), time.monotonic() + SECONDS
    while any(now < was + 3 for now, was in zip(people.count(), before, strict=True)):
        assert not people.wrong
        assert time.monotonic() < end, "nobody gets through"
        time.sleep(0.05)
