"""`make flood`: junk for every public endpoint of broker and registration, and honest people in the midst of it.

A stack of processes, both services behind one trusted proxy, so that the junk comes from a few networks and people
from others. Printed: how long honest people take beside a quiet minute, and what memory and store have grown by.
The junk is paced: without a pace it would measure how many cores this machine has.
"""

from __future__ import annotations

import itertools
import json
import random
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import redis
import requests
import tomli_w

from bench.proc import resident
from bench.registration import WEAK, companies, configuration
from bench.walking import identify
from demo.runner.configs import broker_config
from demo.runner.mock_banks import MockBanks
from demo.runner.processes import PYTHON, Processes, free_port, run
from demo.runner.registrant import Company, Registrant
from demo.runner.services import Ports, prepare_services
from demo.runner.stack import Stack, free_ports, prepare
from registration.database.connection import Database
from registration.database.models import Customer

RATE = 60
"""Requests of junk in a second."""
THREADS = 8
PEOPLE = 2
"""Honest people at a time, of each service."""
TURNS = 5
"""Quiet times, and times with junk."""


@dataclass
class Flooded:
    """A running broker and registration, both of which believe one proxy. operations: registration's second port."""

    stack: Stack
    registration: str
    operations: str
    companies: Iterator[Company]
    users: Iterator[int] = field(default_factory=itertools.count)
    met: set[str] = field(default_factory=set)

    def readiness(self) -> list[int]:
        """The status of each service's readiness now."""
        urls = (f"http://127.0.0.1:{self.stack.places.operations_port}/readyz", f"{self.operations}/readyz")
        return [requests.get(url, timeout=30).status_code for url in urls]

    def memory(self) -> dict[str, float]:
        """MiB of each process, and keys and MiB of the store."""
        pids = {name: self.stack.processes.pid(name) for name in ("broker", "registration")}
        sizes = {f"MiB of {name}": round(resident(pid), 1) for name, pid in pids.items()}
        with redis.Redis.from_url(self.stack.places.store_url) as store:
            used = store.info("memory")["used_memory"] / 1024 / 1024
            return sizes | {"keys of the store": float(store.dbsize()), "MiB of the store": round(used, 1)}

    def identify(self) -> float:
        """Seconds of one honest identification."""
        return identify(self.stack.client, {"X-Forwarded-For": address("203.0.113")})

    def register(self) -> float:
        """Seconds of one honest registration, through the broker."""
        begun, number = time.perf_counter(), next(self.users)
        mock = MockBanks(self.stack.places.mock)
        made = mock.made_adult()
        while made["personal_identity_code"] in self.met:  # among a thousand drawn codes two may well be the same
            made = mock.made_adult()
        self.met.add(made["personal_identity_code"])
        person = Registrant(self.registration, mock, made)
        with person.browser as browser:
            browser.headers["X-Forwarded-For"] = address("203.0.113")
            form = person.expect("/form", person.identify("op"))
            name = f"person{number}"
            filled = person.fill(form, next(self.companies), user_name=name, email=f"{name}@example.com")
            person.expect("/done", person.post("/review", person.expect("/review", filled)))
        return time.perf_counter() - begun


def address(network: str) -> str:
    """An address of a network of 256."""
    return f"{network}.{random.randrange(256)}"  # noqa: S311 - no secret


