"""`make bench`, second part: what the chooser costs the server beside an empty Flask page with one read of the store.

Two processes, both behind the same HTTP server, asked in turn in blocks over a connection that is kept, so that
whatever else the machine does meets both; the figures are medians over the blocks. CPU is that of each process's
threads, user and system, as the kernel accounts it; the store's is not counted. Everything of the broker is on:
sealing, logs, metrics, all eleven rows.
"""

from __future__ import annotations

import sys
import tempfile
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlencode

from bench.proc import cpu_seconds
from bench.walking import HEADERS
from demo.runner.configs import broker_config
from demo.runner.processes import PYTHON, Processes, free_port
from demo.runner.stack import Stack, free_ports, prepare

BLOCKS = 60
CALLS = 100
MOST = 2.0
"""The ratio that is aimed at."""


class Page:
    """A page of a process."""

    def __init__(self, processes: Processes, name: str, port: int, path: str, cookie: str = "") -> None:
        self._pid = processes.pid(name)
        self._connection = HTTPConnection("127.0.0.1", port, timeout=10)
        self._path = path
        self._headers = HEADERS | ({"Cookie": cookie} if cookie else {})
        self.bytes = self._ask()

    def _ask(self) -> int:
        self._connection.request("GET", self._path, headers=self._headers)
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{self._path} answered {answer.status}")
        return len(body)

    def block(self) -> float:
        """Ask for it CALLS times; return the CPU milliseconds of one."""
        before = cpu_seconds(self._pid)
        for _ in range(CALLS):
            self._ask()
        return (cpu_seconds(self._pid) - before) * 1000 / CALLS


def chooser_of(stack: Stack) -> tuple[str, str]:
    """Path and cookies of a chooser; a client's request is made first."""
    query = {
        "client_id": stack.client.client_id,
        "redirect_uri": stack.client.redirect_uri,
        "response_type": "code",
        "scope": "openid profile",
        "state": "s" * 43,
        "nonce": "n" * 43,
        "code_challenge": "c" * 43,
        "code_challenge_method": "S256",
    }
    connection = HTTPConnection("127.0.0.1", stack.places.port, timeout=10)
    connection.request("GET", f"/authorize?{urlencode(query)}", headers=HEADERS)
    answer = connection.getresponse()
    cookies = [cookie.partition(";")[0] for cookie in answer.headers.get_all("Set-Cookie", [])]
    return str(answer.headers["Location"]), "; ".join(cookies)


def measure(chooser: Page, empty: Page) -> dict[str, Any]:
    """The figures, after a block of each to warm up."""
    pairs = [(empty.block(), chooser.block()) for _ in range(BLOCKS + 1)][1:]
    return {
        "CPU ms, empty page with a read": f"{median(base for base, _ in pairs):.3f}",
        "CPU ms, chooser": f"{median(ours for _, ours in pairs):.3f}",
        "ratio": f"{median(ours / base for base, ours in pairs):.2f} (at most {MOST})",
        "bytes of HTML": chooser.bytes,
    }


def main() -> int:
    """Print the figures."""
    issuer_port, operations_port, mock_port = free_ports()
    with tempfile.TemporaryDirectory(prefix="tunnus-bench-") as folder, Processes(Path(folder)) as processes:
        ports = {"issuer_port": issuer_port, "operations_port": operations_port, "mock_port": mock_port}
        stack = prepare(processes, portal="http://127.0.0.1:9", **ports)
        stack.start_broker(broker_config("telia", "shared", stack.places))
        port = free_port()
        processes.start("empty", [PYTHON, "-m", "bench.empty_page", stack.places.store_url, str(port)])
        processes.wait_for("empty", f"http://127.0.0.1:{port}/empty")
        path, cookies = chooser_of(stack)
        figures = measure(
            Page(processes, "broker", issuer_port, path, cookies), Page(processes, "empty", port, "/empty")
        )
    for name, value in figures.items():
        print(f"{name:<32} {value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
