"""Marks of tests that the Makefile looks for in one folder."""

from __future__ import annotations

from pathlib import Path

import pytest

TESTS = Path(__file__).parent
FILES = [path for depth in (1, 2, 3) for path in TESTS.glob(f"{'*/' * depth}test_*.py")]


@pytest.mark.parametrize("mark", ["browser", "engines", "gallery"])
def test_a_mark_with_a_folder_of_its_own_stands_nowhere_else(mark: str) -> None:
    assert {path.relative_to(TESTS).parts[0] for path in FILES if f"mark.{mark}" in path.read_text()} == {mark}
