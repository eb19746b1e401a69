"""Keys made once, and the bank that uses them."""

from __future__ import annotations

import pytest
from joserfc.jwk import RSAKey

from tests.harness.engine.forge import Bank, Clock, Ring, Told


@pytest.fixture(scope="session")
def rsa_keys() -> list[RSAKey]:
    """Private keys of 2048 bits, each with its `kid`."""
    return [RSAKey.generate_key(2048, auto_kid=True) for _ in range(7)]


@pytest.fixture(scope="session")
def weak_key() -> RSAKey:
    """A key that is too short."""
    with pytest.warns(match="2048"):
        return RSAKey.generate_key(1024, auto_kid=True)


@pytest.fixture
def ring(rsa_keys: list[RSAKey]) -> Ring:
    """Our own keys."""
    return Ring({"entity": rsa_keys[0], "rp-sig": rsa_keys[1], "rp-enc": rsa_keys[2]})


@pytest.fixture(scope="session")
def bank(rsa_keys: list[RSAKey]) -> Bank:
    """The bank, and an attacker who wishes to be it."""
    return Bank(signing=rsa_keys[3], entity=rsa_keys[4], recipient=rsa_keys[2], attacker=rsa_keys[5])


@pytest.fixture(scope="session")
def next_key(rsa_keys: list[RSAKey]) -> RSAKey:
    """The key a bank rotates to."""
    return rsa_keys[6]


@pytest.fixture
def told() -> Told:
    """The observer."""
    return Told()


@pytest.fixture
def clock() -> Clock:
    """The clock."""
    return Clock()
