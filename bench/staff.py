"""What customer service's look-ups cost: CPU of a search, a company, a person and the trail, of a large register.

    python -m bench.staff [USERS] [CUSTOMERS]

The application in this process, on SQLite and on PostgreSQL: one company with 20,000 users, ten of whom have 500
customer numbers, and a customer register of 500,000. CPU is that of the process, and of PostgreSQL's where there is
one: user and system, as the kernel accounts it, on the mean of 20 requests; verifying the assertion is in it.
"""

from __future__ import annotations

import secrets
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import insert, text

from bench.proc import cpu_seconds
from registration.database.connection import new_id
from registration.database.models import Account, AuditRecord, Company, Customer, CustomerNumber, Representation
from tests.harness.postgres import start_postgres
from tests.harness.registration_api import NOW, ApiHarness, open_harness
from tests.harness.registration_keys import make_keys
from tunnus_verifier.testing.mint import TokenMint

USERS, CUSTOMERS, NUMBERS, REQUESTS = 20_000, 500_000, 500, 20
FO = "1234567-1"


def fill(api: ApiHarness, users: int, customers: int) -> tuple[str, str]:
    """The company's key and the id of one of its users, who has 500 customer numbers."""
    key, template = new_id(), api.person("first")
    fixed = {name: getattr(template, name) for name in ("password_hash", "locale", "terms_version")}
    fixed |= dict.fromkeys(("terms_accepted_at", "created_at", "password_changed_at"), NOW)
    ids = [new_id() for _ in range(users)]
    accounts = [
        fixed
        | {"id": id, "sub": id, "user_name": f"user{n}", "user_name_key": f"user{n}", "email": f"user{n}@example.com"}
        | {"email_key": f"user{n}@example.com", "given_name": f"Aino {n % 100}", "family_name": f"Virtanen {n}"}
        for n, id in enumerate(ids)
    ]
    rights = [
        {"account_id": id, "fo_nummer": FO, "administrator": n < 5, "since": NOW, "given_by": ids[0]}
        for n, id in enumerate(ids)
    ]
    numbers = [
        {"account_id": id, "fo_nummer": FO, "customer_number": str(100_000 + number)}
        for n, id in enumerate(ids)
        for number in range(NUMBERS if n < 10 else 2)
    ]
    records = [
        {"at": NOW, "event": "listed", "actor": "nobody", "fo_nummer": FO, "details": {}, "seq": n, "hash": "0" * 64}
        for n in range(1, users + 1)
    ]
    register = (
        {
            "customer_number": str(100_000 + n),
            "fo_nummer": f"{n % 9_000_000 + 1_000_000}-0",
            "company_name": f"Yritys {n} Oy",
        }
        for n in range(customers)
    )
    with api.database.write() as tx:
        tx.add(Company(fo_nummer=FO, key=key, name="Suuryhtiö Oy", founded_at=NOW))
        tx.flush()
        for model, rows in (
            (Account, accounts),
            (Representation, rights),
            (CustomerNumber, numbers),
            (AuditRecord, records),
        ):
            tx.execute(insert(model), rows)
        for some in in_parts(register):
            tx.execute(insert(Customer), some)
    with api.database.engine.connect() as connection:
        connection.execute(text("ANALYZE"))
    return key, ids[0]


def in_parts(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Ten thousand at a time."""
    part: list[dict[str, Any]] = []
    for row in rows:
        part.append(row)
        if len(part) == 10_000:
            yield part
            part = []
    if part:
        yield part


def measure(api: ApiHarness, path: str, body: Any, server: int | None) -> float:
    """Milliseconds of CPU of one request. server: the process id of a database server."""
    if api.asks(path, body, "reports").status_code != 200:
        raise RuntimeError(path)
    before = time.process_time() + (cpu_seconds(server) if server else 0)
    for _ in range(REQUESTS):
        api.asks(path, body, "reports")
    return (time.process_time() + (cpu_seconds(server) if server else 0) - before) * 1000 / REQUESTS


def bench(name: str, url: str, users: int, customers: int, folder: Path) -> None:
    """Print a row for each look-up."""
    make_keys(folder / "keys", 0)
    api = open_harness(url, folder / "keys", TokenMint("http://127.0.0.1:9", "registration"))
    key, account = fill(api, users, customers)
    with api.database.read() as tx:  # one thread takes one connection, so it is one process of the server's
        server = None if api.database.is_sqlite else tx.scalar(text("SELECT pg_backend_pid()"))
    asked = {
        "search, a name that all have": ("/search", {"q": "virtanen"}),
        "search, a company of the register": ("/search", {"q": "yritys 4999"}),
        "search, a customer number of all": ("/search", {"q": "100000"}),
        "search, an FO-nummer": ("/search", {"q": FO}),
        "search, an e-mail address": ("/search", {"q": "user777@example.com"}),
        "search, a code": ("/search", {"q": secrets.token_hex(4)}),
        "the company, first page": (f"/companies/{key}", None),
        "the company, a page in the middle": (f"/companies/{key}?after={'8' * 32}", None),
        "a person": (f"/people/{account}", None),
        "the company's trail": (f"/trail?company={key}", None),
    }
    for what, (path, body) in asked.items():
        print(f"{name:<12} {what:<36} {measure(api, path, body, server):6.1f} ms")
    api.database.close()


def main(users: int = USERS, customers: int = CUSTOMERS) -> None:
    """Measure on both kinds of database."""
    with tempfile.TemporaryDirectory(prefix="tunnus-bench-") as folder:
        bench("SQLite", f"sqlite:///{folder}/bench.sqlite", users, customers, Path(folder))
        server = start_postgres()
        try:
            bench("PostgreSQL", server.create_database(), users, customers, Path(folder))
        finally:
            server.stop()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
