"""The status page of the second port: what came of the last hour, who is stopped, and that nobody else sees it."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

import pytest
import requests

from demo.runner.processes import free_port
from kit.serving.ending import Ending
from kit.serving.server import listen_operations
from kit.status.page import BY_A_PROXY
from providers.engine.breaker import FAILURES_TO_OPEN
from tests.harness.broker import Broker, System
from tests.harness.broker_pair import Pair
from tests.harness.browser import Browser
from tests.harness.page_rules import check_page

HOUR = 3600


def words(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())


def rows(page: Element) -> dict[str, str]:
    """What stands beside each name of a row."""
    return {
        words(name): words(item).removeprefix(words(name)).strip()
        for item in page.findall(".//ul[@role='list']/li")
        if (name := item.find("p[@class='status-name']")) is not None
    }


def looked_at(broker: Broker) -> Element:
    answer = broker.parts.operations.test_client().get("/status")
    assert answer.status_code == 200
    return check_page(answer.text, "en")


def widths(page: Element, name: str) -> list[tuple[str, str]]:
    """The pieces of a row's bar."""
    (item,) = (item for item in page.findall(".//li") if words(item).startswith(name))
    return [(str(rect.get("class")), str(rect.get("width"))) for rect in item.iter() if rect.tag.endswith("}rect")]


def test_it_tells_what_came_of_the_last_hour_by_bank_in_words_and_drawn(pair: Pair) -> None:
    broker, system = pair.brokers[0], pair.system
    system.clock.offset = 40 * 24 * HOUR - 1  # what other tests did is over an hour ago
    assert rows(looked_at(broker))["Nordea by nordea"] == "open nobody"
    for outcome in ("identified", "identified", "cancelled", "unavailable"):
        metrics = broker.parts.metrics
        metrics.started(provider="nordea", connection="nordea")
        if outcome == "identified":
            metrics.identified(provider="nordea", connection="nordea")
        else:
            metrics.refused(code=outcome, step="response", provider="nordea", connection="nordea")
    metrics.started(provider="op", connection="op")
    page = looked_at(broker)
    told = rows(page)
    assert told["Nordea by nordea"] == "open 4 started: 2 identified, 1 cancelled, 1 unavailable"
    assert told["OP Bank Group by op"] == "open 1 started: 0 identified"
    assert widths(page, "Nordea") == [("bar-good", "50.0"), ("bar-left", "25.0"), ("bar-bad", "25.0")]
    assert widths(page, "OP Bank") == []
    assert told["Handelsbanken by handelsbanken"].startswith("closed")
    system.clock.offset += HOUR
    assert rows(looked_at(broker))["Nordea by nordea"] == "open nobody"


def test_a_login_is_counted_and_nothing_of_the_person_is_on_the_page(system: System) -> None:
    broker, person = system.broker("telia", "shared"), system.adult()
    before = rows(looked_at(broker))["Nordea by shared-telia"]
    system.mock.next("nordea", persona=person["id"])
    browser = Browser(broker.client)
    claims = browser.token(browser.start(idp_hint="nordea"))
    after = rows(looked_at(broker))["Nordea by shared-telia"]
    assert int((re.findall(r"(\d+) identified", before) or ["0"])[0]) + 1 == int(
        re.findall(r"(\d+) identified", after)[0]
    )
    shown = broker.parts.operations.test_client().get("/status").text
    private = [person[name] for name in ("personal_identity_code", "given_name", "family_name")]
    assert [value for value in (*private, claims["sub"], claims["txn"], browser.state) if value in shown] == []


def test_whose_breaker_is_open_is_told(system: System) -> None:
    broker = system.broker("telia", "shared")
    breakers = broker.parts.flow.adapters["shared-telia"]._http.breakers
    for _ in range(FAILURES_TO_OPEN):
        breakers.failed("nordea")
    told = rows(looked_at(broker))
    assert told["Nordea by shared-telia"].startswith("stopped: its breaker is open")
    assert told["Aktia by shared-telia"].startswith("open")
    for _ in range(FAILURES_TO_OPEN):
        breakers.failed(None)
    assert rows(looked_at(broker))["Aktia by shared-telia"].startswith("stopped: the breaker of its connection is open")


def test_each_key_is_told_with_what_happens_to_it_next_and_each_check_with_its_mend(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker = system.broker()
    page = looked_at(broker)
    assert words(page.find(".//h1")) == "The broker works"  # type: ignore[arg-type]
    purposes = [words(cell).split()[0] for cell in page.findall(".//tbody/tr/th")]
    assert set(purposes) >= {"entity", "rp-sig", "rp-enc", "id-token-sig", "pairwise", "store"}
    told = {words(code) for code in page.findall(".//td/code")}
    assert {f"{key.kid[:12]}…" for key in broker.parts.keys.status()} <= told

    def refuse(_descriptor: int, _data: bytes) -> int:
        raise OSError(errno.ENOSPC, "")

    monkeypatch.setattr(broker.parts.audit, "_write", refuse)
    page = looked_at(broker)
    assert words(page.find(".//h1")) == "The broker cannot work"  # type: ignore[arg-type]
    notice = words(page.find(".//section"))  # type: ignore[arg-type]
    assert "audit trail" in notice
    assert "mend the disk" in notice


def test_it_is_not_kept_runs_no_script_and_is_never_on_the_public_port(system: System) -> None:
    broker = system.broker()
    answer = broker.parts.operations.test_client().get("/status")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "script-src" not in answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    for style in re.findall(r'href="(/static/[^"]+)"', answer.text):
        assert broker.parts.operations.test_client().get(style).status_code == 200
    assert requests.get(f"{broker.client.issuer}/status", timeout=30).status_code == 404


@pytest.fixture
def second_port(system: System) -> Iterator[str]:
    """The second port as a process has it."""
    port = free_port()
    server = listen_operations(system.broker().parts.operations, Path("x"), Ending(), host="127.0.0.1", port=port)
    server.start("second-port")
    yield f"http://127.0.0.1:{port}"
    server.drain(0)


def test_it_is_shown_to_nobody_who_comes_through_a_proxy(second_port: str) -> None:
    assert requests.get(f"{second_port}/status", timeout=30).status_code == 200
    for name in BY_A_PROXY:
        answer = requests.get(f"{second_port}/status", headers={name: "192.0.2.1"}, timeout=30)
        assert (answer.status_code, "through a proxy" in answer.text) == (403, True), name
        assert requests.get(f"{second_port}/readyz", headers={name: "192.0.2.1"}, timeout=30).status_code == 200
