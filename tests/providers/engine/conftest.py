"""Keys made once, the bank that uses them, and what an engine is made of."""

from __future__ import annotations

import pytest
from joserfc.jwk import RSAKey

from tests.harness.engine.bank import Bank
from tests.harness.engine.jose import rsa_key
from tests.harness.engine.parts import Clock, MemoryKeys, Seen


@pytest.fixture(scope="session")
def weak_key() -> RSAKey:
    """A key that is too short."""
    with pytest.warns(match="2048"):
        return rsa_key("too-short", 1024)


@pytest.fixture(scope="session")
def bank() -> Bank:
    """The bank, and an attacker who wishes to be it."""
    return Bank()


@pytest.fixture(scope="session")
def next_key() -> RSAKey:
    """The key a bank rotates to."""
    return rsa_key("bank-next")


@pytest.fixture
def keys() -> MemoryKeys:
    """Our own keys."""
    return MemoryKeys()


@pytest.fixture
def clock() -> Clock:
    """A clock that stands."""
    return Clock()


@pytest.fixture
def seen() -> Seen:
    """What the engine reports."""
    return Seen()
