"""The broker as a process that can be killed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import tomli_w

from demo.runner.client import Client
from demo.runner.processes import free_port
from tests.harness.broker import PORTAL, System
from tests.harness.browser import Browser
from tests.harness.process import DyingProcess

HERE = Path(__file__).parent
ROOT = HERE.parents[2]


class BrokerProcess(DyingProcess):
    """The broker of the system's first contract as a process. server: more of that table of its configuration."""

    def __init__(self, system: System, **server: int) -> None:
        self.system = system
        contract = ("telia", "shared")
        config = system.config(*contract)
        self.operations_port = free_port()
        # An issuer of its own: the system's broker of the same contract may listen already.
        port = free_port()
        config["issuer"] = f"http://127.0.0.1:{port}"
        config["server"] |= {"port": port, "operations_port": self.operations_port, "outcome_wait": 1} | server
        system.more_issuers.append((config["issuer"], config))
        self._config = system.folder / "broker.toml"
        self._config.write_text(tomli_w.dumps(config))
        self.audit = Path(config["audit"]["dir"])
        self.client = Client(config["issuer"], "portal", f"{PORTAL}/callback", system.client_keys)

    def start(self, point: str | None = None) -> None:
        """Start it and wait until it is ready. point: of launcher.POINTS, where it dies."""
        command = [sys.executable, str(HERE / "launcher.py"), str(self._config), *([point] if point else [])]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        with (self.system.folder / "broker.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        self._wait_until_ready(self.operations_port, self.system.folder / "broker.log")

    def browser(self) -> Browser:
        """A person's browser, for its client."""
        return Browser(self.client)
