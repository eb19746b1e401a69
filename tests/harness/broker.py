"""The system of the protocol tests: what demo.runner.stack does with processes, with threads and a movable clock."""

from __future__ import annotations

import shutil
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

import redis
from flask import Flask

from broker.app import create_app
from broker.keys import KeyRing
from broker.settings import Settings
from demo.portal.client_keys import ClientKeys
from demo.runner.client import Client
from demo.runner.configs import Places, broker_config
from demo.runner.mock_banks import MockBanks
from demo.runner.processes import free_port
from demo.runner.stack import portal_client
from mock_idp.app import create_app as create_mock
from mock_idp.bank import open_bank
from mock_idp.config import Config as MockConfig
from mock_idp.protocol.issuers import all_issuers
from mock_idp.protocol.publication import entity_statement
from providers.engine.entity_statement import build_entity_statement, build_signed_jwks
from tests.harness.serving import Served

CONTRACTS = (
    ("telia", "own"),
    ("telia", "shared"),
    ("isb", "own"),
    ("isb", "shared"),
    ("ftn", "own"),
    ("ftn", "shared"),
)
PATIENT, IMPATIENT = 10.0, 0.5
"""Seconds the brokers of the system give a bank for one call. The second is for faults that wait longer than it."""
ENTITY_ID = "https://system.example"
PORTAL = "http://127.0.0.1:9"


@dataclass
class Clock:
    """Seconds since the epoch, moved by tests."""

    offset: float = 0.0

    def __call__(self) -> float:
        return time.time() + self.offset


@dataclass
class Broker:
    """A broker of the system, its client and its configuration."""

    app: Flask
    client: Client
    config: dict[str, Any] = field(repr=False)

    @property
    def parts(self) -> Any:
        """What the process holds."""
        return self.app.extensions["tunnus"]


class StoreServer(Protocol):
    """A store of a test session: one server, Sentinels or a Cluster."""

    @property
    def settings(self) -> dict[str, Any]:
        """The table `store` of a broker's configuration."""
        ...

    def clients(self) -> list[redis.Redis]:
        """A client of each server that takes what is written."""
        ...


