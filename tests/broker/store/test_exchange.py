"""Slots that move, connections that break: what was not executed is done where it belongs, nothing is done twice."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from select import select

import pytest
import redis

from broker.keys import KeyRing
from broker.settings.store import StoreSettings
from broker.store import Entry, Key, RedisStore, StoreUnavailable, connect
from broker.store.exchange import kept
from tests.harness.redis_cluster import Cluster
from tests.harness.valkey import Valkey

ONE, TWO, NEW = (Key("code", "0123abcd", secret) for secret in ("one", "two", "new"))


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    made = Cluster()
    made.start()
    yield made
    made.remove()


@pytest.fixture
def store(cluster: Cluster, broker_keys: Path) -> Iterator[RedisStore]:
    client = connect(StoreSettings.model_validate(cluster.settings | {"timeout": 30}))
    made = RedisStore(client, KeyRing(broker_keys, time.time))
    made.put(Entry(ONE, {"number": 1}, 60), Entry(TWO, {"number": 2}, 60))
    yield made
    made.put(delete=[ONE, TWO, NEW])
    client.close()


@contextmanager
def half_moved(cluster: Cluster, *keys: Key) -> Iterator[None]:
    """A slot of which some keys stand at the next node already, and others do not."""
    source = cluster.node_of(ONE.name)
    target = (source + 1) % 3
    with cluster.client(source) as giver, cluster.client(target) as taker:
        slot = giver.execute_command("CLUSTER", "KEYSLOT", ONE.name)
        ids = [client.execute_command("CLUSTER", "MYID") for client in (giver, taker)]
        taker.execute_command("CLUSTER", "SETSLOT", slot, "IMPORTING", ids[0])
        giver.execute_command("CLUSTER", "SETSLOT", slot, "MIGRATING", ids[1])
        names = [key.name for key in keys]
        giver.execute_command("MIGRATE", "127.0.0.1", cluster.ports[target], "", 0, 5000, "KEYS", *names)
        yield
        while left := giver.execute_command("CLUSTER", "GETKEYSINSLOT", slot, 100):
            giver.execute_command("MIGRATE", "127.0.0.1", cluster.ports[target], "", 0, 5000, "KEYS", *left)
        for client in (taker, giver):
            client.execute_command("CLUSTER", "SETSLOT", slot, "NODE", ids[1])


@pytest.mark.smoke
def test_a_slot_that_has_moved_is_found_at_once(cluster: Cluster, store: RedisStore) -> None:
    for _ in range(3):  # around
        with half_moved(cluster, ONE, TWO):
            pass
        claimed = store.put_new_and_get(Entry(NEW, {}, 60), ONE, TWO)
        assert (claimed.first, claimed.values) == (True, [{"number": 1}, {"number": 2}])
        store.put(delete=[NEW])


@pytest.mark.smoke
def test_what_has_moved_ahead_of_its_slot_is_asked_for_there(cluster: Cluster, store: RedisStore) -> None:
    with half_moved(cluster, ONE):
        assert store.get(ONE) == [{"number": 1}]
        assert store.get(TWO) == [{"number": 2}]
        assert store.put_new(Entry(NEW, {}, 60))
        assert not store.put_new(Entry(NEW, {}, 60))
        assert store.take(ONE) == {"number": 1}
        assert store.take(ONE) is None
        assert store.count(Key("limit", "0123abcd", "x"), ttl=60) == [1]  # a MULTI, of one key


@pytest.mark.smoke
def test_what_stands_in_two_places_is_not_there_for_now(
    cluster: Cluster, store: RedisStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("broker.store.exchange._TRY_AGAIN_AFTER", 0)
    with half_moved(cluster, ONE):
        with pytest.raises(StoreUnavailable, match="TryAgainError"):
            store.put_new_and_get(Entry(NEW, {}, 60), ONE, TWO)
        with pytest.raises(StoreUnavailable, match="TryAgainError"):
            store.put(Entry(ONE, {"number": 3}, 60), Entry(TWO, {"number": 3}, 60))
    assert store.put_new_and_get(Entry(NEW, {}, 60), ONE, TWO)[:2] == (True, [{"number": 1}, {"number": 2}])


def test_one_broken_connection_closes_those_beside_it(store_server: Valkey, broker_keys: Path) -> None:
    """So that after a failover they are opened anew, and do not fail one by one."""
    with ExitStack() as open_ones, connect(StoreSettings(url=store_server.url, timeout=0.1)) as client:
        store = RedisStore(client, KeyRing(broker_keys, time.time))
        watcher = open_ones.enter_context(redis.Redis.from_url(store_server.url))
        before = len(watcher.client_list())
        pool = client.connection_pool
        kept(pool).extend(pool.get_connection() for _ in range(5))
        assert len(watcher.client_list()) == before + 5
        watcher.client_pause(60_000, all=False)  # what writes is not answered
        with pytest.raises(StoreUnavailable, match="TimeoutError"):
            store.put(Entry(ONE, {}, 60))
        while len(watcher.client_list()) > before + 1:  # the one that waits is only seen to be gone afterwards
            pass
        watcher.client_unpause()
        store.put(Entry(ONE, {}, 60))
        assert store.get(ONE) == [{}]


@pytest.mark.parametrize("left", ["in the reader", "in the socket"])
def test_an_answer_that_nobody_has_asked_for_is_not_taken_for_the_next_one(
    store_server: Valkey, broker_keys: Path, left: str
) -> None:
    with connect(StoreSettings(url=store_server.url)) as client:
        store = RedisStore(client, KeyRing(broker_keys, time.time))
        store.put(Entry(ONE, {"number": 1}, 60))
        connection = kept(client.connection_pool)[-1]
        if left == "in the reader":
            connection._parser._reader.feed(b"*1\r\n$-1\r\n")
        else:
            connection.send_command("MGET", NEW.name)
            assert select([connection._sock], [], [], 30)[0]
        assert store.get(ONE) == [{"number": 1}]


@pytest.mark.parametrize("write", [False, True])
def test_only_what_reads_is_sent_again_when_a_connection_breaks(
    store_server: Valkey, broker_keys: Path, monkeypatch: pytest.MonkeyPatch, write: bool
) -> None:
    with connect(StoreSettings(url=store_server.url, timeout=30)) as client:
        store = RedisStore(client, KeyRing(broker_keys, time.time))
        store.put(Entry(ONE, {"number": 1}, 60), delete=[NEW])
        connection = kept(client.connection_pool)[-1]
        answered = connection.read_response

        def broken() -> None:
            monkeypatch.setattr(connection, "read_response", answered)
            answered()
            raise redis.ConnectionError("cut before the answer was read")

        monkeypatch.setattr(connection, "read_response", broken)
        if write:
            with pytest.raises(StoreUnavailable):
                store.put_new(Entry(NEW, {}, 60))
            assert not store.put_new(Entry(NEW, {}, 60))  # it had taken effect
        else:
            assert store.get(ONE) == [{"number": 1}]
