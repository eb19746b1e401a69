"""A broker whose tokens the API takes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tunnus_verifier.testing.mint import TokenMint
from tunnus_verifier.testing.serving import served_mint


@pytest.fixture(scope="module")
def mint() -> Iterator[TokenMint]:
    """A broker that has nothing but its keys."""
    with served_mint("registration") as mint:
        yield mint
