"""The broker as a process that can be killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import requests
import tomli_w

from demo.runner.client import Client
from demo.runner.processes import free_port
from tests.harness.broker import PORTAL, System
from tests.harness.browser import Browser

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
START_SECONDS = 30.0
STEP = 0.02
"""Seconds between two looks at a process that is starting."""


class BrokerProcess:
    """The broker of the system's first contract as a process."""

    def __init__(self, system: System) -> None:
        self.system = system
        contract = ("telia", "shared")
        config = system.config(*contract)
        self._operations = free_port()
        # An issuer of its own: the system's broker of the same contract may listen already.
        port = free_port()
        config["issuer"] = f"http://127.0.0.1:{port}"
        config["server"] |= {"port": port, "operations_port": self._operations, "outcome_wait": 1}
        system.more_issuers.append((config["issuer"], config))
        self._config = system.folder / "broker.toml"
        self._config.write_text(tomli_w.dumps(config))
        self.audit = Path(config["audit"]["dir"])
        self.client = Client(config["issuer"], "portal", f"{PORTAL}/callback", system.client_keys)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, point: str | None = None) -> None:
        """Start it and wait until it is ready. point: of launcher.POINTS, where it dies."""
        command = [sys.executable, str(HERE / "launcher.py"), str(self._config), *([point] if point else [])]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        with (self.system.folder / "broker.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        end = time.monotonic() + START_SECONDS
        while not self._ready():
            assert self._process.poll() is None, "the broker ended by itself"
            assert time.monotonic() < end, "the broker does not get ready"
            time.sleep(STEP)

    def _ready(self) -> bool:
        try:
            return _get(f"http://127.0.0.1:{self._operations}/readyz") == 200
        except requests.ConnectionError:
            return False

    def was_killed(self) -> bool:
        """It is dead, by SIGKILL."""
        assert self._process is not None
        return self._process.wait(START_SECONDS) == -signal.SIGKILL

    def end(self) -> None:
        """End it, if it runs."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(START_SECONDS)
            self._process = None

    def browser(self) -> Browser:
        """A person's browser, for its client."""
        return Browser(self.client)


def _get(url: str) -> int:
    with requests.Session() as session:
        session.trust_env = False
        return session.get(url, timeout=5).status_code
