"""What the broker is measured beside does the same work, or the ratios of `make bench` say nothing."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.subjects import BROKER, COMMANDS, FLOOR, NPM, Bench, Subject
from bench.walking import identify
from tests.harness.imported_commands import ImportedCommands

pytestmark = [pytest.mark.peers, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def subjects(stack_state: Path) -> Iterator[dict[str, Subject]]:
    """All that `make bench` compares."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        state = shutil.copytree(stack_state, Path(folder, "state"))
        with ImportedCommands(state) as processes:
            bench = Bench(processes)
            started = [bench.start_broker(), bench.start_npm(), bench.start_floor()]
            yield {subject.name: subject for subject in started if subject is not None}


@pytest.mark.parametrize("name", [BROKER, FLOOR, NPM])
def test_each_subject_identifies(subjects: dict[str, Subject], name: str) -> None:
    assert identify(subjects[name].client) > 0


def test_the_floor_needs_four_commands_of_the_store(subjects: dict[str, Subject]) -> None:
    floor = subjects[FLOOR]
    identify(floor.client)
    before = floor.counts()[COMMANDS]
    identify(floor.client)
    ours = 2  # to ask the store for its counts, each time with a new connection
    assert floor.counts()[COMMANDS] - before - ours <= 4 + ours
