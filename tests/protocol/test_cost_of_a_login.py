"""What one plain login asks of the store and of the broker, counted: no more than this, whatever else changes."""

from __future__ import annotations

import os
from typing import Any

import pytest

from broker.store import exchange
from broker.store.steps import SCRIPT
from tests.harness.broker import Broker, System
from tests.harness.broker_pair import chooser
from tests.harness.browser import Browser
from tests.harness.calls import Calls

CLUSTER = os.environ.get("TUNNUS_TEST_STORE") == "cluster"
"""There a trip reaches one slot: what is counted, and a client's assertion, stand outside a transaction's."""

MOST_CALLS = 9_400 if CLUSTER else 8_700
"""Calls of functions, of Python and of C, in the application, on Python 3.11; 500 of them only beside other tests."""

KEPT_BY_CLIENTS = ("/jwks", "/.well-known/openid-configuration")


class Counts:
    """What a login asks of the broker, and the broker of its store: a command a round trip, and WAIT where it must."""

    def __init__(self, broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
        self.commands: list[str] = []
        self.requests = 0
        once, answer = exchange._once, broker.app.wsgi_app

        def exchanged(pool: Any, command: Any, *arguments: Any, **named: Any) -> Any:
            self.commands.append(str(command[0]))
            return once(pool, command, *arguments, **named)

        def answered(environ: dict[str, Any], start: Any) -> Any:
            self.requests += environ["PATH_INFO"] not in KEPT_BY_CLIENTS
            return answer(environ, start)

        monkeypatch.setattr(exchange, "_once", exchanged)
        monkeypatch.setattr(broker.app, "wsgi_app", answered)


@pytest.fixture
def broker(system: System) -> Broker:
    broker = system.broker("telia", "shared")
    system.mock.next("*", persona=system.adult()["id"], times=0)
    for client in system.store.clients():
        with client:
            client.script_load(SCRIPT)
    browser = Browser(broker.client)
    assert browser.token(browser.start(idp_hint="nordea"))["idp"] == "nordea"  # so that it has the bank's keys
    return broker


def test_a_login_by_hint_is_three_requests_and_five_round_trips(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = Counts(broker, monkeypatch)
    browser = Browser(broker.client)
    assert browser.token(browser.start(idp_hint="nordea"))["idp"] == "nordea"
    assert counts.requests == 3
    assert len(counts.commands) == (7 if CLUSTER else 5), counts.commands


def test_a_login_by_the_chooser_is_five_requests_and_eight_round_trips(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = Counts(broker, monkeypatch)
    browser = Browser(broker.client)
    arrival = browser.open(chooser(browser.start()).link("/nordea"))
    assert browser.token(arrival)["idp"] == "nordea"
    assert counts.requests == 5
    assert len(counts.commands) == (11 if CLUSTER else 8), counts.commands


def test_a_login_by_hint_is_so_many_calls_of_functions(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    """The least of three logins: now and then one falls together with what the broker does once a minute."""
    calls = Calls(broker.app, monkeypatch, without=KEPT_BY_CLIENTS)
    counted = []
    for _ in range(4):
        browser = Browser(broker.client)
        assert browser.token(browser.start(idp_hint="nordea"))["idp"] == "nordea"
        counted.append(calls.told())
    least = min(counted[1:])  # the first one fills caches
    assert least <= MOST_CALLS, counted
    assert least > MOST_CALLS * 0.85, "then the bound can be lower"
