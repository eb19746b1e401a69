"""Processes of a stack on this machine: started, watched until they answer, and all ended, whatever happens."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

import requests

END_SECONDS = 10.0
START_SECONDS = 30.0


class CannotStart(Exception):
    """One clear line: what is wrong and what to do."""


def free_port() -> int:
    """A port of 127.0.0.1 that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def require_free(port: int, what: str, variable: str) -> None:
    """Raises CannotStart if somebody listens at a port already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise CannotStart(
                f"port {port} for {what} is taken; stop what listens there, or choose another: {variable}=…"
            ) from error


class Processes:
    """The processes of one stack. state: a folder for their logs and the list of their ids."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self._running: list[tuple[str, subprocess.Popen[bytes]]] = []
        self._list = state / "processes"
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._sweep()

    def __enter__(self) -> Processes:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.end_all()

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        """Start a process in a group of its own, so that a terminal's Ctrl-C reaches only us."""
        with (self.state / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
            )
        self._running.append((name, process))
        self._list.write_text("".join(f"{process.pid}\n" for _, process in self._running))

    def wait_for(self, name: str, url: str, seconds: float = START_SECONDS) -> None:
        """Wait until a URL answers with less than 400. Raises CannotStart if the process ends or time is up."""
        process = next(process for known, process in reversed(self._running) if known == name)
        end = time.monotonic() + seconds
        with requests.Session() as session:
            session.trust_env = False
            while time.monotonic() < end:
                if process.poll() is not None:
                    raise CannotStart(f"{name} ended with status {process.returncode}:\n{self.tail(name)}")
                with contextlib.suppress(requests.RequestException):
                    if session.get(url, timeout=2, allow_redirects=False).status_code < 400:
                        return
                time.sleep(0.05)
        raise CannotStart(f"{name} did not answer at {url} within {seconds:.0f} s:\n{self.tail(name)}")

    def tail(self, name: str, lines: int = 12) -> str:
        """The end of a process's log."""
        text = (self.state / f"{name}.log").read_text(errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    def ended(self) -> str | None:
        """The name of a process that has ended by itself, None if all run."""
        return next((name for name, process in self._running if process.poll() is not None), None)

    def end(self, name: str) -> None:
        """End one process and forget it."""
        for known, process in [pair for pair in self._running if pair[0] == name]:
            _end(process)
            self._running.remove((known, process))

    def end_all(self) -> None:
        """End every process, the last started first."""
        for _, process in reversed(self._running):
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        for _, process in reversed(self._running):
            _end(process)
        self._running.clear()
        self._list.unlink(missing_ok=True)

    def _sweep(self) -> None:
        """End what an earlier run of this folder left, if that run was killed: ours are known by the folder."""
        if not self._list.exists():
            return
        for line in self._list.read_text().split():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError, ValueError):
                shown = subprocess.run(
                    ["ps", "-p", line, "-o", "command="], capture_output=True, text=True, check=False
                )
                if str(self.state) in shown.stdout:
                    os.kill(int(line), signal.SIGTERM)
        self._list.unlink()


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def run(command: Sequence[str], environment: Mapping[str, str] | None = None) -> str:
    """Run a command of ours to its end; return what it prints. Raises CannotStart with what it said."""
    done = subprocess.run(
        list(command), capture_output=True, text=True, env={**os.environ, **(environment or {})}, check=False
    )
    if done.returncode:
        raise CannotStart(f"{' '.join(command[1:4])} failed:\n{(done.stderr or done.stdout).strip()}")
    return done.stdout


PYTHON = sys.executable
