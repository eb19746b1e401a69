"""The real apps over HTTP: mock banks and brokers on ports of their own, one Valkey, a clock that tests move."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from broker.app import create_app
from broker.settings import Settings
from demo.runner.client import Client
from demo.runner.processes import free_port
from tests.harness.broker import PORTAL, Broker, StoreServer, System
from tests.harness.broker_pair import Pair


@pytest.fixture(scope="session")
def system(
    store_server: StoreServer, broker_keys: Path, bank_keys: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[System]:
    """Mock banks and, on demand, brokers."""
    with System(store_server, broker_keys, bank_keys, tmp_path_factory.mktemp("system")) as made:
        yield made


@pytest.fixture(autouse=True)
def _fresh(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every test starts with mock banks that remember nothing and clocks that are right."""
    if "system" in request.fixturenames:
        request.getfixturevalue("system").reset()
    return


@pytest.fixture(scope="module")
def both(system: System) -> Iterator[Pair]:
    ports = (free_port(), free_port())
    issuer = f"http://127.0.0.1:{ports[0]}"
    config = system.config("telia", "own") | {"issuer": issuer}
    config["providers"]["handelsbanken"]["status"] = "closed"
    published = (issuer, config)
    system.more_issuers.append(published)
    client = Client(issuer, "portal", f"{PORTAL}/callback", system.client_keys)
    apps = [create_app(Settings.model_validate(config), clock=system.clock) for _ in ports]
    for app, port in zip(apps, ports, strict=True):
        system.serve(app, port)
    first, second = (Broker(app, client, config) for app in apps)
    yield Pair(system, (first, second), ports)
    system.more_issuers.remove(published)


@pytest.fixture
def pair(both: Pair) -> Pair:
    """The two brokers, all banks taken for well."""
    for broker in both.brokers:
        for adapter in broker.parts.flow.adapters.values():
            adapter._http.breakers.reset()
    return both
