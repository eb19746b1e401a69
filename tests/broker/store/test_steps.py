"""Lists of steps: all or nothing, to the step that ends them; by a script that a server may have forgotten."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from broker.keys import KeyRing
from broker.settings.store import StoreSettings
from broker.store import Entry, Key, RedisStore, Store, connect, new_slot, steps
from tests.harness.memory_store import MemoryStore


@pytest.fixture(params=["real", "memory"])
def store(request: pytest.FixtureRequest, valkey_url: str, broker_keys: Path) -> Iterator[Store]:
    if request.param == "memory":
        yield MemoryStore(time.time)
        return
    with connect(StoreSettings(url=valkey_url)) as client:
        yield RedisStore(client, KeyRing(broker_keys, time.time))


@pytest.fixture
def key() -> Callable[[str], Key]:
    slot = new_slot()
    return lambda secret: Key("code", slot, secret)


def test_steps_are_done_in_order_and_each_answers(store: Store, key: Callable[[str], Key]) -> None:
    one, two, counter = key("one"), key("two"), key("counter")
    wanted = (
        steps.put(Entry(one, {"n": 1}, 60)),
        steps.put_new(Entry(two, {"n": 2}, 60)),
        steps.put_new(Entry(two, {"n": 3}, 60)),
        steps.get(two),
        steps.get(key("none")),
        steps.count(counter, ttl=60),
        steps.count(counter, ttl=60, by=2, most=3),
        steps.delete(one),
        steps.get(one),
        steps.history(one),
    )
    *answers, history = store.run(*wanted)
    assert answers == [True, True, False, {"n": 2}, None, 1, 3, True, None]
    assert history


@pytest.mark.parametrize("way", ["get", "new"])
def test_a_step_that_is_needed_ends_the_list(store: Store, key: Callable[[str], Key], way: str) -> None:
    there, new = key("there"), key("new")
    store.put(Entry(there, {}, 60))
    needed = steps.get(key("x"), needed=True) if way == "get" else steps.put_new(Entry(there, {}, 60), needed=True)
    assert len(store.run(steps.get(there), needed, steps.put(Entry(new, {}, 60)))) == 2
    assert store.get(new) == [None]


def test_what_is_too_many_for_one_counter_is_counted_by_none(store: Store, key: Callable[[str], Key]) -> None:
    one, two, new = key("1"), key("2"), key("new")

    def run() -> list[int]:
        counting = steps.count(one, ttl=60), steps.count(two, ttl=60, most=1)
        return store.run(*counting, steps.put(Entry(new, {}, 60)))

    assert run() == [1, 1, True]
    store.put(delete=[new])
    assert run() == [2, 2]
    assert store.get(new) == [None]
    assert store.count(one, two, ttl=60, by=0) == [1, 1]


def test_a_server_that_does_not_have_the_script_is_given_it(valkey_url: str, broker_keys: Path) -> None:
    with connect(StoreSettings(url=valkey_url)) as client, redis.Redis.from_url(valkey_url) as operator:
        store = RedisStore(client, KeyRing(broker_keys, time.time))
        counter = Key("code", new_slot(), "counter")
        for expected in (1, 2):
            operator.script_flush()
            assert store.count(counter, ttl=60) == [expected]
        operator.config_resetstat()
        assert store.count(counter, ttl=60) == [3]
        assert "cmdstat_eval" not in operator.info("commandstats")
