"""Mock banks for services behind the proxies of deploy/, what services expose; a filled-in configuration."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import NullPool, create_engine, make_url, text

from tests.harness.broker import StoreServer, System
from tests.harness.deployment import Deployment
from tests.harness.exposed import Exposed, exposed_metrics, fresh_services
from tests.harness.fleet import Fleet
from tests.harness.postgres import PostgresServer
from tests.harness.proxies import Proxy
from tests.harness.registration import Harness


@pytest.fixture(scope="session")
def services(broker_keys: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Flask]:
    """Every service, as it is after a start."""
    return fresh_services(broker_keys, tmp_path_factory.mktemp("exposed"))


@pytest.fixture(scope="session")
def exposed(services: dict[str, Flask]) -> list[Exposed]:
    """Every metric of every service."""
    return exposed_metrics(services)


@pytest.fixture
def make_fleet(
    store_server: StoreServer, broker_keys: Path, bank_keys: Path, postgres_url: str, tmp_path: Path
) -> Iterator[Callable[..., Fleet]]:
    """Make a fleet for a kind of proxy, not started; everything is ended after the test."""
    made: list[Fleet] = []
    for name in ("system", "registration", "proxy", "fleet"):
        (tmp_path / name).mkdir()
    with System(store_server, broker_keys, bank_keys, tmp_path / "system") as system:
        harness = Harness(system, tmp_path / "registration")

        def make(kind: str, **how: Any) -> Fleet:
            made.append(Fleet(harness, Proxy(kind, tmp_path / "proxy"), postgres_url, tmp_path / "fleet", **how))
            return made[-1]

        yield make
        for fleet in made:
            fleet.end()


@pytest.fixture
def deployment(tmp_path: Path, postgres_server: PostgresServer) -> Iterator[Deployment]:
    """The database belongs to the role that the configuration names, and has its password."""
    password = secrets.token_hex(16)
    url = postgres_server.create_database()
    name = str(make_url(url).database)
    admin = create_engine(postgres_server.admin, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        role = "SELECT 1 FROM pg_roles WHERE rolname = 'registration'"
        verb = "ALTER" if connection.execute(text(role)).scalar() else "CREATE"
        connection.execute(text(f"{verb} ROLE registration LOGIN PASSWORD '{password}'"))
        connection.execute(text(f"ALTER DATABASE {name} OWNER TO registration"))
    where = url.rpartition("@")[2]
    words = (
        "STORE_PASSWORD",
        "DATABASE_PASSWORD",
        "CUSTOMER_REGISTER_TOKEN",
        "MAIL_PASSWORD",
        "CUSTOMER_SERVICE_CLIENT_SECRET",
    )
    yield Deployment(tmp_path, dict.fromkeys(words, "word") | {"DATABASE_PASSWORD": password}, {"DATABASE": where})
    postgres_server.drop(url)
