"""Broker configurations for the demo and the tests: any dialect, either shape of contract, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROVIDERS = (
    "aktia",
    "danske-bank",
    "handelsbanken",
    "nooa",
    "nordea",
    "op",
    "pop",
    "s-banken",
    "lokaltapiola",
    "alandsbanken",
    "mobile-certificate",
)

SELECTORS: Mapping[str, Mapping[str, str]] = {
    "telia": {
        "aktia": "oidc.aktia.1",
        "danske-bank": "oidc.danskebank.1",
        "handelsbanken": "oidc.handelsbanken.1",
        "nooa": "oidc.sp.1",
        "nordea": "oidc.nordea.1",
        "op": "saml.op.1",
        "pop": "oidc.pop.1",
        "s-banken": "oidc.spankki.1",
        "lokaltapiola": "mock-lokaltapiola",
        "alandsbanken": "oidc.alandsbanken.1",
        "mobile-certificate": "mpki.telia.emulator.1",
    },
    "isb": {name: f"mock-{name}" for name in PROVIDERS} | {"nordea": "fi-nordea", "op": "fi-op"},
}
"""What names a bank at a shared issuer; where no document gives a value, the mock's own."""

ENTITY_SUFFIX: Mapping[str, str] = {"telia": "/entity"}
"""What an entity id has after the issuer: Telia's entity is not its issuer."""
ANY_BANK = "any-bank"
"""The one row of a contract that cannot select."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where the parts of one stack are. mock_back: how the broker itself reaches the mock banks."""

    issuer: str
    port: int
    operations_port: int
    mock: str
    state: Path
    store_url: str
    clients: Mapping[str, Any]
    mock_back: str | None = None


def broker_config(dialect: str, shape: str, places: Places) -> dict[str, Any]:
    """A whole configuration. dialect: ftn, telia, isb. shape: `own` (an issuer per bank) or `shared`."""
    if shape == "own":
        connections = {name: connection(name, dialect, places) for name in PROVIDERS}
        providers = {name: {"connection": name} for name in PROVIDERS}
    elif dialect == "ftn":
        row = {"fi": "Pankki tai mobiilivarmenne", "sv": "Bank eller mobilcertifikat", "en": "Bank or mobile"}
        shared = connection("shared", dialect, places) | {"selects": "none", "chooser_name": row}
        connections, providers = {ANY_BANK: shared}, {}
    else:
        connections = {f"shared-{dialect}": connection("shared", dialect, places)}
        providers = {
            name: {"connection": f"shared-{dialect}", "selector": selector}
            for name, selector in SELECTORS[dialect].items()
        }
    return base_config(places) | {"connections": connections, "providers": providers}


def connection(realm: str, dialect: str, places: Places) -> dict[str, Any]:
    """One connection to the mock banks. realm: `shared` or a provider id."""
    front = f"{places.mock}/{realm}/{dialect}"
    back = f"{places.mock_back or places.mock}/{realm}/{dialect}"
    return {
        "dialect": dialect,
        "issuer": front,
        "entity_id": f"{front}{ENTITY_SUFFIX.get(dialect, '')}",
        "authorization_endpoint": f"{front}/authorize",
        "token_endpoint": f"{back}/token",
        "signed_jwks_uri": f"{back}/signed-jwks",
        "entity_statement": str(places.state / "entity-statements" / f"{realm}-{dialect}.jwt"),
        "client_id": "tunnus",
        "pkce": dialect != "isb",
        "iss_parameter": dialect == "ftn",
        "notices": False,  # the mock banks' placeholders would be on every chooser
    }


def base_config(places: Places) -> dict[str, Any]:
    """Everything but connections and providers."""
    name = {"fi": "Tunnus-esittely", "sv": "Tunnus-demo", "en": "Tunnus demo"}
    return {
        "environment": "test",
        "issuer": places.issuer,
        "server": {"port": places.port, "operations_port": places.operations_port},
        # Everybody comes from this one machine. What nobody acts on stays limited as everywhere.
        "limits": {"starts_per_address": 1_000_000, "starts_in_all": 1_000_000},
        "store": {"url": places.store_url},
        "keys": {"dir": str(places.state / "keys")},
        "audit": {"dir": str(places.state / "audit")},
        "brand": {
            "name": name,
            "customer_service": {"phone": "+358 9 000 0000", "email": "asiakaspalvelu@example.com"},
            "home_links": [{"name": name, "uri": "https://example.com/"}],
        },
        "relying_party": {
            "entity_id": places.issuer,
            "organization_name": "Tunnus demo",
            "service_name": {"fi": "Tunnus demo", "sv": "Tunnus demo", "en": "Tunnus demo"},
        },
        "assurance": {"accepted": ["http://ftn.ficora.fi/2017/loatest2"]},
        "clients": dict(places.clients),
    }
