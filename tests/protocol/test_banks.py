"""Banks that do less than is usual, or fail: who can still identify, over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from broker.app import create_app
from broker.settings import Settings
from demo.runner.client import Client
from demo.runner.processes import free_port
from providers.engine import breaker
from tests.harness.broker import PORTAL, Broker, System
from tests.harness.browser import Arrival, Browser

Change = Callable[[dict[str, Any]], None]


@contextmanager
def _broker(system: System, dialect: str, shape: str, change: Change) -> Iterator[Broker]:
    port = free_port()
    issuer = f"http://127.0.0.1:{port}"
    config = system.config(dialect, shape) | {"issuer": issuer}
    change(config)
    published = (issuer, config)
    system.more_issuers.append(published)
    app = create_app(Settings.model_validate(config), clock=system.clock)
    system.serve(app, port)
    yield Broker(app, Client(issuer, "portal", f"{PORTAL}/callback", system.client_keys), config)
    system.more_issuers.remove(published)


@pytest.fixture
def make_broker(system: System) -> Iterator[Callable[..., Broker]]:
    """A broker of a contract, its configuration changed."""
    with ExitStack() as stack:

        def make(dialect: str, shape: str, change: Change = lambda _config: None) -> Broker:
            return stack.enter_context(_broker(system, dialect, shape, change))

        yield make


@pytest.mark.parametrize("said", ["optional", "required"])
def test_a_bank_that_names_no_keys_is_understood_where_its_connection_says_so(
    system: System, make_broker: Callable[..., Broker], said: str
) -> None:
    def change(config: dict[str, Any]) -> None:
        config["connections"]["op"]["kid"] = said

    broker = make_broker("ftn", "own", change)
    faults = [{"name": "kid-absent-multiple-jwks"}, {"name": "jwe-kid-absent"}]
    system.mock.next("op", dialect="ftn", persona=system.adult()["id"], faults=faults)
    browser = Browser(broker.client)
    arrival = browser.start(idp_hint="op")
    if said == "optional":
        assert browser.token(arrival)["idp"] == "op"
    else:
        assert arrival.status == 502


def fails(system: System, broker: Broker, provider: str, fault: str, times: int) -> list[Arrival]:
    """People whose bank answers them so, one after the other."""
    system.mock.next(provider, persona=system.adult()["id"], faults=[{"name": fault}], times=times)
    return [Browser(broker.client).start(idp_hint=provider) for _ in range(times)]


def identifies(system: System, broker: Broker, provider: str) -> None:
    """Another person with a bank that works."""
    system.mock.next(provider, persona=system.adult()["id"])
    browser = Browser(broker.client)
    assert browser.token(browser.start(idp_hint=provider))["idp"] == provider


@pytest.mark.parametrize("fault", ["token-503", "token-html", "token-not-json", "token-connection-reset"])
def test_a_bank_that_fails_stops_no_other_of_its_contract_and_nobody_who_has_confirmed(
    system: System, make_broker: Callable[..., Broker], monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setattr(breaker, "FIRST_OPEN", 3600.0)
    monkeypatch.setattr(breaker, "LONGEST_OPEN", 3600.0)
    broker = make_broker("telia", "shared")
    identifies(system, broker, "op")
    system.mock.next("nordea", persona=system.adult()["id"])
    confirmed = Browser(broker.client)
    callback = confirmed.start(idp_hint="nordea", stop_before="/callback/").url
    ended = fails(system, broker, "nordea", fault, breaker.FAILURES_TO_OPEN)
    assert {arrival.status for arrival in ended} <= {502, 503}
    stopped = Browser(broker.client).start(idp_hint="nordea")
    assert "The chosen method cannot be used right now" in stopped.title
    assert not [link for link in stopped.links() if link.endswith("/nordea")]
    identifies(system, broker, "op")
    assert confirmed.token(confirmed.open(callback))["idp"] == "nordea"
    identifies(system, broker, "nordea")


def test_a_token_endpoint_that_fails_for_several_banks_stops_all_of_its_contract(
    system: System, make_broker: Callable[..., Broker], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(breaker, "FIRST_OPEN", 3600.0)
    monkeypatch.setattr(breaker, "LONGEST_OPEN", 3600.0)
    broker = make_broker("telia", "shared")
    for provider in ("nordea", "op", "aktia"):
        fails(system, broker, provider, "token-503", 2)
    shown = Browser(broker.client).start()
    assert not [link for link in shown.links() if "/identify/" in link]
