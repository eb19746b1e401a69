"""The store over redis-py: one server, a Sentinel pair or a Cluster."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import redis
from redis.exceptions import RedisClusterException

from broker.store.connection import Client
from broker.store.port import Entry, Key, Sealer, StoreUnavailable
from providers.model import KeyFailure

_ENCODER = json.JSONEncoder(separators=(",", ":"))


class RedisStore:
    """`broker.store.Store` over a redis-py client.

    sealer: encrypts every value, bound to its key's name. on_round_trip, on_failure: called once for each round trip,
    and for each that failed, for metrics.
    """

    def __init__(
        self,
        client: Client,
        sealer: Sealer,
        on_round_trip: Callable[[], None] = lambda: None,
        on_failure: Callable[[], None] = lambda: None,
    ) -> None:
        self.client = client
        self._sealer = sealer
        self._on_round_trip = on_round_trip
        self._on_failure = on_failure

    def get(self, *keys: Key) -> list[dict[str, Any] | None]:
        """See `Store.get`; one MGET."""
        names = [key.name for key in keys]
        with self._round_trip():
            values = self.client.execute_command("MGET", *names)  # as in _set: `mget` itself takes a while
        return self._opened(names, values)

    def put(self, *entries: Entry, delete: Sequence[Key] = ()) -> None:
        """See `Store.put`; one MULTI."""
        with self._round_trip():
            pipeline = self.client.pipeline(transaction=True)
            for entry in entries:
                pipeline.execute_command(*self._set(entry))
            if delete:
                pipeline.execute_command("DEL", *(key.name for key in delete))
            pipeline.execute()

    def put_new(self, entry: Entry) -> bool:
        """See `Store.put_new`; one SET NX."""
        with self._round_trip():
            return bool(self.client.execute_command(*self._set(entry), "NX"))

    def put_new_and_get(self, entry: Entry, *keys: Key) -> tuple[bool, list[dict[str, Any] | None]]:
        """See `Store.put_new_and_get`; SET NX and MGET in one MULTI."""
        names = [key.name for key in keys]
        with self._round_trip():
            pipeline = self.client.pipeline(transaction=True)
            pipeline.execute_command(*self._set(entry), "NX")
            pipeline.execute_command("MGET", *names)  # a Cluster's pipeline has no `mget`, one slot or not
            created, values = pipeline.execute()
        return bool(created), self._opened(names, values)

    def count(self, *counters: Key, ttl: int, by: int = 1) -> list[int]:
        """See `Store.count`; INCRBY and EXPIRE of each in one MULTI."""
        with self._round_trip():
            pipeline = self.client.pipeline(transaction=True)
            for counter in counters:
                pipeline.execute_command("INCRBY", counter.name, by)
                pipeline.execute_command("EXPIRE", counter.name, max(1, ttl))
            return [int(count) for count in pipeline.execute()[::2]]

    def take(self, key: Key) -> dict[str, Any] | None:
        """See `Store.take`; one GETDEL."""
        name = key.name
        with self._round_trip():
            value = self.client.getdel(name)
        return self._open(name, value)

    def push(self, key: Key, value: dict[str, Any], *, most: int, ttl: int) -> None:
        """See `Store.push`; LPUSH, LTRIM and EXPIRE in one MULTI."""
        name = key.name
        with self._round_trip():
            pipeline = self.client.pipeline(transaction=True)
            pipeline.lpush(name, self._sealer.seal(name, _ENCODER.encode(value).encode()))
            pipeline.ltrim(name, 0, most - 1)
            pipeline.expire(name, max(1, ttl))
            pipeline.execute()

    def recent(self, key: Key) -> list[dict[str, Any]]:
        """See `Store.recent`; one LRANGE."""
        name = key.name
        with self._round_trip():
            values = self.client.lrange(name, 0, -1)
        return [value for value in (self._open(name, sealed) for sealed in values) if value is not None]

    def _set(self, entry: Entry) -> tuple[str | bytes | int, ...]:
        """The SET of an entry. redis-py's own `set` takes longer to look through its many options than the rest."""
        name = entry.key.name
        sealed = self._sealer.seal(name, _ENCODER.encode(entry.value).encode())
        return "SET", name, sealed, "EX", max(1, entry.ttl)

    def _opened(self, names: Sequence[str], values: Sequence[bytes | None]) -> list[dict[str, Any] | None]:
        return [self._open(name, value) for name, value in zip(names, values, strict=True)]

    def _open(self, name: str, value: bytes | None) -> dict[str, Any] | None:
        if value is None:
            return None
        try:
            opened: dict[str, Any] = json.loads(self._sealer.unseal(name, value))
        except KeyFailure:
            # Written under a key this broker no longer holds, or tampered with: as good as lapsed.
            return None
        return opened

    @contextmanager
    def _round_trip(self) -> Iterator[None]:
        self._on_round_trip()
        try:
            yield
        except (redis.RedisError, RedisClusterException) as error:
            self._on_failure()
            raise StoreUnavailable(type(error).__name__) from error
