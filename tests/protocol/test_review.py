"""What a review found, each as a test: a broker's last seconds, faults of ours, addresses that nobody should send."""

from __future__ import annotations

import http.client
import time
from urllib.parse import urlsplit

import pytest

from broker.flow.records import ReturnRecord
from broker.store import from_members, to_members
from demo.portal.app import create_app as create_portal
from demo.portal.client_keys import ClientKeys
from tests.harness.broker import System
from tests.harness.browser import Browser

EVIL = "evil.example"
LONGEST_COOKIE = 4096
ATTEMPT_SECONDS = 900


def _ask(port: int, target: str) -> tuple[int, str]:
    """Status and `Location` of a raw GET that claims to be for another host."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.putrequest("GET", target, skip_host=True)
        connection.putheader("Host", EVIL)
        connection.endheaders()
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.headers.get("Location", "")
    finally:
        connection.close()


@pytest.mark.parametrize(
    "target",
    [
        "/choose//x",
        "/callback//telia?code=x&state=y",
        "/identify/..%2f/nordea",
        "/identify/x%0d%0aSet-Cookie:%20a=b/nordea",
        "/identify/%3fx=1%23/nordea",
    ],
)
def test_an_odd_address_neither_breaks_nor_leads_to_the_host_header(system: System, target: str) -> None:
    port = urlsplit(system.broker().client.issuer).port
    assert port is not None
    status, location = _ask(port, target)
    assert status < 500
    assert EVIL not in location
    assert "?" not in location


def test_an_equal_callback_gets_the_outcome_though_the_attempt_lapses_in_between(system: System) -> None:
    broker = system.broker()
    system.mock.next("*", outcome="cancel")
    browser = Browser(broker.client)
    at_bank = browser.start(idp_hint="nordea", stop_before="/callback/")
    system.later(ATTEMPT_SECONDS - 30)
    first = browser.open(at_bank.url)
    assert "/choose/" in first.url
    system.later(40)
    assert browser.open(at_bank.url).url == first.url


def test_a_fault_of_ours_after_the_claim_has_an_outcome_with_ways_on(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker = system.broker()
    system.mock.next("*", persona=system.adult()["id"])
    browser = Browser(broker.client)
    at_bank = browser.start(idp_hint="nordea", stop_before="/callback/")

    def broken(*_arguments: object) -> None:
        raise ValueError("nothing of this is told")

    monkeypatch.setattr("providers.engine.adapter.OidcAdapter.finish", broken)
    first = browser.open(at_bank.url)
    assert first.status == 502
    assert first.link("/return/")
    begun = time.monotonic()
    assert browser.open(at_bank.url).url == first.url
    assert time.monotonic() - begun < 5


def test_the_operations_port_has_the_clock_of_the_broker(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[float] = []

    def check_keys(_keys: object, now: float, _every: object) -> list[object]:
        seen.append(now)
        return []

    monkeypatch.setattr("broker.operations.health.check_keys", check_keys)
    system.later(3600)
    system.broker().parts.operations.test_client().get("/readyz")
    assert seen[0] > time.time() + 3000


def test_the_portals_cookie_stays_small_however_often_a_login_is_begun() -> None:
    portal = create_portal("http://localhost", "http://127.0.0.1:8000", ClientKeys.generate(), "x" * 32)
    client = portal.test_client()
    for _ in range(30):
        begun = client.get("/start")
        assert len(begun.headers["Set-Cookie"]) < LONGEST_COOKIE


def test_a_record_of_a_newer_broker_is_read_by_an_older_one() -> None:
    value = ReturnRecord("t", "x", "portal", "http://127.0.0.1:9/callback", "s", "b", "fi")
    assert from_members(ReturnRecord, to_members(value) | {"added_later": 1}) == value


def test_the_metrics_tell_the_calls_in_progress_and_which_connection_refused(system: System) -> None:
    broker = system.broker("telia", "shared")
    system.mock.next("nordea", persona=system.adult()["id"], faults=["nonce-invalid"])
    Browser(broker.client).start(idp_hint="nordea")
    text = broker.parts.metrics.render().decode()
    assert 'tunnus_connection_calls{connection="shared-telia"} 0.0' in text
    assert 'connection="shared-telia",outcome="integrity_error"' in text