class System:
    """Mock banks once; a broker for each contract, when first asked for. All brokers share keys and client.

    bank_keys: the mock banks' own, which are copied.
    """

    def __init__(self, store: StoreServer, keys: Path, bank_keys: Path, folder: Path) -> None:
        shutil.copytree(bank_keys, folder / "mock")
        self.store, self.folder = store, folder
        self.keys = keys
        self.clock = Clock()
        self.ring = KeyRing(keys, self.clock)
        self.client_keys = ClientKeys.generate()
        self.mock_url = f"http://127.0.0.1:{free_port()}"
        self._ports = {contract: free_port() for contract in CONTRACTS}
        self.more_issuers: list[tuple[str, dict[str, Any]]] = []
        """Issuers and configurations of brokers that a test makes for itself."""
        self._served: list[Served] = []
        self._brokers: dict[tuple[str, str], Broker] = {}
        config = MockConfig(
            base_url=self.mock_url,
            state_dir=folder / "mock",
            relying_party="https://statement",
            relying_party_signed_jwks_uri="https://signed-jwks",
            fetch=self._publish,
            clock=self.clock,
        )
        self.mock_app = create_mock(config)
        self.serve(self.mock_app, int(self.mock_url.rsplit(":", 1)[1]))
        statements = folder / "entity-statements"
        statements.mkdir()
        bank = open_bank(config)
        for issuer in all_issuers():
            (statements / f"{issuer.name}.jwt").write_text(entity_statement(bank, issuer))
        # Client, broker and bank share one interpreter here: they would wait for each other's turns.
        self._usual_interval = sys.getswitchinterval()
        sys.setswitchinterval(0.0002)
        self.mock = MockBanks(self.mock_url)
        self._adult: dict[str, Any] | None = None

    def __enter__(self) -> System:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        sys.setswitchinterval(self._usual_interval)
        self.mock_app.extensions["mock_idp"].stopping.set()  # so that no answer of theirs hangs on
        for served in self._served:
            served.close()

    def serve(self, app: Flask, port: int | None = None) -> int:
        """Serve an application; return its port."""
        port = port or free_port()
        self._served.append(Served(app, port))
        return port

    def reset(self) -> None:
        """Servers that serve, right clocks, forgetful mock banks, closed breakers."""
        for served in self._served:
            served.revive()
        self.clock.offset = 0.0
        remembered = self.mock_app.extensions["mock_idp"].memory
        with remembered.guard:
            remembered.queue.clear()
            remembered.captured.clear()
        for broker in self._brokers.values():
            for adapter in broker.parts.flow.adapters.values():
                adapter._http.breakers.reset()
        self.wait_for_banks(PATIENT)

    def wait_for_banks(self, seconds: float) -> None:
        """Let the brokers give a bank so many seconds for one call."""
        for broker in self._brokers.values():
            for adapter in broker.parts.flow.adapters.values():
                adapter._http._call_seconds = seconds

    def later(self, seconds: int) -> None:
        """So many seconds go by: for the brokers, for the mock banks, and for everything that lapses in the store."""
        self.clock.offset += seconds
        for client in self.store.clients():
            with client:
                names = list(client.scan_iter(count=1000))
                with client.pipeline(transaction=False) as looks, client.pipeline(transaction=False) as moves:
                    for name in names:
                        looks.pttl(name)
                    for name, left in zip(names, looks.execute(), strict=True):
                        if left > 0:
                            moves.pexpire(name, left - seconds * 1000)
                    moves.execute()

    def adult(self) -> dict[str, Any]:
        """A persona with both names, whom every service takes."""
        self._adult = self._adult or self.mock.people()[0]
        return self._adult

    def broker(self, dialect: str = "telia", shape: str = "shared") -> Broker:
        """The broker of a contract."""
        contract = (dialect, shape)
        if contract not in self._brokers:
            self._brokers[contract] = self._made(contract)
        return self._brokers[contract]

    def _made(self, contract: tuple[str, str]) -> Broker:
        config = self.config(*contract)
        app = create_app(Settings.model_validate(config), clock=self.clock)
        self.serve(app, self._ports[contract])
        client = Client(self.issuer(contract), "portal", f"{PORTAL}/callback", self.client_keys)
        return Broker(app, client, config)

    def config(self, dialect: str, shape: str) -> dict[str, Any]:
        """The configuration of a contract's broker, to be changed by a test that makes its own."""
        contract = (dialect, shape)
        places = Places(
            issuer=self.issuer(contract),
            port=self._ports[contract],
            operations_port=9,
            mock=self.mock_url,
            state=self.folder,
            store_url="",
            clients={"portal": portal_client(PORTAL, self.client_keys)},
        )
        return broker_config(dialect, shape, places) | {"keys": {"dir": str(self.keys)}, "store": self.store.settings}

    def issuer(self, contract: tuple[str, str]) -> str:
        """The issuer of a contract's broker."""
        return f"http://127.0.0.1:{self._ports[contract]}"

    def _publish(self, source: str) -> bytes:
        """What the mock banks fetch of the relying party: one statement for the brokers of all contracts."""
        now = int(self.clock())
        if source == "https://signed-jwks":
            return build_signed_jwks(self.ring, ENTITY_ID, now=now, lifetime=3600).encode()
        known = [(self.issuer(contract), self.config(*contract)) for contract in CONTRACTS]
        uris = [
            f"{issuer}/callback/{connection}"
            for issuer, config in (*known, *self.more_issuers)
            for connection in config["connections"]
        ]
        return build_entity_statement(
            self.ring,
            entity_id=ENTITY_ID,
            redirect_uris=uris,
            organization_name="System",
            signed_jwks_uri="https://signed-jwks",
            now=now,
            lifetime=86400 * 3650,
        ).encode()
