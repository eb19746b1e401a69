"""A primary and its replica: who takes a one-time thing knows whether a failover could bring it back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from broker.keys import KeyRing
from broker.settings.store import StoreSettings
from broker.store import Durability, Entry, Key, NotDurable, RedisStore, StoreUnavailable, connect, slotted
from tests.harness.replicated import Replicated

SOON, LONG = 0.05, 60.0
"""Seconds in which a replica that stands still has not confirmed, and in which one that does not has."""
KEY = Key("code", "0123abcd", "0123abcd-the-code")
ENTRY = Entry(KEY, {"number": 1}, 60)
OTHER = slotted("used-code", "0123abcd-the-code")


@pytest.fixture(scope="module")
def servers() -> Iterator[Replicated]:
    made = Replicated(durable=1)
    made.start()
    yield made
    made.remove()


@pytest.fixture(scope="module")
def ring(broker_keys: Path) -> KeyRing:
    return KeyRing(broker_keys, time.time)


@pytest.fixture
def primary(servers: Replicated) -> Iterator[redis.Redis]:
    with servers.client(0) as client:
        client.flushall()
        yield client


@pytest.fixture
def store(servers: Replicated, primary: redis.Redis, ring: KeyRing) -> Iterator[RedisStore]:
    settings = StoreSettings.model_validate(servers.settings)
    with connect(settings.model_copy(update={"timeout": 2 * LONG})) as client:
        yield RedisStore(client, ring, durability=Durability(1, LONG))


@pytest.fixture
def standing_still(servers: Replicated, primary: redis.Redis, store: RedisStore) -> Iterator[None]:
    """The replica confirms nothing, and its primary does not know yet that it is away."""
    store._durability = Durability(1, SOON)
    servers.pause(1)
    yield
    servers.resume()
    servers.wait(lambda: primary.execute_command("WAIT", 1, 100) == 1)


TAKINGS: dict[str, Callable[[RedisStore], Any]] = {
    "put_new": lambda store: store.put_new(ENTRY),
    "put_new_and_get": lambda store: store.put_new_and_get(ENTRY, OTHER)[0],
    "take": lambda store: store.take(KEY),
}
taking = pytest.mark.parametrize("way", TAKINGS)


@pytest.fixture
def take(way: str, store: RedisStore) -> Callable[[], Any]:
    if way == "take":
        store.put(ENTRY)
    return lambda: TAKINGS[way](store)


@taking
def test_what_a_replica_has_confirmed_is_taken_by_one(take: Callable[[], Any]) -> None:
    assert take()
    assert not take()


@taking
@pytest.mark.usefixtures("standing_still")
def test_what_no_replica_has_confirmed_is_refused_and_not_there_again(take: Callable[[], Any]) -> None:
    with pytest.raises(NotDurable):
        take()
    assert not take()


@pytest.mark.usefixtures("standing_still")
def test_what_is_only_stored_waits_for_nobody(store: RedisStore) -> None:
    store.put(ENTRY)
    assert store.get(KEY) == [{"number": 1}]
    assert store.count(OTHER, ttl=60) == [1]


@taking
@pytest.mark.usefixtures("standing_still")
def test_nobody_waits_where_no_replica_is_demanded(take: Callable[[], Any], store: RedisStore) -> None:
    store._durability = Durability(0)
    assert take()


@taking
def test_it_is_asked_on_the_connection_that_wrote(take: Callable[[], Any], primary: redis.Redis) -> None:
    with primary.monitor() as monitor:
        take()
        seen = []
        while not seen or seen[-1]["command"].split()[0] != "WAIT":
            seen.append(monitor.next_command())
    wrote = next(one for one in seen if one["command"].split()[0] in ("SET", "GETDEL", "EVALSHA"))
    assert (wrote["client_address"], wrote["client_port"]) == (seen[-1]["client_address"], seen[-1]["client_port"])


@taking
def test_a_primary_without_replicas_takes_nothing(take: Callable[[], Any], primary: redis.Redis) -> None:
    primary.config_set("min-replicas-to-write", 2)
    try:
        with pytest.raises(StoreUnavailable, match="ResponseError") as raised:
            take()
    finally:
        primary.config_set("min-replicas-to-write", 1)
    assert not isinstance(raised.value, NotDurable)
    assert take()  # nothing was used up


def test_a_replica_that_takes_over_has_another_history(ring: KeyRing) -> None:
    servers = Replicated()
    servers.start()
    try:
        stores = [RedisStore(servers.client(number), ring) for number in (0, 1)]
        before = stores[0].put_new_and_get(ENTRY, OTHER)
        assert before.first
        assert stores[0].put_new_and_get(ENTRY, OTHER).history == before.history != ""
        servers.cut_off(1)
        with servers.client(1) as replica:
            replica.replicaof("NO", "ONE")
        after = stores[1].put_new_and_get(Entry(OTHER, {}, 60), KEY)
        assert after.values == [{"number": 1}]
        assert after.history not in ("", before.history)
        servers.kill(0)
        servers.start_server(0)
        servers.wait(lambda: servers.client(0).ping())
        again = stores[0].put_new_and_get(ENTRY, OTHER)
        assert again.history not in ("", before.history, after.history)
        for store in stores:
            store.client.close()
    finally:
        servers.remove()


def test_a_server_that_has_become_a_replica_is_not_asked_by_connections_that_were_open(
    servers: Replicated, primary: redis.Redis, store: RedisStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where Sentinels or a name lead to another server: what it says it has not done is done there, once."""
    pool = store.client.connection_pool
    store.get(KEY)
    with servers.client(1) as replica, monkeypatch.context() as patch:
        connection = pool.get_connection()
        patch.setattr(connection, "port", servers.ports[1])
        connection.disconnect()
        connection.connect()
        patch.undo()
        pool.release(connection)
        assert replica.info("replication")["role"] == "slave"
        assert store.put_new(ENTRY)
    assert store.get(KEY) == [{"number": 1}]
