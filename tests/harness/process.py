"""A process that a test waits for, and that dies."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import requests
import tomli_w

from demo.runner.processes import free_port

ROOT = Path(__file__).parents[2]
START_SECONDS = 90.0
STEP = 0.02
"""Seconds between two looks at a process that is starting."""


class DyingProcess:
    """A process, once `_process` is set."""

    _process: subprocess.Popen[bytes] | None = None

    def _wait_until_ready(self, port: int, log: Path) -> None:
        """Wait until /readyz at a port says so. log: where it writes, for when it does not."""
        assert self._process is not None
        end = time.monotonic() + START_SECONDS
        while not _is_ready(port):
            assert self._process.poll() is None, f"it ended by itself: {log.read_text()[-2000:]}"
            assert time.monotonic() < end, "it does not get ready"
            time.sleep(STEP)

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

    def ask_to_end(self) -> None:
        """Send SIGTERM, if it runs, and do not wait."""
        if self._process is not None:
            self._process.terminate()

    def stop(self) -> int:
        """End it by SIGTERM; return its exit status."""
        assert self._process is not None
        process = self._process
        self.end()
        return process.returncode


class ServiceProcess(DyingProcess):
    """`serve` of a service by a configuration, at ports of its own; its public address is as configured.

    command: to which the configuration's file is added. root: the folder of the code.
    """

    def __init__(self, config: dict[str, Any], folder: Path, command: Sequence[str], root: Path = ROOT) -> None:
        self.port, self.operations_port = free_port(), free_port()
        self.file = folder / f"service-{self.port}.toml"
        ports = {"port": self.port, "operations_port": self.operations_port}
        self.file.write_text(tomli_w.dumps(config | {"server": config["server"] | ports}))
        self.log = self.file.with_suffix(".log")
        self._command, self._root = command, root

    def begin(self, *point: str) -> None:
        """Start it, and do not wait. point: for a launcher, where it dies."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self._command, str(self.file), *point],
                stdout=log,
                stderr=log,
                cwd=self._root,
                env=environment(self._root),
            )

    def start(self, *point: str) -> None:
        """Start it and wait until it is ready."""
        self.begin(*point)
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Wait until it answers."""
        self._wait_until_ready(self.operations_port, self.log)

    def kill(self) -> None:
        """kill -9, from outside."""
        assert self._process is not None
        self._process.kill()
        assert self.was_killed()


def environment(root: Path = ROOT) -> dict[str, str]:
    """What a process of ours starts with."""
    return os.environ | {"PYTHONPATH": os.pathsep.join([str(root), str(root / "verifier")])}


def _is_ready(port: int) -> bool:
    with requests.Session() as session:
        session.trust_env = False
        try:
            return session.get(f"http://127.0.0.1:{port}/readyz", timeout=5).status_code == 200
        except (requests.ConnectionError, requests.Timeout):
            return False
