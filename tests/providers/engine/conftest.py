"""Keys made once, the bank that uses them, and what an engine is made of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import responses
from joserfc.jwk import RSAKey

from kit.keys.roca import has_roca_fingerprint
from providers.connection import JwksSource, SignedJwks
from providers.engine.adapter import OidcAdapter
from providers.engine.http import BankHttp
from providers.engine.jwks import BankKeys
from providers.model import Provider
from providers.registry import PROVIDERS
from tests.harness.engine.adapter import Make
from tests.harness.engine.bank import Bank
from tests.harness.engine.jose import public, rsa_key
from tests.harness.engine.key_set import Endpoint, MakeKeys
from tests.harness.engine.parts import ENTITY_ID, JWKS_URI, Clock, MemoryKeys, Seen, make_connection


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


@pytest.fixture
def endpoint(bank: Bank) -> Endpoint:
    return Endpoint(bank.signed_jwks())


@pytest.fixture
def signed(bank: Bank) -> SignedJwks:
    return SignedJwks(JWKS_URI, ENTITY_ID, (public(bank.entity),))


@pytest.fixture
def make_keys(endpoint: Endpoint, signed: SignedJwks, seen: Seen, clock: Clock) -> MakeKeys:
    def make(source: JwksSource | None = None, **changes: Any) -> BankKeys:
        connection = make_connection(jwks=source or signed, **changes)
        return BankKeys(connection, endpoint, seen, clock, has_roca_fingerprint)  # type: ignore[arg-type]

    return make


@pytest.fixture
def net() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def make(keys: MemoryKeys, seen: Seen, clock: Clock, bank: Bank) -> Make:
    def adapter(
        dialect: str = "ftn", providers: dict[str, Provider] | None = None, places: int = 4, **changes: Any
    ) -> OidcAdapter:
        connection = make_connection(dialect, **({"jwks": bank.pinned()} | changes))
        http = BankHttp(connection, places, seen, place_seconds=0.01)
        return OidcAdapter(
            connection, PROVIDERS if providers is None else providers, keys, http, seen, clock, has_roca_fingerprint
        )

    return adapter