def junk(flooded: Flooded) -> tuple[str, str, dict[str, Any]]:
    """A request that nobody honest makes: method, address and what `requests` takes."""
    broker, registration = flooded.stack.places.issuer, flooded.registration
    made_up = "".join(random.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=26))  # noqa: S311 - no secret
    wanted = {
        "client_id": "portal",
        "redirect_uri": flooded.stack.client.redirect_uri,
        "response_type": "code",
        "scope": "openid profile",
        "state": made_up * 20,
        "nonce": made_up,
        "code_challenge": "x" * 43,
        "code_challenge_method": "S256",
    }
    basic = {"Authorization": "Basic " + made_up}
    long_form = {"user_name": made_up, "password": "Tr0ub4dor&3-2024-" * 12, "csrf_token": made_up}
    requests_of_junk: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", f"{broker}/authorize?{urlencode(wanted)}", {}),
        ("GET", f"{broker}/authorize?{urlencode(wanted | {'idp_hint': 'nordea'})}", {}),
        ("POST", f"{broker}/authorize", {"data": wanted}),
        ("GET", f"{broker}/authorize?client_id={made_up}&redirect_uri={quote('https://x.example/' + made_up)}", {}),
        ("GET", f"{broker}/choose/{made_up}", {}),
        ("GET", f"{broker}/identify/{made_up}/nordea", {}),
        ("GET", f"{broker}/callback/shared-telia?state={made_up}&code=x", {}),
        ("GET", f"{broker}/wait/{made_up}", {}),
        ("GET", f"{broker}/problem/{made_up}", {}),
        ("GET", f"{broker}/return/{made_up}", {}),
        ("POST", f"{broker}/token", {"data": {"grant_type": "authorization_code", "code": made_up}, "headers": basic}),
        ("POST", f"{broker}/par", {"data": wanted, "headers": basic | {"DPoP": made_up}}),
        ("GET", f"{broker}/authorize?client_id=portal&request_uri=urn:ietf:params:oauth:request_uri:{made_up}", {}),
        ("GET", f"{broker}/userinfo", {"headers": {"Authorization": f"Bearer {made_up}"}}),
        ("GET", f"{broker}/api/providers?ui_locales={made_up}", {}),
        ("GET", f"{broker}/{made_up}", {}),
        ("GET", f"{registration}/start?idp_hint=nordea&purpose=register", {}),
        ("GET", f"{registration}/callback?state={made_up}&code=x", {}),
        ("POST", f"{registration}/form", {"data": long_form}),
        ("POST", f"{registration}/sign-in", {"data": long_form}),
        ("POST", f"{registration}/api/sign-in", {"json": long_form, "headers": basic}),
        ("GET", f"{registration}/confirm/{made_up}", {}),
        ("GET", f"{registration}/{made_up}", {}),
    ]
    return random.choice(requests_of_junk)  # noqa: S311 - no secret


def flood(flooded: Flooded, ended: threading.Event, statuses: Counter[int]) -> None:
    """Send junk at RATE until it is to end; every status is counted, 0 for no answer."""
    pause = threading.Semaphore(0)

    def pace() -> None:
        while not ended.wait(1 / RATE):
            pause.release()
        for _ in range(THREADS):
            pause.release()

    def send() -> None:
        with requests.Session() as session:
            session.trust_env = False
            while pause.acquire() and not ended.is_set():
                method, url, more = junk(flooded)
                headers = {"X-Forwarded-For": address("198.51.100"), **more.pop("headers", {})}
                session.cookies.clear()
                try:
                    answer = session.request(method, url, headers=headers, allow_redirects=False, timeout=60, **more)
                    statuses[answer.status_code] += 1
                except requests.RequestException:
                    statuses[0] += 1

    with ThreadPoolExecutor(THREADS + 1) as pool:
        for task in (pace, *[send] * THREADS):
            pool.submit(task)


def people(flooded: Flooded, seconds: float) -> dict[str, list[float]]:
    """Honest people, one after the other, for so long; the seconds that each took."""
    end = time.monotonic() + seconds
    taken: dict[str, list[float]] = {"identification": [], "registration": []}

    def repeat(name: str) -> None:
        while time.monotonic() < end:
            taken[name].append(flooded.identify() if name == "identification" else flooded.register())

    with ThreadPoolExecutor(2 * PEOPLE) as pool:
        for future in [pool.submit(repeat, name) for name in taken for _ in range(PEOPLE)]:
            future.result()
    return taken


def p95(values: list[float]) -> float:
    """The 95th percentile."""
    return statistics.quantiles(values, n=20)[-1]


