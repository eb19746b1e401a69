"""The user of docs/operations.md may do what the broker does, and what readiness looks at."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from broker.keys import KeyRing
from broker.operations.checks import check_store
from broker.operations.durability import check_durability
from broker.settings.store import StoreSettings
from broker.store import Durability, Entry, Key, RedisStore, connect
from tests.harness.replicated import Replicated

DOCS = Path(__file__).parents[3] / "docs" / "operations.md"


@pytest.fixture
def servers() -> Iterator[Replicated]:
    made = Replicated(durable=1)
    made.start()
    yield made
    made.remove()


def test_the_documented_user_may_do_what_the_broker_does(servers: Replicated, broker_keys: Path) -> None:
    (line,) = re.findall(r"^ACL SETUSER .*$", DOCS.read_text(), re.MULTILINE)
    with servers.client(0) as client:
        client.execute_command(*line.replace("PASSWORD", "known").split())
    url = f"redis://tunnus:known@127.0.0.1:{servers.ports[0]}/0"
    settings = StoreSettings(url=url, durable_replicas=1, timeout=30)
    with connect(settings) as client:
        store = RedisStore(client, KeyRing(broker_keys, time.time), durability=Durability(1, 20))
        key, other = Key("code", "0123abcd", "one"), Key("code", "0123abcd", "two")
        store.put(Entry(key, {"number": 1}, 60), delete=[other])
        assert store.put_new(Entry(other, {}, 60))
        claimed = store.put_new_and_get(Entry(Key("claim", "0123abcd", "three"), {}, 60), key)
        assert (claimed.first, claimed.values) == (True, [{"number": 1}])
        assert store.take(key) == {"number": 1}
        assert store.count(Key("limit", "", "four"), ttl=60) == [1]
        store.push(Key("refused", "", "five"), {"number": 5}, most=2, ttl=60)
        assert store.recent(Key("refused", "", "five")) == [{"number": 5}]
        checks = [*check_store(client), *check_durability(client, settings)]
        assert {check.name: check.said for check in checks if check.state != "ok"} == {}
        with servers.client(0) as operator:
            operator.execute_command("ACL", "SETUSER", "tunnus", "-eval")
        (refused,) = check_store(client)
        assert (refused.state, refused.said) == ("failed", "takes nothing: NoPermissionError")
