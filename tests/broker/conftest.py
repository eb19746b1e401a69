"""What tests of the broker's own parts share: made keys, and a whole configuration as data."""

from __future__ import annotations

import time
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey, RSAKey

from broker.keys import KeyRing, generate_keys
from providers.engine.entity_statement import build_entity_statement

Data = dict[str, Any]
NOW = 1_790_000_000


def texts(word: str) -> dict[str, str]:
    """One word in three languages."""
    return {"fi": f"{word} fi", "sv": f"{word} sv", "en": f"{word} en"}


@pytest.fixture(scope="session")
def made_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a key for every purpose, in use since NOW. Read only: copy it to change it."""
    folder = tmp_path_factory.mktemp("made") / "keys"
    generate_keys(folder, NOW, entity_bits=2048)
    return folder


@pytest.fixture(scope="session")
def client_jwk() -> dict[str, Any]:
    """A client's public signing key."""
    return {**ECKey.generate_key("P-256").as_dict(private=False), "kid": "client-sig", "use": "sig"}


@pytest.fixture(scope="session")
def client_encryption_jwk() -> dict[str, Any]:
    """A client's public encryption key."""
    return {**RSAKey.generate_key(2048).as_dict(private=False), "kid": "client-enc", "use": "enc"}


@pytest.fixture(scope="session")
def bank_jwk(made_keys: Path) -> dict[str, Any]:
    """A bank's public signing key."""
    return KeyRing(made_keys, lambda: NOW + 1).public_set("rp-sig")[0]


@pytest.fixture(scope="session")
def entity_statement_of(made_keys: Path) -> Callable[..., str]:
    """Makes the entity statement of a bank: `(entity_id, now=…, lifetime=…)`."""
    keys = KeyRing(made_keys, lambda: NOW + 1)

    def make(entity_id: str, now: int | None = None, lifetime: int = 86_400 * 365) -> str:
        return build_entity_statement(
            keys,
            entity_id=entity_id,
            redirect_uris=[],
            organization_name="A bank",
            signed_jwks_uri=f"{entity_id}/signed-jwks",
            now=int(time.time()) if now is None else now,
            lifetime=lifetime,
        )

    return make


@pytest.fixture
def data(tmp_path: Path, client_jwk: dict[str, Any], bank_jwk: dict[str, Any]) -> Data:
    """A configuration that is right: a shared connection, one of its own, one that cannot select."""

    def connection(name: str, dialect: str, **more: Any) -> Data:
        base = f"https://{name}.bank.fi"
        return {
            "dialect": dialect,
            "issuer": base,
            "authorization_endpoint": f"{base}/authorize",
            "token_endpoint": f"{base}/token",
            "client_id": "tunnus",
            "jwks": [deepcopy(bank_jwk)],
            **more,
        }

    return {
        "environment": "test",
        "issuer": "https://id.energy.fi",
        "store": {"url": "redis://127.0.0.1:1/0"},
        "keys": {"dir": str(tmp_path / "keys")},
        "audit": {"dir": str(tmp_path / "audit")},
        "brand": {
            "name": texts("Energy"),
            "customer_service": {"phone": "+358 20 123 4567", "email": "help@energy.fi"},
            "home_links": [{"name": texts("Online"), "uri": "https://online.energy.fi/"}],
        },
        "relying_party": {
            "entity_id": "https://id.energy.fi",
            "organization_name": "Energy Ltd",
            "service_name": texts("Energy"),
        },
        "assurance": {"accepted": ["http://ftn.ficora.fi/2017/loatest2"]},
        "connections": {
            "shared": connection("shared", "telia", notices=False),
            "own": connection("own", "ftn"),
            "bank-list": connection("list", "ftn", selects="none", chooser_name=texts("Bank")),
        },
        "providers": {
            "aktia": {"connection": "shared", "selector": "oidc.aktia.1"},
            "nordea": {"connection": "shared", "selector": "oidc.nordea.1"},
            "alandsbanken": {"connection": "own"},
            "handelsbanken": {"status": "closed", "successor": "aktia"},
        },
        "clients": {
            "portal": {
                "name": texts("Portal"),
                "redirect_uris": ["https://portal.energy.fi/callback"],
                "auth_method": "private_key_jwt",
                "jwks": [client_jwk],
                "sector": "energy",
                "home_uri": "https://portal.energy.fi/",
                "scopes": ["openid", "profile"],
            }
        },
    }


@pytest.fixture
def production(data: Data) -> Data:
    """The same for production."""
    data["environment"] = "production"
    data["assurance"]["accepted"] = ["http://ftn.ficora.fi/2017/loa2"]
    return data
