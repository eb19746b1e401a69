"""What a login must not do once a broker is warm: counts, which no busy machine changes."""

from __future__ import annotations

import threading

import requests

from bench.counting import CONNECTIONS, JWKS_FETCHED, KEYS_PARSED, THREADS, counting
from tests.harness.broker import Broker, System
from tests.harness.broker_pair import Pair

LOGINS = 3
THREADS_OF_A_LOGIN = 1
"""The timer that watches the call to the bank."""


def identify(system: System, broker: Broker) -> None:
    system.mock.next("nordea", persona=system.adult()["id"])
    with requests.Session() as browser:
        browser.trust_env = False
        assert broker.client.identify(browser, idp_hint="nordea")["idp"] == "nordea"


def elsewhere() -> bool:
    """Not in the test itself, which is client and browser."""
    return threading.current_thread() is not threading.main_thread()


def test_a_warm_broker_parses_no_key_fetches_none_and_connects_to_no_bank_for_a_login(system: System) -> None:
    broker = system.broker("telia", "shared")
    identify(system, broker)
    with counting(elsewhere) as counts:
        for _ in range(LOGINS):
            identify(system, broker)
    assert (counts[KEYS_PARSED], counts[JWKS_FETCHED], counts[CONNECTIONS]) == (0, 0, 0)
    assert counts[THREADS] <= THREADS_OF_A_LOGIN * LOGINS


def test_what_a_cold_broker_does_is_counted(pair: Pair) -> None:
    """Or the test above could not fail."""
    with counting(elsewhere) as counts:
        identify(pair.system, pair.brokers[0])
    assert counts[JWKS_FETCHED] == 1
    assert counts[CONNECTIONS] >= 1
