"""Fixtures for a service's tests. pytest finds them once the package is installed.

    def test_a_good_token_opens_the_door(tunnus_mint): ...          # tunnus_mint.token(), tunnus_mint.fetch
    def test_a_bad_token_does_not(client, tunnus_bad_token): ...    # once for each kind: .name, .token, .error, .claim

Override `tunnus_issuer` and `tunnus_audience` in conftest.py to have tokens for your own settings.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tunnus_verifier.errors import VerificationError
from tunnus_verifier.testing.bad_tokens import BAD_TOKENS
from tunnus_verifier.testing.mint import TokenMint


@dataclass(frozen=True, slots=True)
class MintedBadToken:
    """A bad token of one kind. error: the class that a Verifier raises; claim: the name that it carries."""

    name: str
    token: str
    error: type[VerificationError]
    claim: str | None


@pytest.fixture(scope="session")
def tunnus_issuer() -> str:
    """The issuer that the service trusts."""
    return "https://id.example.fi"


@pytest.fixture(scope="session")
def tunnus_audience() -> str:
    """The service's client id."""
    return "my-service"


@pytest.fixture
def tunnus_mint(tunnus_issuer: str, tunnus_audience: str) -> TokenMint:
    """A mint for this issuer and audience."""
    return TokenMint(tunnus_issuer, tunnus_audience)


@pytest.fixture(params=list(BAD_TOKENS))
def tunnus_bad_token(request: pytest.FixtureRequest, tunnus_mint: TokenMint) -> MintedBadToken:
    """Each kind of bad token in turn."""
    bad = BAD_TOKENS[request.param]
    return MintedBadToken(bad.name, bad.make(tunnus_mint), bad.error, bad.claim)
