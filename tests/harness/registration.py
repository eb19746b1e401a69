"""The harness of registration's tests: mock banks, a broker and registration, over HTTP, with a movable clock."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import DeclarativeBase

from broker.app import create_app as create_broker
from broker.settings import Settings as BrokerSettings
from demo.runner.mock_banks import MockBanks
from demo.runner.processes import free_port
from demo.runner.registrant import Company, Page, Registrant
from registration.app import create_app
from registration.database import migrate
from registration.database.connection import Database
from registration.database.models import Account, AuditRecord, Customer
from registration.keys import load_keys
from registration.service import Service
from registration.settings import Settings
from tests.harness.broker import System
from tests.harness.registration_keys import make_keys

ROOT = Path(__file__).resolve().parent.parent.parent
Row = TypeVar("Row", bound=DeclarativeBase)
ACR = "http://ftn.ficora.fi/2017/loatest2"
TESTISAHKO = Company("Testisähkö Oy", "9990001-6", "100001")
CHEAP = {"time_cost": 1, "memory_kib": 8, "parallelism": 1}
"""Argon2id as weak as it gets: the tests hash hundreds of passwords."""


@dataclass
class Switch:
    """A WSGI application at one address, whichever it is at the moment."""

    app: Flask | None = None

    def __call__(self, environ: Any, start_response: Any) -> Any:
        assert self.app is not None
        return self.app(environ, start_response)


class Harness:
    """Mock banks and a broker that know registration and the online service; made once."""

    def __init__(self, system: System, folder: Path) -> None:
        self.system = system
        self.folder = folder
        self._sites: dict[str, Site] = {}
        make_keys(folder / "keys", 0)
        self.switch = Switch()
        self.url = f"http://127.0.0.1:{free_port()}"
        self.online_service = f"http://127.0.0.1:{free_port()}"
        self.system.serve(self.switch, int(self.url.rsplit(":", 1)[1]))  # type: ignore[arg-type]
        port = free_port()
        self.issuer = f"http://127.0.0.1:{port}"
        config = system.config("telia", "shared") | {"issuer": self.issuer, "clients": self.clients()}
        config["relying_party"] = {**config["relying_party"]}
        system.more_issuers.append((self.issuer, config))
        self.broker_config = config
        self.broker = create_broker(BrokerSettings.model_validate(config), clock=system.clock)
        system.serve(self.broker, port)

    @property
    def mock(self) -> MockBanks:
        """The mock banks' control."""
        return self.system.mock

    def site(self, database_url: str) -> Site:
        """Registration as it usually is, at the harness's address: one application for each database, made once."""
        if database_url not in self._sites:
            self._sites[database_url] = open_site(self, self.config(database_url), self.system.clock)
        site = self._sites[database_url]
        self.switch.app = site.app
        return site

    def clients(self) -> dict[str, Any]:
        """The broker's clients, registration at its present address."""
        usual = {
            "name": {"fi": "Rekisteröityminen", "sv": "Registrering", "en": "Registration"},
            "sector": "energy",
            "scopes": ["openid", "profile"],
            "id_token_alg": "ES256",
            "auth_method": "private_key_jwt",
            "home_uri": f"{self.url}/",
        }
        ours = {"redirect_uris": [f"{self.url}/callback"], "jwks": [load_keys(self.folder / "keys").public_jwk]}
        portal = self.system.config("telia", "shared")["clients"]["portal"]
        online = {"redirect_uris": [f"{self.online_service}/callback"], "jwks": portal["jwks"]}
        return {
            "registration": usual | ours | {"creates_credential": "weak", "show_step": True},
            "online-service": usual | online | {"audiences": ["registration"]},
        }

    def config(self, database_url: str) -> dict[str, Any]:
        """A configuration of registration, to be changed by a test that wants another."""
        return {
            "environment": "test",
            "url": self.url,
            "server": {"trusted_proxies": 1},
            "database": {"url": database_url},
            "keys": {"dir": str(self.folder / "keys")},
            "brand": {
                "name": {"fi": "Esimerkkienergia", "sv": "Exempelenergi", "en": "Example Energy"},
                "customer_service": {"phone": "+358 9 000 0000", "email": "service@example.com"},
            },
            "links": {"private_customers": "https://example.com/private", "online_service": "https://example.com/"},
            "broker": {"issuer": self.issuer, "accepted_acr": [ACR]},
            "terms": {"dir": str(ROOT / "config" / "terms"), "version": "2026-11-01"},
            "passwords": CHEAP,
            "mail": {"host": "127.0.0.1", "port": 9, "security": "none", "sender": "no-reply@example.com"},
            "api": {"authorized_parties": ["online-service"]},
        }


@dataclass
class Site:
    """Registration on a database of its own. clock: moved by tests."""

    harness: Harness
    app: Flask
    config: dict[str, Any] = field(repr=False)

    @property
    def service(self) -> Service:
        """The parts of the process."""
        service: Service = self.app.extensions["registration"]
        return service

    @property
    def database(self) -> Database:
        """Its database."""
        return self.service.database

    def registrant(self, persona: Any | None = None) -> Registrant:
        """A person; a made-up adult unless given."""
        return Registrant(self.harness.url, self.harness.mock, persona or self.harness.mock.made_adult())

    def account(self, user_name: str) -> Account:
        """The account of a user name."""
        return next(account for account in self.rows(Account) if account.user_name == user_name)

    def rows(self, table: type[Row]) -> list[Row]:
        """Every row of a table; records in the order in which they were written."""
        with self.database.read() as transaction:
            wanted = select(table)
            return list(transaction.scalars(wanted.order_by(AuditRecord.id) if table is AuditRecord else wanted))


def open_site(harness: Harness, config: dict[str, Any], clock: Callable[[], float]) -> Site:
    """Registration with a configuration, its schema made, at the harness's address."""
    app = create_app(Settings.model_validate(config), clock=clock)
    site = Site(harness, app, config)
    migrate.upgrade(site.database)
    harness.switch.app = app
    return site


def know(site: Site, companies: Iterable[Company]) -> None:
    """Put companies into the customer register."""
    with site.database.write() as transaction:
        for company in companies:
            transaction.merge(
                Customer(
                    customer_number=company.customer_number, fo_nummer=company.fo_nummer, company_name=company.name
                )
            )


def to_form(person: Registrant) -> Page:
    """Identify and come to the form."""
    return person.expect("/form", person.identify("nordea"))


def registered(site: Site, user_name: str = "person") -> Registrant:
    """A person who has registered, signed in."""
    person = site.registrant()
    person.register("nordea", TESTISAHKO, user_name, f"{user_name}@example.com")
    return person


def sign_in(person: Registrant, user_name: str, password: str) -> Page:
    """Sign in with user name and password."""
    return person.post("/sign-in", person.get("/sign-in"), user_name=user_name, password=password)


def filled(rule: str, gap: str = "0" * 32) -> str:
    """A rule's address with something in its gaps."""
    return re.sub(r"<[^>]+>", gap, rule)
