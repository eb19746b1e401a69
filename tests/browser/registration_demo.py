"""The demo as the tests in a browser use it: every process of `make demo` on free ports, and new companies for each."""

from __future__ import annotations

import csv
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from stdnum.fi import ytunnus

from demo.__main__ import start_all
from demo.runner.mock_banks import MockBanks
from demo.runner.processes import PYTHON, CannotStart, free_port
from demo.runner.registrant import Company, Registrant
from demo.runner.services import CONFIG, CUSTOMERS, Ports, Services, prepare_services
from demo.runner.stack import free_ports, prepare
from tests.harness.imported_commands import ImportedCommands

MORE_COMPANIES = 120
"""Companies that the customer register knows beside the demo's own, so that each test has some of its own."""
BANK = "nordea"
"""Where persons identify that a test needs but does not watch."""


@dataclass
class Demo:
    """The running demo. portal: its address. companies: those that nobody has registered for yet."""

    portal: str
    services: Services
    mock: MockBanks
    companies: Iterator[Company]
    count: int = 0

    @property
    def registration(self) -> str:
        """Registration's address."""
        return self.services.registration

    @property
    def online_service(self) -> str:
        """The online service's address."""
        return self.services.online_service

    @property
    def mailbox(self) -> str:
        """The address of the page with caught e-mail."""
        return self.services.mailbox

    def require_running(self) -> None:
        """Raises CannotStart with the end of its log if a process has ended by itself."""
        processes = self.services.stack.processes
        if (name := processes.ended()) is not None:
            raise CannotStart(f"{name} has ended by itself:\n{processes.tail(name)}")

    def company(self) -> Company:
        """A company that nobody has registered for."""
        return next(self.companies)

    def name(self, word: str = "person") -> str:
        """A user name that nobody has."""
        self.count += 1
        return f"{word}-{self.count}"

    def adult(self) -> dict[str, Any]:
        """A made-up adult, as the mock banks take one in `next`."""
        made = self.mock.made_adult()
        return {member: made[member] for member in ("personal_identity_code", "given_name", "family_name")}

    def registered(self, company: Company, word: str = "user") -> User:
        """Somebody new who has registered for a company, without a browser."""
        persona, name = self.adult(), self.name(word)
        user = User(name, f"{name}@example.com", persona)
        Registrant(self.registration, self.mock, persona).register(BANK, company, user.name, user.email)
        return user

    def rows(self, query: str, *values: str) -> list[tuple[Any, ...]]:
        """What stands in registration's database, read from outside of its process."""
        path = self.services.stack.places.state / "registration.sqlite"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as connection:
            return connection.execute(query, values).fetchall()


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who has an account. persona: as the mock banks take it in `next`."""

    name: str
    email: str
    persona: dict[str, Any]

    @property
    def full_name(self) -> str:
        """Given names and family name."""
        return f"{self.persona['given_name']} {self.persona['family_name']}"


def run_demo(state: Path, stack_state: Path) -> Iterator[Demo]:
    """Start everything with its state in a folder, and end it when the iterator does. Raises CannotStart.

    stack_state: keys that take long to make, which are copied.
    """
    shutil.copytree(stack_state, state, dirs_exist_ok=True)
    issuer_port, operations_port, mock_port = free_ports()
    portal_port = free_port()
    portal = f"http://127.0.0.1:{portal_port}"
    with ImportedCommands(state) as processes:
        stack = prepare(
            processes, issuer_port=issuer_port, operations_port=operations_port, mock_port=mock_port, portal=portal
        )
        services = prepare_services(stack, Ports(*(free_port() for _ in fields(Ports))))
        start_all(stack, services, portal_port)
        companies = add_companies(services, state / "customers.csv")
        yield Demo(portal, services, MockBanks(stack.places.mock), iter(companies))


def add_companies(services: Services, path: Path) -> list[Company]:
    """Put more companies into the customer register, beside those that stand there; path: of the file to import."""
    made = [
        Company(f"Keksitty Yritys {index} Oy", fo_nummer, str(200_000 + index))
        for index, fo_nummer in zip(range(MORE_COMPANIES), made_fo_nummer(), strict=False)
    ]
    with CUSTOMERS.open(encoding="utf-8", newline="") as file:
        lines = list(csv.reader(file))
    lines += [[company.customer_number, company.fo_nummer, company.name] for company in made]
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(lines)
    command = [PYTHON, "-m", "registration", "customers", "import", str(path), "--config", str(CONFIG), "--yes"]
    command += ["--operator", "tests", "--reason", "companies of the tests"]
    services.stack.processes.run(command, services.environment())
    return made


def made_fo_nummer() -> Iterator[str]:
    """FO-nummer that nobody has, above the demo's own."""
    for number in range(9_991_000, 9_999_999):
        for digit in range(10):
            if ytunnus.is_valid(f"{number}{digit}"):
                yield f"{number}-{digit}"
