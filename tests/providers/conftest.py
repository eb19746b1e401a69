"""Fixtures of the engine's tests."""

from __future__ import annotations

import pytest

from tests.harness.engine.parts import Clock, MemoryKeys, Seen


@pytest.fixture(scope="session")
def keys() -> MemoryKeys:
    """Our private keys, made once."""
    return MemoryKeys()


@pytest.fixture
def clock() -> Clock:
    """A clock that stands."""
    return Clock()


@pytest.fixture
def seen() -> Seen:
    """What the engine reports."""
    return Seen()
