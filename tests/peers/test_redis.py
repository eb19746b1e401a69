"""Redis 7 in place of Valkey: the same commands, the same promises."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis
import requests

from broker.keys import KeyRing
from broker.settings.store import StoreSettings
from broker.store import Entry, Key, RedisStore, connect
from demo.runner.mock_banks import MockBanks
from demo.runner.proof import prove
from demo.runner.stack import Stack

pytestmark = pytest.mark.peers

THREADS = 8


@pytest.fixture
def client(redis_stack: Stack) -> Iterator[redis.Redis]:
    """A connection to the Redis of the stack."""
    with redis.Redis.from_url(redis_stack.places.store_url) as connected:
        yield connected


@pytest.fixture
def store(redis_stack: Stack) -> Iterator[RedisStore]:
    """The broker's store on it."""
    connected = connect(StoreSettings(url=redis_stack.places.store_url))
    yield RedisStore(connected, KeyRing(redis_stack.places.state / "keys", time.time))
    connected.close()


def test_it_is_redis_and_of_version_7(client: redis.Redis) -> None:
    told = client.info("server")
    assert "valkey_version" not in told
    assert told["redis_version"].startswith("7.")


def test_a_person_identifies_while_redis_7_is_the_store(redis_stack: Stack, client: redis.Redis) -> None:
    mock = MockBanks(redis_stack.places.mock)
    before = client.info("stats")["total_commands_processed"]
    proof = prove(redis_stack.client, mock, "op", "op", mock.people()[0], "op")
    assert proof.problem is None
    assert client.info("stats")["total_commands_processed"] > before + 4


def test_the_broker_is_ready_on_redis_7(redis_stack: Stack) -> None:
    """It looks at how durable the store is, too."""
    url = f"http://127.0.0.1:{redis_stack.places.operations_port}/readyz"
    with requests.Session() as session:
        session.trust_env = False
        answer = session.get(url, timeout=10)
    assert answer.status_code == 200, json.dumps(answer.json())


def test_of_eight_takers_at_once_one_gets_the_value(store: RedisStore) -> None:
    for number in range(50):
        key = Key("code", "0123abcd", f"0123abcd-{number}")
        store.put(Entry(key, {"number": number}, 60))
        with ThreadPoolExecutor(THREADS) as pool:
            got = [value for value in pool.map(store.take, [key] * THREADS) if value is not None]
        assert got == [{"number": number}]


def test_of_eight_first_comers_one_is_the_first(store: RedisStore) -> None:
    for number in range(50):
        entry = Entry(Key("jti", "", f"jti-{number}"), {}, 60)
        with ThreadPoolExecutor(THREADS) as pool:
            assert sum(pool.map(store.put_new, [entry] * THREADS)) == 1


def test_what_was_put_ends_by_itself(store: RedisStore, client: redis.Redis) -> None:
    key = Key("code", "0123abcd", "0123abcd-ttl")
    store.put(Entry(key, {}, 60))
    assert 0 < client.ttl(key.name) <= 60
