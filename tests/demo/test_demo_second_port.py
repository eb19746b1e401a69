"""The second port of a broker that runs as a process: what only a process has to show."""

from __future__ import annotations

import requests

from demo.runner.mock_banks import MockBanks
from demo.runner.proof import prove
from demo.runner.stack import Stack


def test_a_running_broker_shows_its_threads_and_its_page_and_that_to_nobody_through_a_proxy(
    stack: Stack, mock: MockBanks
) -> None:
    assert prove(stack.client, mock, "pop", "pop", mock.people()[0], "pop").problem is None
    second = f"http://127.0.0.1:{stack.places.operations_port}"
    metrics = requests.get(f"{second}/metrics", timeout=30).text
    assert 'tunnus_limit_most{limit="threads"} 64.0' in metrics
    assert 'tunnus_limit_used{limit="threads"} 0.0' in metrics
    assert "tunnus_requests_waiting 0.0" in metrics
    page = requests.get(f"{second}/status", timeout=30)
    assert (page.status_code, "1 started: 1 identified" in page.text) == (200, True)
    for header in ("X-Forwarded-For", "Forwarded", "Via"):
        assert requests.get(f"{second}/status", headers={header: "x"}, timeout=30).status_code == 403
