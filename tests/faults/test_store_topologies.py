"""A Cluster of three and a Sentinel set: people identify on them, and go on when the primary dies.

The whole protocol suite runs on either by `make test-topologies`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from broker.app import create_app
from broker.operations.checks import check_store
from broker.settings import Settings
from broker.settings.store import StoreSettings
from broker.store import connect
from demo.runner.processes import free_port
from kit.serving.operations import Check
from tests.harness.broker import System
from tests.harness.browser import Browser
from tests.harness.redis_cluster import Cluster
from tests.harness.sentinels import Sentinels

Start = Callable[[Any], System]


@pytest.fixture
def start(broker_keys: Path, bank_keys: Path, tmp_path: Path) -> Iterator[Start]:
    """Starts a store, and a system on it."""
    ends: list[Callable[[], Any]] = []

    def started(store: Any) -> System:
        ends.append(store.remove)
        store.start()
        system = System(store, broker_keys, bank_keys, tmp_path)
        ends.append(lambda: system.__exit__(None, None, None))
        system.mock.next("*", persona=system.adult()["id"], times=0)
        return system

    yield started
    for end in reversed(ends):
        end()


def identifies(system: System) -> None:
    """A person, all the way to a verified identity token."""
    browser = Browser(system.broker().client)
    assert browser.token(browser.start(idp_hint="op"))["idp"] == "op"


def state_of(client: Any) -> Check:
    """What readiness says of the store itself."""
    return next(iter(check_store(client)))


@pytest.mark.smoke
def test_a_person_identifies_on_a_cluster(start: Start) -> None:
    store = Cluster()
    system = start(store)
    for _ in range(8):  # each has a slot of its own
        identifies(system)
    assert all(client.dbsize() for client in store.clients()), "every node has its share"
    assert state_of(system.broker().parts.store.client).state == "ok"


@pytest.mark.smoke
def test_a_person_identifies_by_way_of_sentinels(start: Start) -> None:
    system = start(Sentinels())
    identifies(system)
    assert state_of(system.broker().parts.store.client).state == "ok"


@pytest.mark.drill
def test_people_go_on_when_the_primary_has_died_and_another_took_over(start: Start) -> None:
    store = Sentinels()
    system = start(store)
    identifies(system)
    client = system.broker().parts.store.client
    store.kill(0)
    assert state_of(client).state == "failed"
    store.wait_for_failover()
    while state_of(client).state != "ok":  # each connection that was open fails once; nothing is sent twice
        pass
    identifies(system)


@pytest.mark.smoke
def test_a_dead_first_node_of_a_cluster_keeps_no_broker_from_starting(start: Start) -> None:
    store = Cluster()
    system = start(store)
    nowhere = f"redis://127.0.0.1:{free_port()}"
    assert state_of(connect(StoreSettings(url=nowhere, cluster=True, nodes=tuple(store.others)))).state == "ok"
    alone = system.config("telia", "shared") | {"store": {"url": nowhere, "cluster": True}}
    app = create_app(Settings.model_validate(alone), clock=system.clock)
    parts = app.extensions["tunnus"]
    assert state_of(parts.store.client).state == "failed"
    assert parts.operations.test_client().get("/readyz").status_code == 503
    browser = Browser(system.broker().client)
    answer = app.test_client().get(browser.authorize_url().removeprefix(system.broker().client.issuer))
    assert answer.status_code == 503
