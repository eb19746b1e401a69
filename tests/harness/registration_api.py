"""Registration with clients of its API, and what they send: secrets, client assertions, identity tokens."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

from flask import Flask
from flask.testing import FlaskClient
from jwt.algorithms import get_default_algorithms
from sqlalchemy import event, select
from werkzeug.test import TestResponse

from registration.accounts.names import user_name_key
from registration.app import create_app
from registration.database.connection import Database, new_id
from registration.database.models import Account, AuditRecord, Base, Company, CustomerNumber, Representation
from registration.service import Service
from registration.settings import Settings
from tunnus_verifier.testing.mint import TEST_LEVEL, TokenMint, encode, make_key, public_jwk

ROOT = Path(__file__).resolve().parents[2]
NOW = 1_790_000_000
URL = "http://127.0.0.1:8001"
SECRET = "s€cret: 100% + more"
PASSWORD = "Rätt lösenord 1"
OWNER, OTHER = "192.0.2.1", "198.51.100.7"
KINDS = {"ec-service": "ES256", "rsa-service": "RS256"}

ROLES = ["agent", "supervisor", "auditor"]
ISSUER = "https://login.example.com/realms/staff"


@dataclass
class Clock:
    """Stands still until it is moved."""

    now: float = NOW

    def __call__(self) -> float:
        return self.now


@dataclass
class ApiHarness:
    """Registration on a database of its own. mint: makes the identity tokens of the broker."""

    app: Flask
    clock: Clock
    mint: TokenMint
    browser: FlaskClient = field(init=False)

    def __post_init__(self) -> None:
        self.begin()

    def begin(self) -> ApiHarness:
        """A test begins: the clock is right, the broker is there, and the browser has no cookie."""
        self.clock.now = NOW
        self.mint.clock = self.clock
        self.mint.down = False
        self.browser = self.app.test_client()
        return self

    @property
    def service(self) -> Service:
        service: Service = self.app.extensions["registration"]
        return service

    @property
    def database(self) -> Database:
        return self.service.database

    def person(self, user_name: str = "Aino", password: str = PASSWORD, **changes: Any) -> Account:
        """A new account."""
        values: dict[str, Any] = {
            "id": new_id(),
            "sub": f"sub-of-{user_name_key(user_name)}",
            "user_name": user_name,
            "user_name_key": user_name_key(user_name),
            "password_hash": self.service.passwords.hash(password),
            "given_name": "Åsa",
            "family_name": "Testinen",
            "email": "asa@example.fi",
            "locale": "sv",
            "terms_version": "2026-11-01",
            "terms_accepted_at": NOW,
            "created_at": NOW,
            "password_changed_at": NOW,
        }
        account = Account(**values | changes)
        with self.database.write() as transaction:
            transaction.add(account)
        return account

    def represents(self, account: Account, fo_nummer: str, *numbers: str, **changes: Any) -> None:
        """Give an account rights for a company, which is made if it is not there."""
        with self.database.write() as transaction:
            if transaction.get(Company, fo_nummer) is None:
                values = {"key": new_id(), "name": name_of(fo_nummer), "founded_at": NOW}
                transaction.add(Company(fo_nummer=fo_nummer, **values))
                transaction.flush()
            row = Representation(account_id=account.id, fo_nummer=fo_nummer, since=NOW, given_by="registration")
            for name, value in ({"consumption": "read"} | changes).items():
                setattr(row, name, value)
            row.numbers = [CustomerNumber(customer_number=number) for number in numbers]
            transaction.add(row)

    def sign_in(self, user_name: str = "Aino", password: str = PASSWORD, address: str = OWNER) -> TestResponse:
        """A sign-in that the service with a secret asks for."""
        body = {"user_name": user_name, "password": password, "address": address}
        return self.browser.post("/api/sign-in", json=body, headers=basic())

    def rights(self, headers: dict[str, str], **query: str) -> TestResponse:
        return self.browser.get("/api/rights", headers=headers, query_string=query)

    def audited(self, event: str) -> list[AuditRecord]:
        with self.database.read() as transaction:
            wanted = select(AuditRecord).where(AuditRecord.event == event).order_by(AuditRecord.id)
            return list(transaction.scalars(wanted))

    @contextmanager
    def counted(self) -> Iterator[list[str]]:
        """The statements that the database gets meanwhile."""
        seen: list[str] = []

        def see(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            seen.append(statement)

        event.listen(self.database.engine, "before_cursor_execute", see)
        try:
            yield seen
        finally:
            event.remove(self.database.engine, "before_cursor_execute", see)

    def claims(self, client_id: str = "ec-service", path: str = "/api/rights", **changes: Any) -> dict[str, Any]:
        """The claims of a good client assertion, with changes; None leaves a claim out."""
        now = int(self.clock.now)
        claims: dict[str, Any] = {"iss": client_id, "sub": client_id, "aud": URL + path, "iat": now, "exp": now + 300}
        claims |= {"jti": secrets.token_hex(8)} | changes
        return {name: value for name, value in claims.items() if value is not None}

    def by_assertion(self, client_id: str = "ec-service", path: str = "/api/rights", **changes: Any) -> dict[str, str]:
        """The header of a good client assertion, with changed claims."""
        return {"Client-Assertion": signed(self.claims(client_id, path, **changes), KINDS.get(client_id, "ES256"))}

    def staff(self, path: str, body: Any = None, who: str = "maija", roles: Any = None, **changes: Any) -> TestResponse:
        """What customer service's application asks for a member of staff. body: of a POST; None for a GET."""
        act = {"iss": ISSUER, "sub": who, "roles": ["supervisor"] if roles is None else roles} | changes
        return self.asks(path, body, "customer-service", act=act)

    def asks(self, path: str, body: Any = None, client_id: str = "crm", **claims: Any) -> TestResponse:
        """What a client asks of the staff API, at `/api/staff` and path."""
        path = f"/api/staff{path}"
        headers = self.by_assertion(client_id, path.partition("?")[0], **claims)
        if body is None:
            return self.browser.get(path, headers=headers)
        return self.browser.post(path, json=body, headers=headers)

    def act(self, act: str, who: str = "maija", roles: Any = None, **arguments: Any) -> TestResponse:
        """An act that a member of staff asks for."""
        why = {"reason": "asked_by_phone", "text": "", "request_id": secrets.token_hex(16)}
        return self.staff("/acts", {"act": act, **why, **arguments}, who, roles)


