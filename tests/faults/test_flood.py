"""Junk for every public endpoint: honest people finish in its midst, readiness tells the truth, nothing fills up."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest

from bench.flood import measure, open_stack
from tests.harness.imported_commands import ImportedCommands

MOST_KEYS = 2.0
"""Of the store, for one request of junk: what it may leave there for minutes."""
MOST_GROWTH = 30.0
"""MiB of a process, in a minute."""
A_MINUTE, SLOWER = 60, 2.0
"""Seconds; and how many times as long honest people may take: in less time there are too few of them to tell."""


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "seconds", [pytest.param(5, marks=pytest.mark.smoke), pytest.param(A_MINUTE, marks=pytest.mark.drill)]
)
def test_under_junk_honest_people_finish_and_nothing_fills_up(stack_state: Path, seconds: int) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        state = shutil.copytree(stack_state, Path(folder, "state"))
        with ImportedCommands(state) as processes:
            figures = measure(open_stack(processes, Path(folder)), seconds)
    junk = figures["junk, by status"]
    if seconds >= A_MINUTE:
        assert all(figures[f"p95 of {name} under junk / quiet"] < SLOWER for name in ("identification", "registration"))
    assert figures["readiness under junk"].keys() == {"[200, 200]"}
    assert all(
        people > 0
        for name in ("identification", "registration")
        for people in figures[f"{name}s, quiet and under junk"]
    )
    assert not [status for status in junk if status == 0 or (status >= 500 and status != 503)], junk
    quiet, busy = figures["growth of keys of the store, quiet and under junk"]
    honest = [
        sum(figures[f"{name}s, quiet and under junk"][time] for name in ("identification", "registration"))
        for time in (0, 1)
    ]
    assert busy - quiet / honest[0] * honest[1] <= MOST_KEYS * sum(junk.values())
    for name in ("broker", "registration"):
        assert figures[f"growth of MiB of {name}, quiet and under junk"][1] <= MOST_GROWTH
