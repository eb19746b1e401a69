"""Processes of a stack on this machine: started, watched until they answer, and all ended, whatever happens."""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import IO

import requests

from demo.runner.progress import waiting_for

END_SECONDS = 10.0
START_SECONDS = 120.0
"""A process that has not ended may take so long to answer: a busy machine makes it slow, not wrong."""
PYTHON = sys.executable
PORTS = range(20_000, 32_000)
"""Below those that Linux and others give for outgoing connections."""
MOST_KEPT = 200
"""Ports that are kept by one program: the last ones, since it is long listened at the others."""
_kept: deque[socket.socket] = deque()
ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@atexit.register
def _let_ports_go() -> None:
    while _kept:
        _kept.pop().close()


class CannotStart(Exception):
    """One clear line: what is wrong and what to do."""


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody has, and that nobody else gets from here before it is listened at.

    None that the system gives away by itself, also for outgoing connections. What keeps it is a UDP socket of the same
    number: programs that run beside this one see it, and it goes with this one.
    """
    first = secrets.randbelow(len(PORTS))
    for port in chain(PORTS[first:], PORTS[:first]):
        keeper = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            keeper.bind(("127.0.0.1", port))
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            keeper.close()
            continue
        _kept.append(keeper)
        if len(_kept) > MOST_KEPT:
            _kept.popleft().close()
        return port
    raise CannotStart(f"no port of {PORTS.start} to {PORTS.stop - 1} is free; end what listens there")


def require_free(port: int, what: str, variable: str) -> None:
    """Raises CannotStart if somebody listens at a port already. variable: what chooses another one."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise CannotStart(
                f"port {port} for {what} is taken; stop what listens there, or choose another: {variable}=…"
            ) from error


def end_by_signal() -> None:
    """Let SIGTERM and a closed terminal end this program the way Ctrl-C does, so that it ends what it started."""
    for number in ENDING_SIGNALS:
        signal.signal(number, signal.default_int_handler)


class Processes:
    """The processes of one stack. state: a folder for their logs and the list of their ids.

    Entering takes the folder for this program alone and ends what an earlier one left that was killed.
    """

    def __init__(self, state: Path) -> None:
        self.state = state
        self._running: list[tuple[str, subprocess.Popen[bytes]]] = []
        self._list = state / "processes.json"
        self._lock: IO[str] | None = None

    def __enter__(self) -> Processes:
        self.state.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = (self.state / "lock").open("a")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._lock.close()
            raise CannotStart(f"it runs already, in {self.state}; end that one first") from error
        sweep(self._list)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with _undisturbed():
            self.end_all()
            if self._lock is not None:
                self._lock.close()

    def run(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> str:
        """Run a command of ours to its end; return what it prints. Raises CannotStart with what it said."""
        return run(command, environment)

    def start(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> None:
        """Start a process in a session of its own, so that a terminal's Ctrl-C reaches only us.

        folder: where it works, if not where we do.
        """
        with _undisturbed(), (self.state / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                list(command),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
            )
            self._running.append((name, process))
            self._write_list()

    def wait_for(self, name: str, url: str, seconds: float = START_SECONDS) -> None:
        """Wait until a URL answers with less than 400. Raises CannotStart if the process ends or time is up."""
        process = next(process for known, process in reversed(self._running) if known == name)
        waiting_for(f"{name} to answer at {url}")
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

    def pid(self, name: str) -> int:
        """The id of a running process."""
        return next(process.pid for known, process in self._running if known == name)

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
        self._write_list()

    def end_all(self) -> None:
        """End every process, the last started first."""
        for _, process in reversed(self._running):
            process.terminate()
        for _, process in reversed(self._running):
            _end(process)
        self._running.clear()
        self._list.unlink(missing_ok=True)

    def _write_list(self) -> None:
        left = [{"pid": process.pid, "command": process.args} for _, process in self._running]
        self._list.write_text(json.dumps(left))


def sweep(path: Path) -> None:
    """End what a killed run left, by the list it wrote: only processes that still have the id and the command."""
    if not path.exists():
        return
    with contextlib.suppress(ValueError):
        left = [entry for entry in json.loads(path.read_text()) if _runs(entry["pid"], entry["command"])]
        for number in (signal.SIGTERM, signal.SIGKILL):
            for entry in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(entry["pid"], number)
            end = time.monotonic() + END_SECONDS
            while left and time.monotonic() < end:
                time.sleep(0.05)
                left = [entry for entry in left if _runs(entry["pid"], entry["command"])]
    path.unlink()


def run(command: Sequence[str], environment: Mapping[str, str] | None = None) -> str:
    """Run a command of ours to its end; return what it prints. Raises CannotStart with what it said."""
    waiting_for(f"the command {' '.join(command[1:4])}")
    done = subprocess.run(
        list(command), capture_output=True, text=True, env={**os.environ, **(environment or {})}, check=False
    )
    if done.returncode:
        raise CannotStart(f"{' '.join(command[1:4])} failed:\n{(done.stderr or done.stdout).strip()}")
    return done.stdout


def _runs(pid: int, command: Sequence[str]) -> bool:
    """Whether the process of that id runs that command: ids are used again."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")[:-1] == list(command)
    except FileNotFoundError:
        if Path("/proc/self").exists():
            return False
    shown = subprocess.run(["ps", "-p", str(pid), "-o", "command="], capture_output=True, text=True, check=False)
    return shown.stdout.strip() == " ".join(command)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Hold back signals to end for so long as it takes to start, or to end, what would outlive us otherwise.

    By handlers, not by a mask: a mask would pass on to the processes that are started.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held_back: list[int] = []
    before = {number: signal.signal(number, lambda got, _: held_back.append(got)) for number in ENDING_SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if held_back:
            signal.raise_signal(held_back[0])