def name_of(fo_nummer: str) -> str:
    """A company's name: by their names companies stand in another order than by FO-nummer."""
    return f"Bolag {9 - int(fo_nummer[0])}"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def basic(client_id: str = "secret-service", secret: str = SECRET) -> dict[str, str]:
    """The header of client_secret_basic, each part form-urlencoded (RFC 6749 §2.3.1)."""
    return {
        "Authorization": "Basic " + base64.b64encode(f"{quote_plus(client_id)}:{quote_plus(secret)}".encode()).decode()
    }


def signed(claims: Any, alg: str = "ES256", header: dict[str, Any] | None = None, key: Any = None) -> str:
    """A JWS of any claims. header: changes; None leaves a parameter out. claims: bytes go in as they are."""
    whole = {"alg": alg, "kid": f"kid-{alg}", "typ": "JWT"} | (header or {})
    whole = {name: value for name, value in whole.items() if value is not None}
    return jws(
        json.dumps(whole).encode(), claims if isinstance(claims, bytes) else json.dumps(claims).encode(), alg, key
    )


def jws(header: bytes, payload: bytes, alg: str = "ES256", key: Any = None) -> str:
    """A compact JWS of any bytes."""
    signed = f"{encode(header)}.{encode(payload)}"
    signature = get_default_algorithms()[alg].sign(signed.encode(), key or make_key(alg, "client"))
    return f"{signed}.{encode(signature)}"


def client_jwk(alg: str) -> dict[str, Any]:
    return {**public_jwk(make_key(alg, "client")), "kid": f"kid-{alg}"}


STAFF_CLIENTS: dict[str, Any] = {
    "customer-service": {"jwks": [client_jwk("ES256")], "roles": ROLES, "acts_for_staff": True},
    "crm": {"jwks": [client_jwk("ES256")], "roles": ["agent", "supervisor"]},
    "reports": {"jwks": [client_jwk("ES256")], "roles": ["auditor"]},
}


def configuration(database_url: str, keys: Path, issuer: str) -> dict[str, Any]:
    hashed = "sha256:" + hashlib.sha256(SECRET.encode()).hexdigest()
    clients: dict[str, Any] = {client_id: {"jwks": [client_jwk(alg)]} for client_id, alg in KINDS.items()}
    return {
        "environment": "test",
        "url": URL,
        "database": {"url": database_url},
        "keys": {"dir": str(keys)},
        "brand": {
            "name": {"fi": "Esimerkkienergia", "sv": "Exempelenergi", "en": "Example Energy"},
            "customer_service": {"phone": "+358 9 000 0000", "email": "service@example.com"},
        },
        "links": {"private_customers": "https://example.com/private", "online_service": "https://example.com/"},
        "broker": {"issuer": issuer, "accepted_acr": [TEST_LEVEL], "jwks_uri": f"{issuer}/jwks"},
        "terms": {"dir": str(ROOT / "config" / "terms"), "version": "2026-11-01"},
        "passwords": {"time_cost": 1, "memory_kib": 8, "parallelism": 1},
        "mail": {"host": "127.0.0.1", "port": 9, "security": "none", "sender": "no-reply@example.com"},
        "api": {
            "authorized_parties": ["online-service"],
            "clients": clients | {"secret-service": {"secret_hash": hashed}} | STAFF_CLIENTS,
        },
    }


def open_harness(
    database_url: str, keys: Path, mint: TokenMint, change: Callable[[dict[str, Any]], None] = lambda config: None
) -> ApiHarness:
    """Registration with its tables made. change: the configuration, before it is read."""
    clock = Clock()
    config = configuration(database_url, keys, mint.issuer)
    change(config)
    app = create_app(Settings.model_validate(config), clock=clock)
    harness = ApiHarness(app, clock, mint)
    Base.metadata.create_all(harness.database.engine)
    return harness
