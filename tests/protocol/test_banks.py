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
from tests.harness.broker import PORTAL, Broker, System
from tests.harness.browser import Browser

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
