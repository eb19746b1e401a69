"""`make bench`, the part about the audit trails: what they cost of a login, as a part of its CPU.

The broker: CPU of its process for each login, then the same records again by a trail of its own, chained and synced.
Registration: CPU of a sign-in with a password, and of the same transaction with and without its record; on SQLite,
where all of the database's work is in this process, and on PostgreSQL, where it is not.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from bench.proc import cpu_seconds
from bench.walking import Load
from broker.audit import AuditTrail
from demo.runner.configs import broker_config
from demo.runner.mock_banks import MockBanks
from demo.runner.processes import Processes
from demo.runner.stack import free_ports, prepare
from registration import audit
from registration.accounts.passwords import Passwords
from registration.database import migrate
from registration.database.connection import Database, new_id
from registration.database.models import Tries
from tests.harness.postgres import start_postgres

UNTOLD = ("seq", "previous", "time", "event", "hash")
LOGINS = 500
ROUNDS = 500
HASHES = 10


def spent(call: Callable[[], object], times: int) -> float:
    """CPU milliseconds of one call, in this process."""
    call()
    begun = time.process_time()
    for _ in range(times):
        call()
    return (time.process_time() - begun) * 1000 / times


def of_the_broker(folder: Path) -> None:
    """Logins by a stack of processes, and their records again."""
    issuer_port, operations_port, mock_port = free_ports()
    ports = {"issuer_port": issuer_port, "operations_port": operations_port, "mock_port": mock_port}
    with Processes(folder) as processes:
        stack = prepare(processes, portal="http://127.0.0.1:9", **ports)
        config = broker_config("telia", "shared", stack.places)
        stack.write_our_statement(config)
        stack.start_mock()
        MockBanks(stack.places.mock).next("*", persona="onni-korhonen", times=0)
        stack.start_broker(config)
        load = Load(16)
        load.logins(stack.client, LOGINS)
        before = cpu_seconds(processes.pid("broker"))
        load.logins(stack.client, LOGINS)
        login = (cpu_seconds(processes.pid("broker")) - before) * 1000 / LOGINS
    (file,) = (folder / "audit").glob("*.jsonl")
    records: list[dict[str, Any]] = [json.loads(line) for line in file.read_text().splitlines()[1 : 1 + 2 * LOGINS]]
    told = [(one["event"], {name: one[name] for name in one if name not in UNTOLD}) for one in records]
    trail = AuditTrail(folder / "again", time.time)
    again = iter(told)

    def record() -> None:
        for event, fields in (next(again), next(again)):
            trail.record(event, **fields)

    cost = spent(record, LOGINS - 1)
    trail.close()
    shown("broker", login, cost)


def of_registration(kind: str, url: str) -> None:
    """A sign-in's transaction with and without its record; the password's hash is the rest of a sign-in."""
    database = Database(url)
    migrate.upgrade(database)
    passwords = Passwords(time_cost=3, memory_kib=65_536, parallelism=4, room=2)
    hashed = passwords.hash("correct horse battery staple")

    def write(more: Callable[[Session], None]) -> None:
        with database.write() as tx:
            tx.add(Tries(id=new_id(), count=1, until=0))
            more(tx)

    sign_in = spent(lambda: passwords.verify("correct horse battery staple", hashed), HASHES)
    without = spent(lambda: write(lambda tx: None), ROUNDS)
    told = {"now": 0, "actor": new_id(), "subject": new_id(), "by": "password"}
    with_record = spent(lambda: write(lambda tx: audit.record(tx, "signed_in", **told)), ROUNDS)  # type: ignore[arg-type]
    database.close()
    shown(f"registration, {kind}", sign_in + without, with_record - without)


def shown(where: str, login: float, cost: float) -> None:
    """Print the figures of one place."""
    print(f"{where:<26} a login {login:8.2f} ms   its records {cost:6.3f} ms   {cost / login:6.2%}")


def main() -> int:
    """Print a line for each."""
    with tempfile.TemporaryDirectory(prefix="tunnus-bench-") as folder:
        of_the_broker(Path(folder))
        of_registration("SQLite", f"sqlite:///{folder}/registration.sqlite")
    server = start_postgres()
    of_registration("PostgreSQL", server.create_database())
    server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
