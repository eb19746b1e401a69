"""docs/operations.md cannot lie: each command and timetable field in it exists."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from broker.cli import main
from broker.keys import PURPOSES, Timetable

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "operations.md").read_text()


@pytest.mark.parametrize("way", sorted(set(re.findall(r"(?:^|`)tunnus ([a-z\-]+(?: [a-z\-]+)?)", TEXT, re.MULTILINE))))
def test_every_command_in_the_document_exists(way: str) -> None:
    command: click.Command = main
    for name in way.split():
        if isinstance(command, click.Group):
            command = command.commands[name]


def test_every_purpose_and_every_time_of_a_key_is_explained() -> None:
    assert all(f"`{name}`" in TEXT for name in [*PURPOSES, *Timetable.__slots__])
