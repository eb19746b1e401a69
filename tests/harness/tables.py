"""Tables of rows: `make test` takes a row for each path through the code, `make check` the whole of each table.

A row that is not usual is made only when TUNNUS_WHOLE_TABLES is set, as `make test-rest` does, and is marked `full`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

WHOLE = bool(os.environ.get("TUNNUS_WHOLE_TABLES"))


def rows(table: Iterable[tuple[str, bool, tuple[Any, ...]]]) -> Iterator[Any]:
    """Parameters for pytest, of rows as (id, usual, values)."""
    for id, usual, values in table:
        if usual or WHOLE:
            yield pytest.param(*values, id=id, marks=() if usual else (pytest.mark.full,))


def one_language_each(names: Iterable[str], locales: Iterable[str]) -> list[Any]:
    """Every name in one language, in turn; in a whole table in all of them. Values: name and locale."""
    languages = list(locales)
    return list(
        rows(
            (f"{name}-{locale}", place % len(languages) == number, (name, locale))
            for place, name in enumerate(names)
            for number, locale in enumerate(languages)
        )
    )
