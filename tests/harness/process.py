"""A process that a test waits for, and that dies."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import requests

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


def _is_ready(port: int) -> bool:
    with requests.Session() as session:
        session.trust_env = False
        try:
            return session.get(f"http://127.0.0.1:{port}/readyz", timeout=5).status_code == 200
        except (requests.ConnectionError, requests.Timeout):
            return False
