"""The second port of a broker that runs as a process: what only a process has to show."""

from __future__ import annotations

import re
from pathlib import Path

import requests

from demo.runner.mock_banks import MockBanks
from demo.runner.proof import prove
from demo.runner.stack import Stack


def test_a_running_broker_shows_its_threads_and_its_page_and_that_to_nobody_through_a_proxy(
    stack: Stack, mock: MockBanks
) -> None:
    assert prove(stack.client, mock, "pop", "pop", mock.people()[0], "pop").problem is None
    second = f"http://127.0.0.1:{stack.places.operations_port}"
    metrics = metrics_of(stack)
    assert 'tunnus_limit_most{limit="threads"} 64.0' in metrics
    assert 'tunnus_limit_used{limit="threads"} 0.0' in metrics
    assert "tunnus_requests_waiting 0.0" in metrics
    page = requests.get(f"{second}/status", timeout=30)
    assert (page.status_code, "1 started: 1 identified" in page.text) == (200, True)
    for header in ("X-Forwarded-For", "Forwarded", "Via"):
        assert requests.get(f"{second}/status", headers={header: "x"}, timeout=30).status_code == 403


def test_the_threads_that_answer_are_greenlets_of_one_thread_of_the_system(stack: Stack) -> None:
    of_the_system = list(Path(f"/proc/{stack.processes.pid('broker')}/task").iterdir())
    answering = int(re.search(r'tunnus_limit_most{limit="threads"} (\d+)', metrics_of(stack))[1])  # type: ignore[index]
    assert len(of_the_system) < answering / 2


def metrics_of(stack: Stack) -> str:
    return requests.get(f"http://127.0.0.1:{stack.places.operations_port}/metrics", timeout=30).text
