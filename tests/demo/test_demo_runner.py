"""`make demo` as a person meets it: it comes up, proves itself, and one signal ends all of it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from demo import __main__ as runner
from demo.runner import progress, try_all
from demo.runner.configs import PROVIDERS
from demo.runner.processes import CannotStart, free_port

VARIABLES = tuple(variable for variable, _ in runner.PORTS.values())


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.drill
def test_the_demo_comes_up_proves_itself_and_ends_on_one_signal(tmp_path: Path) -> None:
    ports = {variable: free_port() for variable in VARIABLES}
    program = "import sys; from pathlib import Path; from demo import __main__ as d\nd.STATE = Path(sys.argv[1])\n"
    command = [sys.executable, "-c", program + "sys.exit(d.main())", str(tmp_path / "demo")]
    environment = os.environ | {variable: str(port) for variable, port in ports.items()}
    said = []
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True, bufsize=1) as demo:
        assert demo.stdout is not None
        for line in demo.stdout:
            said.append(line.split())
            if line.startswith("  logs"):
                break
        up = {port: answers(port) for port in ports.values()}
        demo.send_signal(signal.SIGTERM)
        rest = demo.stdout.read()
    assert demo.returncode == 0, rest
    assert [line[0] for line in said if line and line[-1] == "ok"] == list(PROVIDERS)
    assert all(up.values())
    assert {port: answers(port) for port in ports.values()} == dict.fromkeys(ports.values(), False)


def test_a_taken_port_is_one_line_and_nothing_is_left_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(runner, "STATE", tmp_path / "demo")
    monkeypatch.setattr(runner, "end_by_signal", lambda: None)
    for variable in VARIABLES:
        monkeypatch.setenv(variable, str(free_port()))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        monkeypatch.setenv("PORTAL_PORT", str(taken.getsockname()[1]))
        assert runner.main() == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("make demo: port")
    assert said.err.count("\n") == 1
    assert not (tmp_path / "demo" / "processes.json").exists()


def test_a_try_that_cannot_start_is_one_line_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_processes: object) -> int:
        raise CannotStart("the reason")

    monkeypatch.setattr(try_all, "try_all", fail)
    monkeypatch.setattr(try_all, "end_by_signal", lambda: None)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = signal.getsignal(signal.SIGALRM)
    try:
        assert try_all.main() == 2
    finally:
        signal.signal(signal.SIGALRM, before)
    assert capsys.readouterr().err == "make try: the reason\n"
    assert list(tmp_path.iterdir()) == []


def test_a_try_is_ended_only_where_nothing_goes_on_and_says_what_it_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def work(_processes: object) -> int:
        for number in range(8):  # each shorter than STALL, all of them longer
            progress.waiting_for(f"step {number}")
            signal.pause()
        progress.waiting_for("the broker")
        while True:
            signal.pause()

    monkeypatch.setattr(progress, "STALL", 0.3)
    monkeypatch.setattr(progress, "TICK", 0.08)
    monkeypatch.setattr(try_all, "try_all", work)
    monkeypatch.setattr(try_all, "end_by_signal", lambda: None)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = signal.getsignal(signal.SIGALRM)
    assert try_all.main() == 2
    assert signal.getsignal(signal.SIGALRM) == before
    said = capsys.readouterr().err
    assert all(f"waiting for step {number} " in said for number in range(8))
    assert said.endswith("it waited for the broker\n")
    assert list(tmp_path.iterdir()) == []


def test_a_start_says_that_it_deletes_the_accounts_of_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "STATE", tmp_path)
    assert not runner.forget_accounts()
    (tmp_path / "registration.sqlite").touch()
    assert runner.forget_accounts()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("wrong", "status"), [(0, 0), (3, 1)])
def test_a_try_is_only_right_if_every_row_is(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    wrong: int,
    status: int,
) -> None:
    monkeypatch.setattr(try_all, "try_all", lambda _processes: wrong)
    monkeypatch.setattr(try_all, "end_by_signal", lambda: None)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = signal.getsignal(signal.SIGALRM)
    try:
        assert try_all.main() == status
    finally:
        signal.signal(signal.SIGALRM, before)
    assert ("logs, configuration, keys:" in capsys.readouterr().out) == bool(wrong)
