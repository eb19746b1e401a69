"""Records of every format that a broker ever wrote: today's writes the newest, and reads them all."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
import redis

from broker.keys import KeyRing
from broker.settings.store import StoreSettings
from broker.store import Entry, Key, RedisStore, connect, new_slot
from broker.store.formats import FORMATS
from tests.harness.store_records import READERS, RECORDS, newer_broker, written

SAMPLES = Path(__file__).parent / "samples"
CHANGED = (
    "what is written has changed. If a broker of the version before can use it, add it to the newest samples; "
    "else raise the number in broker/store/formats.py, and add samples under it. Samples that are there stay"
)


def samples_of(kind: str) -> dict[int, list[dict[str, Any]]]:
    return {int(number): found for number, found in json.loads((SAMPLES / f"{kind}.json").read_text()).items()}


@pytest.fixture
def ring(broker_keys: Path) -> KeyRing:
    return KeyRing(broker_keys, time.time)


@pytest.fixture
def client(valkey_url: str) -> redis.Redis:
    made: redis.Redis = connect(StoreSettings(url=valkey_url))
    return made


@pytest.fixture
def store(client: redis.Redis, ring: KeyRing) -> RedisStore:
    return RedisStore(client, ring)


def test_every_kind_of_record_has_samples_of_every_format() -> None:
    assert {file.stem for file in SAMPLES.iterdir()} == set(FORMATS) == set(RECORDS)
    for kind, number in FORMATS.items():
        assert sorted(samples_of(kind)) == list(range(number + 1))


@pytest.mark.parametrize("kind", FORMATS)
def test_what_is_written_today_is_a_sample_of_the_newest_format(
    store: RedisStore, client: redis.Redis, ring: KeyRing, kind: str
) -> None:
    newest = samples_of(kind)[FORMATS[kind]]
    for record in RECORDS[kind]:
        key = Key(kind, new_slot(), "a record")
        store.put(Entry(key, written(record), 60))
        assert json.loads(ring.unseal(key.name, client.get(key.name))) in newest, CHANGED


@pytest.mark.parametrize("kind", FORMATS)
def test_samples_of_every_format_are_read(store: RedisStore, client: redis.Redis, ring: KeyRing, kind: str) -> None:
    for number, found in samples_of(kind).items():
        for sample in found:
            assert sample.get("format", 0) == number
            key = Key(kind, new_slot(), "a record")
            client.set(key.name, ring.seal(key.name, json.dumps(sample).encode()), ex=60)
            assert READERS[kind](store.take(key) or {}) in RECORDS[kind]


def test_a_newer_brokers_record_in_a_list_is_passed_over(store: RedisStore, monkeypatch: pytest.MonkeyPatch) -> None:
    key = Key("refused", "", new_slot())
    store.push(key, {"at": 1}, most=3, ttl=60)
    with newer_broker(monkeypatch):
        store.push(key, {"at": 2}, most=3, ttl=60)
    assert store.recent(key) == [{"at": 1}]
