"""`make bench`: what one identification costs the broker, at 1 and at 16 at a time.

A stack of processes, one shared contract (telia), everything on: audit trail, sealing, metrics, logs. 500 to warm
up, 500 measured. CPU is that of the broker's process, user and system, as the kernel accounts it.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import requests

from demo.runner.client import Client, follow
from demo.runner.configs import broker_config
from demo.runner.mock_banks import MockBanks
from demo.runner.processes import PYTHON, Processes
from demo.runner.stack import Stack, free_ports, prepare

LOGINS = 500
TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """User and system seconds of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def one(client: Client, headers: Mapping[str, str] | None = None) -> None:
    """One whole identification and its token; verifying that is not the broker's work. headers: of the browser."""
    session = client.session()
    verifier = "v" * 64
    url, _ = session.create_authorization_url(
        f"{client.issuer}/authorize", code_verifier=verifier, nonce="n" * 24, idp_hint="nordea"
    )
    with requests.Session() as browser:
        browser.trust_env = False
        browser.headers.update(headers or {})
        arrived = follow(browser, url, client.redirect_uri)
    session.fetch_token(f"{client.issuer}/token", authorization_response=arrived, code_verifier=verifier)
    session.close()


def run(client: Client, logins: int, at_a_time: int) -> float:
    """So many identifications; return the seconds they took."""
    begun = time.perf_counter()
    with ThreadPoolExecutor(at_a_time) as pool:
        list(pool.map(lambda _: one(client), range(logins)))
    return time.perf_counter() - begun


def round_trips(stack: Stack) -> float:
    """Round trips to the store so far."""
    text = requests.get(f"http://127.0.0.1:{stack.places.operations_port}/metrics", timeout=5).text
    found = re.search(r"^tunnus_store_round_trips_total (\S+)", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def counts(pid: int, file: Path) -> dict[str, int]:
    """The counters of the broker now."""
    file.unlink(missing_ok=True)
    os.kill(pid, signal.SIGUSR1)
    while not file.exists() or not file.read_text():
        time.sleep(0.01)
    found: dict[str, int] = json.loads(file.read_text())
    return found


def pid_of(processes: Processes, name: str) -> int:
    """The id of a process of the stack."""
    return next(process.pid for known, process in processes._running if known == name)


def measure(stack: Stack, file: Path, at_a_time: int) -> dict[str, Any]:
    """Warm up, then measure."""
    pid = pid_of(stack.processes, "broker")
    run(stack.client, LOGINS, at_a_time)
    before, trips, cpu = counts(pid, file), round_trips(stack), cpu_seconds(pid)
    seconds = run(stack.client, LOGINS, at_a_time)
    spent, after = cpu_seconds(pid) - cpu, counts(pid, file)
    trips = round_trips(stack) - trips
    names = ("private_keys_parsed", "jwks_fetched", "bank_connections_opened")
    return {
        "at a time": at_a_time,
        "CPU ms per identification": round(spent * 1000 / LOGINS, 2),
        "identifications per second": round(LOGINS / seconds, 1),
        "store round trips": round(trips / LOGINS, 2),
    } | {name.replace("_", " "): (after.get(name, 0) - before.get(name, 0)) / LOGINS for name in names}


def main() -> int:
    """Print a block of figures for each load."""
    issuer_port, operations_port, mock_port = free_ports()
    with tempfile.TemporaryDirectory(prefix="tunnus-bench-") as folder:
        ports = {"issuer_port": issuer_port, "operations_port": operations_port, "mock_port": mock_port}
        with Processes(Path(folder)) as processes:
            stack = prepare(processes, portal="http://127.0.0.1:9", **ports)
            config = broker_config("telia", "shared", stack.places)
            stack.write_our_statement(config)
            stack.start_mock()
            MockBanks(stack.places.mock).next("*", persona="onni-korhonen", times=0)
            file = Path(folder, "counts")
            path = stack._written(config, "broker")
            stack.processes.start("broker", [PYTHON, "-m", "bench.counted_broker", str(path), str(file)])
            stack.processes.wait_for("broker", f"http://127.0.0.1:{operations_port}/readyz")
            for at_a_time in (1, 16):
                for name, value in measure(stack, file, at_a_time).items():
                    print(f"{name:<32} {value}")
                print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
