"""The store fails over, stands still or moves a slot in the middle of logins: nothing that was used is given twice.

Each prints its row of the table in docs/operations.md: pytest -m drill -s tests/faults/test_failover.py
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.harness.broker import System
from tests.harness.redis_cluster import NODES, Cluster
from tests.harness.replicated import Replicated
from tests.harness.sentinels import Sentinels
from tests.harness.under_way import Person, Told, drill
from tests.harness.valkey import START_SECONDS

Run = Callable[..., Told]
PEOPLE = 10


@pytest.fixture
def run(broker_keys: Path, bank_keys: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Run]:
    """Runs a drill on a store, with a system of its own."""
    ends: list[Callable[[], Any]] = []

    def ran(store: Replicated | Cluster, people: int, fault: Callable[[], Any], **more: Any) -> Told:
        ends.append(store.remove)
        store.start()
        system = System(store, broker_keys, bank_keys, tmp_path)
        ends.append(lambda: system.__exit__(None, None, None))
        system.mock.next("*", persona=system.adult()["id"], times=0)
        told = drill(system.broker(), people, fault, **more)
        print(f"\n{request.node.name}: {told}")
        return told

    yield ran
    for end in reversed(ends):
        end()


people = pytest.mark.parametrize(
    "people", [pytest.param(1, marks=pytest.mark.smoke), pytest.param(PEOPLE, marks=pytest.mark.drill)]
)


durable = pytest.mark.parametrize("durable", [0, 1])


@people
@durable
def test_a_replica_that_lags_behind_takes_over(run: Run, people: int, durable: int) -> None:
    """Of two replicas, the one that has heard nothing of the used codes is preferred."""
    store = Sentinels(replicas=2, durable=durable)

    def lag(people: list[Person]) -> None:
        with store.client(1) as replica:
            replica.config_set("replica-priority", 1)
        store.cut_off(1)

    told = run(store, people, lambda: store.kill(0), before=lag)
    assert store.primary() == 1
    assert told.twice == 0


@people
@durable
def test_a_primary_dies_and_a_replica_takes_over(run: Run, people: int, durable: int) -> None:
    store = Sentinels(replicas=2, durable=durable)
    assert_only_codes_were_lost(run(store, people, lambda: store.kill(0)))


@people
def test_a_primary_stands_still_until_a_replica_has_taken_over(run: Run, people: int) -> None:
    """And goes on when nobody expects it, with what was in its sockets."""
    store = Sentinels(replicas=2, durable=1)

    def goes_on(noticed: threading.Event) -> None:
        store.wait_for_failover()
        store.resume()
        store.wait(lambda: store.client(0).info("replication")["role"] == "slave")

    told = run(store, people, lambda: store.pause(0), meanwhile=goes_on)
    assert told.twice == 0


@people
def test_a_store_alone_stands_still_for_a_while(run: Run, people: int) -> None:
    store = Replicated(replicas=1, durable=1)

    def goes_on(noticed: threading.Event) -> None:
        assert noticed.wait(START_SECONDS)
        store.resume()

    told = run(store, people, lambda: store.pause(0), meanwhile=goes_on)
    assert told.twice == 0


@people
@durable
def test_a_primary_of_a_cluster_dies(run: Run, people: int, durable: int) -> None:
    """With one replica of each, and one that must confirm, its slots wait until the dead one is back as a replica.

    It is back before it knows that it is none, and unless a replica must confirm it may be written to, in vain, before
    another node tells it so. Whoever stands there may begin again; whoever stands elsewhere goes on.
    """
    store, dies = Cluster(replicas=1, durable=durable), []

    def choose(people: list[Person]) -> None:
        dies.extend(store.node_of(person.key) for person in people if person.step == "code")

    def comes_back(noticed: threading.Event) -> None:
        store.wait_for_failover(dies[0])
        store.start_node(dies[0])

    told = run(store, people, lambda: store.kill_node(dies[0]), before=choose, meanwhile=comes_back)
    assert told.twice == 0
    assert told.begun_again["code"] == dies.count(dies[0])
    assert {store.node_of(person.key) for person in told.again} == {dies[0] + NODES}
    if durable:
        assert_only_codes_were_lost(told)


@people
def test_slots_of_a_cluster_move_while_people_go_on(run: Run, people: int) -> None:
    store, moved = Cluster(), []

    def moves(noticed: threading.Event) -> None:
        moved.extend(store.move_slots(node, (node + 1) % 3) for node in range(3))

    told = run(store, people, lambda: None, meanwhile=moves)
    assert sum(moved) > people
    assert_only_codes_were_lost(told)


def assert_only_codes_were_lost(told: Told) -> None:
    """Who had no code yet went on where they were."""
    assert told.twice == 0
    assert set(told.begun_again) <= {"code"}, told
