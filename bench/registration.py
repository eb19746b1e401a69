"""What registering costs: registrations per second at 16 at a time, and the CPU of one, with and without its password.

    python -m bench.registration [REGISTRATIONS]

One real process of registration, over HTTP on 127.0.0.1, on SQLite and on PostgreSQL. What is measured is a person's
way from the form to "done": GET and POST /form, GET and POST /review, GET /done. Identification is not in it (that is
bench.identification): each person begins with the session that an identification leaves behind, put into the database.
Half of them register for a company that has representatives already, and the others found one.

CPU is that of the process, user and system, as the kernel accounts it; a database server's own is not in it, SQLite's
is. "x page" is one of the five requests beside the page for signing in, a form in the same frame that asks the database
nothing. "Without the password hash" is Argon2id as weak as it gets, not left out: what remains of it is some
microseconds.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import tomli_w
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from stdnum.fi import ytunnus

from bench.proc import cpu_seconds
from bench.walking import HEADERS
from demo.runner.mock_banks import MockBanks
from demo.runner.processes import PYTHON, Processes, end_by_signal, free_port, run
from demo.runner.registrant import Company, Registrant
from registration.database.connection import Database, digest, new_id, new_token
from registration.database.models import Customer, Session
from registration.keys import Keys, load_keys
from tests.harness.postgres import start_postgres
from tests.harness.registration_keys import make_keys

ROOT = Path(__file__).resolve().parent.parent
AT_A_TIME = 16
WARM_UP = 48
REQUESTS = 5
"""Of a registration."""
REGISTRATIONS = 300
WEAK = {"time_cost": 1, "memory_kib": 8, "parallelism": 1}
REAL: dict[str, int] = {}
"""The configuration's own defaults."""
SHARED = Company("Yhteinen Oy", "9990001-6", "1")


def configuration(url: str, database_url: str, keys: Path, passwords: dict[str, int]) -> dict[str, Any]:
    """A registration that knows nobody but its database."""
    return {
        "environment": "test",
        "url": url,
        "server": {"port": int(url.rsplit(":", 1)[1]), "operations_port": free_port()},
        "database": {"url": database_url},
        "keys": {"dir": str(keys)},
        "brand": {
            "name": {"fi": "Mittaus", "sv": "Mätning", "en": "Bench"},
            "customer_service": {"phone": "+358 9 000 0000", "email": "service@example.com"},
        },
        "links": {"private_customers": "https://example.com/private", "online_service": "https://example.com/"},
        "broker": {"issuer": "http://127.0.0.1:9", "accepted_acr": ["http://ftn.ficora.fi/2017/loatest2"]},
        "terms": {"dir": str(ROOT / "config" / "terms"), "version": "2026-11-01"},
        "passwords": passwords,
        "mail": {"host": "127.0.0.1", "port": 9, "security": "none", "sender": "no-reply@example.com"},
    }


def companies(count: int) -> list[Company]:
    """So many made-up companies, of the FO-nummers that begin with 9."""
    found: list[Company] = []
    for number in range(9_000_000, 10_000_000):
        whole = [f"{number}-{check}" for check in range(10) if ytunnus.is_valid(f"{number}-{check}")]
        if len(found) == count:
            break
        found += [Company(f"Yritys {number} Oy", fo_nummer, str(number)) for fo_nummer in whole]
    return found


def prepare(database: Database, keys: Keys, known: Sequence[Company]) -> list[str]:
    """Put companies into the customer register and an identified session for each; return the sessions' cookies."""
    app = Flask(__name__)
    app.secret_key = keys.cookie[-1]
    signer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert signer is not None  # noqa: S101 - there is a key
    now = int(time.time())
    cookies = []
    with database.write() as transaction:
        for company in {*known, SHARED}:
            transaction.add(
                Customer(
                    customer_number=company.customer_number, fo_nummer=company.fo_nummer, company_name=company.name
                )
            )
        for _ in known:
            token, sub = new_token(), new_id()
            id = digest(token)
            transaction.add(
                Session(
                    id=id,
                    key=new_id(),
                    account_id=None,
                    sub=sub,
                    sealed=keys.seal(f"session:{id}", [sub, "Meri", "Mittaaja"]),
                    browser="Browser",
                    identified_at=now,
                    created_at=now,
                    seen_at=now,
                    expires_at=now + 7200,
                )
            )
            cookies.append(signer.dumps({"session": token}))
    return cookies


