"""What the demo starts, it ends; what a killed run left, the next one ends; what hinders it is one clear line."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from demo import __main__ as runner
from demo.runner.processes import CannotStart, Processes, end_by_signal, free_port, require_free, run, sweep
from demo.runner.stack import start_valkey, wait_for_store

WAITING = [sys.executable, "-c", "import signal; signal.pause()"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); signal.pause()",
]


@pytest.fixture
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    """A process that is none of the demo's."""
    with subprocess.Popen(WAITING, start_new_session=True) as process:
        yield process
        process.kill()


class Failure(Exception):
    """Something that goes wrong while a stack runs."""


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_every_process_is_ended_when_something_fails(tmp_path: Path) -> None:
    pids = []

    def fail() -> None:
        with Processes(tmp_path) as processes:
            for name in ("one", "two"):
                processes.start(name, WAITING)
                pids.append(processes.pid(name))
            raise Failure

    with pytest.raises(Failure):
        fail()
    assert [is_gone(pid) for pid in pids] == [True, True]
    assert not (tmp_path / "processes.json").exists()


def test_a_process_that_ends_by_itself_is_told_with_the_end_of_its_log(tmp_path: Path) -> None:
    with Processes(tmp_path) as processes:
        processes.start("short", [sys.executable, "-c", "print('the reason'); raise SystemExit(3)"])
        with pytest.raises(CannotStart, match=r"short ended with status 3:\nthe reason"):
            processes.wait_for("short", "http://127.0.0.1:1/")
        assert processes.ended() == "short"


def test_a_process_that_never_answers_is_told(tmp_path: Path) -> None:
    with Processes(tmp_path) as processes:
        processes.start("silent", WAITING)
        with pytest.raises(CannotStart, match="silent did not answer"):
            processes.wait_for("silent", f"http://127.0.0.1:{free_port()}/", seconds=0.2)


def test_what_a_killed_run_left_is_ended_by_the_next_one(tmp_path: Path) -> None:
    held = tmp_path / "held"
    holding = "import fcntl, signal, sys; f = open(sys.argv[1], 'w'); fcntl.flock(f, fcntl.LOCK_EX); signal.pause()"
    killed = (
        "import fcntl, os, sys, time; from pathlib import Path; from demo.runner.processes import Processes\n"
        "p = Processes(Path(sys.argv[1])); p.__enter__(); p.start('left', sys.argv[2:])\n"
        "while not Path(sys.argv[-1]).exists(): time.sleep(0.01)\n"
        "os._exit(9)"
    )
    command = [sys.executable, "-c", holding, str(held)]
    subprocess.run([sys.executable, "-c", killed, str(tmp_path), *command], check=False)
    assert (tmp_path / "processes.json").exists()
    with Processes(tmp_path), held.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    assert not (tmp_path / "processes.json").exists()


def test_an_id_that_another_program_has_by_now_is_let_alone(tmp_path: Path, stranger: subprocess.Popen[bytes]) -> None:
    left = tmp_path / "processes.json"
    left.write_text(f'[{{"pid": {stranger.pid}, "command": ["valkey"]}}]')
    sweep(left)
    assert stranger.poll() is None
    assert not left.exists()


def test_a_list_that_was_cut_short_does_not_hinder(tmp_path: Path) -> None:
    left = tmp_path / "processes.json"
    left.write_text('[{"pid": 1')
    sweep(left)
    assert not left.exists()


def test_two_runs_in_one_folder_are_refused(tmp_path: Path) -> None:
    with Processes(tmp_path), pytest.raises(CannotStart, match="runs already"), Processes(tmp_path):
        pass


def test_a_signal_while_a_process_starts_waits_until_it_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = []

    def start_and_interrupt(*args: Any, **options: Any) -> subprocess.Popen[bytes]:
        process = Popen(*args, **options)
        started.append(process.pid)
        signal.raise_signal(signal.SIGTERM)
        return process

    Popen = subprocess.Popen
    before = signal.getsignal(signal.SIGTERM)
    end_by_signal()
    monkeypatch.setattr(subprocess, "Popen", start_and_interrupt)
    try:
        with pytest.raises(KeyboardInterrupt), Processes(tmp_path) as processes:
            processes.start("one", WAITING)
    finally:
        signal.signal(signal.SIGTERM, before)
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
    assert [is_gone(pid) for pid in started] == [True]


def test_a_process_that_ignores_sigterm_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("demo.runner.processes.END_SECONDS", 0.2)
    with Processes(tmp_path) as processes:
        processes.start("stubborn", STUBBORN)
        pid = processes.pid("stubborn")
    assert is_gone(pid)


def test_a_port_is_given_once_though_nobody_listens_there_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("demo.runner.processes.PORTS", range(32_100, 32_300))
    given = [free_port() for _ in range(10)]
    assert len(set(given)) == 10
    beside = """
import json
from demo.runner import processes
processes.PORTS = range(32_100, 32_300)
print(json.dumps([processes.free_port() for _ in range(50)]))
"""
    done = subprocess.run([sys.executable, "-c", beside], capture_output=True, text=True, check=True)
    assert not set(json.loads(done.stdout)) & set(given)


def test_without_a_free_port_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as keeper:
        keeper.bind(("127.0.0.1", 0))
        port = keeper.getsockname()[1]
        monkeypatch.setattr("demo.runner.processes.PORTS", range(port, port + 1))
        with pytest.raises(CannotStart, match=f"no port of {port} to {port} is free"):
            free_port()


def test_a_port_that_is_taken_is_one_clear_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(CannotStart, match=f"port {port} for the broker is taken.*TUNNUS_PORT="):
            require_free(port, "the broker", "TUNNUS_PORT")
    require_free(port, "the broker", "TUNNUS_PORT")


@pytest.mark.parametrize("value", ["", "eighty", "0", "65536", "-1"])
def test_a_port_that_is_none_is_one_clear_line(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("TUNNUS_PORT", value)
    with pytest.raises(CannotStart, match="is no port"):
        runner.port_of("TUNNUS_PORT", 8000)


def test_a_command_that_fails_says_what_it_said() -> None:
    with pytest.raises(CannotStart, match="the reason"):
        run([sys.executable, "-c", "import sys; sys.exit('the reason')"])


def test_without_a_wheel_one_is_told_to_bring_a_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.system", lambda: "Plan9")
    with Processes(tmp_path) as processes, pytest.raises(CannotStart, match="TUNNUS_STORE_URL=redis://HOST:PORT"):
        start_valkey(processes)


def test_a_folder_with_a_space_in_its_name_is_no_hindrance() -> None:
    with TemporaryDirectory(dir="/tmp") as short, Processes(Path(short, "my projects")) as processes:
        wait_for_store(start_valkey(processes))


def test_a_path_too_long_for_a_socket_is_one_clear_line(tmp_path: Path) -> None:
    with Processes(tmp_path / ("x" * 100)) as processes, pytest.raises(CannotStart, match="shorter path"):
        start_valkey(processes)


@pytest.mark.parametrize(
    ("url", "said"), [("http://127.0.0.1/", "is no URL of a Redis"), ("unix:///nowhere/at.all", "answers at")]
)
def test_a_store_of_ones_own_that_cannot_be_used_is_one_clear_line(
    monkeypatch: pytest.MonkeyPatch, url: str, said: str
) -> None:
    monkeypatch.setattr("demo.runner.stack.START_SECONDS", 0.1)
    with pytest.raises(CannotStart, match=said):
        wait_for_store(url)