def measure(flooded: Flooded, seconds: float) -> dict[str, Any]:
    """Quiet times and as long ones with junk, in turn, so that whatever else this machine does disturbs both alike.

    seconds: of all quiet ones together. Raises what stops an honest person.
    """
    people(flooded, min(10.0, seconds))  # so that nothing is done for the first time below
    taken: dict[bool, dict[str, list[float]]] = {with_junk: defaultdict(list) for with_junk in (False, True)}
    grown: dict[bool, Counter[str]] = {with_junk: Counter() for with_junk in (False, True)}
    statuses, ready = Counter[int](), Counter[tuple[int, ...]]()
    for with_junk in (False, True) * TURNS:
        before = flooded.memory()
        for name, values in turn(flooded, seconds / TURNS, statuses if with_junk else None, ready).items():
            taken[with_junk][name] += values
        after = flooded.memory()
        grown[with_junk].update({name: after[name] - before[name] for name in after})
    figures: dict[str, Any] = {
        "junk, by status": dict(sorted(statuses.items())),
        "readiness under junk": {str(list(seen)): count for seen, count in ready.items()},
    }
    for name in taken[False]:
        quiet, busy = taken[False][name], taken[True][name]
        figures |= {
            f"{name}s, quiet and under junk": (len(quiet), len(busy)),
            f"p95 of {name}, quiet and under junk, in ms": (round(p95(quiet) * 1000), round(p95(busy) * 1000)),
            f"p95 of {name} under junk / quiet": round(p95(busy) / p95(quiet), 2),
        }
    for name in grown[False]:
        figures[f"growth of {name}, quiet and under junk"] = (
            round(grown[False][name], 1),
            round(grown[True][name], 1),
        )
    return figures


def turn(
    flooded: Flooded, seconds: float, statuses: Counter[int] | None, ready: Counter[tuple[int, ...]]
) -> dict[str, list[float]]:
    """Honest people for so long, in the midst of junk if its statuses are to be counted; then readiness is too."""
    if statuses is None:
        return people(flooded, seconds)
    ended = threading.Event()
    thread = threading.Thread(target=flood, args=(flooded, ended, statuses))
    thread.start()
    try:
        busy = people(flooded, seconds)
        ready[tuple(flooded.readiness())] += 1
    finally:
        ended.set()
        thread.join()
    return busy


def open_stack(processes: Processes, folder: Path) -> Flooded:
    """Start everything. processes: with a state folder of its own."""
    issuer_port, operations_port, mock_port = free_ports()
    ports = {"issuer_port": issuer_port, "operations_port": operations_port, "mock_port": mock_port}
    stack = prepare(processes, portal="http://127.0.0.1:9", **ports)
    services = prepare_services(stack, Ports(*(free_port() for _ in fields(Ports))))
    config = broker_config("telia", "shared", stack.places)
    config["server"]["trusted_proxies"] = 1
    config["clients"] = {**config["clients"], "registration": services.clients()["registration"]}
    stack.write_our_statement(config)
    stack.start_mock()
    MockBanks(stack.places.mock).next("nordea", persona="onni-korhonen", times=0)
    stack.start_broker(config)
    database_url = f"sqlite:///{folder / 'registration.sqlite'}"
    keys = stack.places.state / "registration-keys"
    registration = configuration(services.registration, database_url, keys, WEAK)
    registration["server"] |= {"trusted_proxies": 1, "operations_port": services.ports.operations}
    registration["broker"]["issuer"] = stack.places.issuer
    file = folder / "registration.toml"
    file.write_text(tomli_w.dumps(registration))
    run([PYTHON, "-m", "registration", "migrate", "--config", str(file)])
    known = companies(20_000)
    database = Database(database_url)
    with database.write() as transaction:
        for company in known:
            number, fo_nummer = company.customer_number, company.fo_nummer
            transaction.add(Customer(customer_number=number, fo_nummer=fo_nummer, company_name=company.name))
    database.close()
    processes.start("registration", [PYTHON, "-m", "registration", "serve", "--config", str(file)])
    processes.wait_for("registration", f"{services.operations}/readyz")
    return Flooded(stack, services.registration, services.operations, iter(known))


def main() -> int:
    """Print the figures. The first argument: seconds of each time, 60 unless given."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    with tempfile.TemporaryDirectory(prefix="tunnus-flood-") as folder, Processes(Path(folder, "state")) as processes:
        for name, value in measure(open_stack(processes, Path(folder)), seconds).items():
            print(f"{name:<52} {json.dumps(value)}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
