"""The end of a server, in a process of its own."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from demo.runner.processes import free_port
from tests.kit.serving.slow_server import REQUESTS

ROOT = Path(__file__).resolve().parents[3]


@contextmanager
def slow_server() -> Iterator[tuple[int, subprocess.Popen[str], list[Future[requests.Response]]]]:
    """Its port and process, asked to end, and the requests that wait in it."""
    port = free_port()
    command = [sys.executable, "-m", "tests.kit.serving.slow_server", str(port)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": ROOT}
    with subprocess.Popen(command, **pipes) as process, ThreadPoolExecutor(REQUESTS) as threads:  # type: ignore[call-overload]
        assert process.stdout.readline() == "ready\n"
        asked = [threads.submit(requests.get, f"http://127.0.0.1:{port}/", timeout=60) for _ in range(REQUESTS)]
        assert process.stdout.readline() == "waiting\n"
        process.send_signal(signal.SIGTERM)
        assert process.stdout.readline() == "ending\n"
        yield port, process, asked


def test_requests_that_have_come_are_answered_at_the_end_those_that_wait_for_a_thread_too() -> None:
    with slow_server() as (port, process, asked):
        process.stdin.write("go on\n")
        process.stdin.flush()
        assert [len(answer.result().content) for answer in asked] == [100_000] * REQUESTS
        assert process.wait(60) == 0
    with pytest.raises(requests.ConnectionError):
        requests.get(f"http://127.0.0.1:{port}/", timeout=10)


def test_a_second_signal_ends_it_at_once() -> None:
    with slow_server() as (_, process, asked):
        process.send_signal(signal.SIGTERM)
        assert process.wait(90) == 0, "it waits for what hangs"
        assert all(isinstance(answer.exception(), requests.ConnectionError) for answer in asked)