def one(url: str, number: int, cookie: str, company: Company) -> None:
    """From the form to "done". Every second person joins a company that others have founded."""
    person = Registrant(url, MockBanks("http://127.0.0.1:9"))
    with person.browser as browser:
        browser.cookies.set("registration", cookie, domain="127.0.0.1")
        form = person.expect("/form", person.get("/form"))
        name = f"person{number}"
        filled = person.fill(form, SHARED if number % 2 else company, user_name=name, email=f"{name}@example.com")
        person.expect("/done", person.post("/review", person.expect("/review", filled)))


def page_cpu(pid: int, url: str, count: int) -> float:
    """CPU seconds of a page without a person, for one who has not been here."""
    connection = HTTPConnection(urlsplit(url).netloc, timeout=30)
    before = cpu_seconds(pid)
    for _ in range(count):
        connection.request("GET", "/sign-in", headers=HEADERS)
        connection.getresponse().read()
    return (cpu_seconds(pid) - before) / count


def measure(
    processes: Processes, folder: Path, database_url: str, passwords: dict[str, int], count: int
) -> dict[str, float]:
    """Warm up, then measure so many registrations, on an empty database."""
    folder.mkdir()
    make_keys(folder / "keys", 0)
    url = f"http://127.0.0.1:{free_port()}"
    file = folder / "registration.toml"
    config = configuration(url, database_url, folder / "keys", passwords)
    file.write_text(tomli_w.dumps(config))
    run([PYTHON, "-m", "registration", "migrate", "--config", str(file)])
    known = companies(WARM_UP + count)
    database = Database(database_url)
    cookies = prepare(database, load_keys(folder / "keys"), known)
    database.close()
    processes.start("registration", [PYTHON, "-m", "registration", "serve", "--config", str(file)])
    processes.wait_for("registration", f"http://127.0.0.1:{config['server']['operations_port']}/readyz")
    with ThreadPoolExecutor(AT_A_TIME) as pool:

        def register(numbers: range) -> None:
            list(pool.map(lambda number: one(url, number, cookies[number], known[number]), numbers))

        register(range(WARM_UP))
        pid = processes.pid("registration")
        page = page_cpu(pid, url, count)
        begun, cpu, ours = time.perf_counter(), cpu_seconds(pid), time.process_time()
        register(range(WARM_UP, WARM_UP + count))
        seconds, cpu, ours = time.perf_counter() - begun, cpu_seconds(pid) - cpu, time.process_time() - ours
    processes.end("registration")
    return {
        "registrations/s": count / seconds,
        "CPU ms each": cpu * 1000 / count,
        "x page": cpu / count / REQUESTS / page,
        "client's CPU ms each": ours * 1000 / count,
    }


@contextmanager
def databases(folder: Path) -> Iterator[list[tuple[str, list[str]]]]:
    """Both kinds, with a new and empty database for each way to hash."""
    server = start_postgres()
    try:
        yield [
            ("SQLite", [f"sqlite:///{folder / name}.sqlite" for name in ("without", "with")]),
            ("PostgreSQL", [server.create_database() for _ in range(2)]),
        ]
    finally:
        server.stop()


def main(count: int = REGISTRATIONS) -> int:
    """Print a line of figures for each database, without the password hash and with it."""
    end_by_signal()
    print(f"{count} registrations, {AT_A_TIME} at a time, from the form to done; identification is not in it")
    with tempfile.TemporaryDirectory(prefix="registration-bench-") as name, databases(Path(name)) as kinds:
        folder = Path(name)
        with Processes(folder / "state") as processes:
            for kind, urls in kinds:
                for hashed, url, passwords in zip(("without", "with"), urls, (WEAK, REAL), strict=True):
                    figures = measure(processes, folder / f"{kind}-{hashed}", url, passwords, count)
                    told = "   ".join(f"{what} {value:7.1f}" for what, value in figures.items())
                    print(f"{kind:<11} {hashed + ' password hash':<22} {told}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(*(int(argument) for argument in sys.argv[1:])))
