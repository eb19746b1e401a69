"""Brokers and registrations as processes behind one proxy, over one store and one database, and people who use them."""

from __future__ import annotations

import sys
import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from demo.runner.client import Client
from demo.runner.mock_banks import MockBanks
from demo.runner.registrant import Registrant
from registration.database import migrate
from registration.database.connection import Database
from registration.database.models import Account, Customer
from tests.harness.process import ROOT, ServiceProcess
from tests.harness.proxies import Proxy
from tests.harness.registration import TESTISAHKO, Harness

COMMANDS = {name: (sys.executable, "-m", name, "serve", "--config") for name in ("broker", "registration")}


@dataclass
class Fleet:
    """Two brokers and two registrations behind a proxy.

    roots: the folders of the first's and the second's code. asks: the broker that each registration asks for tokens,
    by its place; the proxy unless given.
    """

    harness: Harness
    proxy: Proxy
    database_url: str
    folder: Path
    server: dict[str, Any] = field(default_factory=dict)
    roots: Sequence[Path] = (ROOT, ROOT)
    asks: Sequence[int] | None = None

    def __post_init__(self) -> None:
        self.harness.url = self.proxy.registration
        config = self.harness.broker_config | {"issuer": self.proxy.broker, "clients": self.harness.clients()}
        self.harness.system.more_issuers.append((self.proxy.broker, config))
        server = {"trusted_proxies": 1} | self.server
        brokers = [
            config | {"server": config["server"] | server, "audit": {"dir": str(self.folder / f"audit-{number}")}}
            for number in (1, 2)
        ]
        self.brokers = self._members("broker", brokers)
        direct = [f"http://127.0.0.1:{self.brokers[place].port}" for place in self.asks or ()]
        registration = self.harness.config(self.database_url) | {"server": server}
        registration["rules"] = {"starts_per_address": 100_000, "starts_in_all": 100_000}
        registrations = [
            registration
            | {
                "broker": registration["broker"]
                | {"issuer": self.proxy.broker, "token_endpoint": f"{back}/token", "jwks_uri": f"{back}/jwks"}
            }
            for back in direct or [self.proxy.internal] * 2
        ]
        self.registrations = self._members("registration", registrations)

    def prepare_database(self) -> None:
        """Bring the schema to this version's, with one company in the customer register."""
        database = Database(self.database_url)
        migrate.upgrade(database)
        with database.write() as transaction:
            number, fo_nummer, name = TESTISAHKO.customer_number, TESTISAHKO.fo_nummer, TESTISAHKO.name
            transaction.add(Customer(customer_number=number, fo_nummer=fo_nummer, company_name=name))
        database.close()

    def _members(self, name: str, configs: Sequence[dict[str, Any]]) -> list[ServiceProcess]:
        both = zip(configs, self.roots, strict=True)
        return [ServiceProcess(config, self.folder, COMMANDS[name], root) for config, root in both]

    @property
    def members(self) -> list[ServiceProcess]:
        """All processes of services."""
        return [*self.brokers, *self.registrations]

    def start(self) -> None:
        """Start everything; return when all are ready."""
        self.prepare_database()
        start(self.members)
        self.proxy.start(self.brokers, self.registrations)

    def end(self) -> None:
        """End everything that runs, at once."""
        self.proxy.end()
        for member in self.members:
            member.ask_to_end()
        for member in self.members:
            member.end()  # asks again

    def client(self) -> Client:
        """A service whose people identify."""
        system = self.harness.system
        callback = f"{self.harness.online_service}/callback"
        return Client(self.proxy.broker, "online-service", callback, system.client_keys, ca=str(self.proxy.authority))

    def browser(self) -> requests.Session:
        """A person's browser, which knows the proxy's certificate."""
        browser = requests.Session()
        browser.trust_env = False
        browser.verify = str(self.proxy.authority)
        return browser

    def accounts(self) -> set[str]:
        """User names of who is registered."""
        database = Database(self.database_url)
        with database.read() as transaction:
            found = {account.user_name for account in transaction.query(Account)}
        database.close()
        return found


def start(members: Collection[ServiceProcess]) -> None:
    """Start processes; return when all are ready."""
    for member in members:
        member.begin()
    for member in members:
        member.wait_until_ready()


@dataclass
class People:
    """Persons who identify, and others who register, without end; what went wrong for any of them is kept."""

    fleet: Fleet
    wrong: list[str] = field(default_factory=list)
    identified: int = 0
    registered: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._enough = threading.Event()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._numbers = iter(range(1_000_000))

    def begin(self, identify: int, register: int) -> None:
        """So many persons of each kind at a time."""
        for way, count in ((self._identify, identify), (self._register, register)):
            self._threads += [threading.Thread(target=self._again, args=(way,)) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Let everybody come to the end."""
        self._enough.set()
        for thread in self._threads:
            thread.join()

    def count(self) -> tuple[int, int]:
        """How many have identified and registered so far."""
        return self.identified, len(self.registered)

    def _again(self, way: Any) -> None:
        banks = MockBanks(self.fleet.harness.system.mock_url)
        while not self._enough.is_set():
            try:
                way(banks)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is what the test looks for
                with self._lock:
                    self.wrong.append(f"{type(error).__name__}: {error}"[:500])

    def _identify(self, banks: MockBanks) -> None:
        banks.next("op", persona="random")
        with self.fleet.browser() as browser:
            assert self.fleet.client().identify(browser, idp_hint="op")["idp"] == "op"
        with self._lock:
            self.identified += 1

    def _register(self, banks: MockBanks) -> None:
        with self._lock:
            name = f"person{next(self._numbers)}"
        person = Registrant(self.fleet.proxy.registration, banks, banks.made_adult())
        with person.browser as browser:
            browser.verify = str(self.fleet.proxy.authority)
            person.register("nordea", TESTISAHKO, name, f"{name}@example.com")
        with self._lock:
            self.registered.append(name)
