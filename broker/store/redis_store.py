"""The store over redis-py: one server, a Sentinel pair or a Cluster."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import redis
from redis.exceptions import RedisClusterException

from broker.store.connection import Client
from broker.store.exchange import Command, Durability, exchange
from broker.store.formats import FORMATS, numbered, take_number
from broker.store.port import Claimed, Entry, Key, NewerRecord, NotDurable, Sealer, StoreUnavailable
from kit import logs
from providers.model import KeyFailure

_REPLICATION_ID = re.compile(rb"^master_replid:(\w+)", re.MULTILINE)
_ENCODER = json.JSONEncoder(separators=(",", ":"))


class RedisStore:
    """`broker.store.Store` over a redis-py client.

    sealer: encrypts every value, bound to its key's name. on_round_trip: called once for each, for metrics.
    durability: what is asked of replicas when a one-time thing is taken.
    """

    def __init__(
        self,
        client: Client,
        sealer: Sealer,
        on_round_trip: Callable[[], None] = lambda: None,
        durability: Durability | None = None,
    ) -> None:
        self.client = client
        self._sealer = sealer
        self._on_round_trip = on_round_trip
        self._durability = durability or Durability()

    def get(self, *keys: Key) -> list[dict[str, Any] | None]:
        """See `Store.get`; one MGET."""
        names = [key.name for key in keys]
        (values,), _ = self._send(names[0], ("MGET", *names))
        return self._opened(keys, values)

    def put(self, *entries: Entry, delete: Sequence[Key] = ()) -> None:
        """See `Store.put`; one MULTI."""
        commands = [self._set(entry) for entry in entries]
        if delete:
            commands.append(("DEL", *(key.name for key in delete)))
        self._send(str(commands[0][1]), *commands)

    def put_new(self, entry: Entry) -> bool:
        """See `Store.put_new`; one SET NX, and WAIT."""
        (put,), confirmed = self._send(entry.key.name, (*self._set(entry), "NX"), durable=True)
        self._refuse_unless_durable(put, confirmed)
        return bool(put)

    def put_new_and_get(self, entry: Entry, *keys: Key) -> Claimed:
        """See `Store.put_new_and_get`; SET NX, MGET and INFO in one MULTI, and WAIT."""
        names = [key.name for key in keys]
        commands = (*self._set(entry), "NX"), ("MGET", *names), ("INFO", "replication")
        (put, values, told), confirmed = self._send(entry.key.name, *commands, durable=True)
        self._refuse_unless_durable(put, confirmed)
        history = _REPLICATION_ID.search(told)
        return Claimed(bool(put), self._opened(keys, values), history[1].decode() if history else "")

    def count(self, *counters: Key, ttl: int, by: int = 1) -> list[int]:
        """See `Store.count`; INCRBY and EXPIRE of each in one MULTI."""
        commands: list[Command] = []
        for counter in counters:
            commands += [("INCRBY", counter.name, by), ("EXPIRE", counter.name, max(1, ttl))]
        counts, _ = self._send(counters[0].name, *commands)
        return [int(count) for count in counts[::2]]

    def take(self, key: Key) -> dict[str, Any] | None:
        """See `Store.take`; one GETDEL, and WAIT."""
        (value,), confirmed = self._send(key.name, ("GETDEL", key.name), durable=True)
        self._refuse_unless_durable(value, confirmed)
        return self._open(key, value)

    def push(self, key: Key, value: dict[str, Any], *, most: int, ttl: int) -> None:
        """See `Store.push`; LPUSH, LTRIM and EXPIRE in one MULTI."""
        name = key.name
        sealed = self._sealed(key, value)
        self._send(name, ("LPUSH", name, sealed), ("LTRIM", name, 0, most - 1), ("EXPIRE", name, max(1, ttl)))

    def recent(self, key: Key) -> list[dict[str, Any]]:
        """See `Store.recent`; one LRANGE. What only a newer broker can read is passed over."""
        (values,), _ = self._send(key.name, ("LRANGE", key.name, 0, -1))
        found = []
        for sealed in values:
            with suppress(NewerRecord):
                found.append(self._open(key, sealed))
        return [value for value in found if value is not None]

    def _send(self, name: str, *commands: Command, durable: bool = False) -> tuple[list[Any], int]:
        self._on_round_trip()
        try:
            return exchange(self.client, name, commands, self._durability if durable else None)
        except (redis.RedisError, RedisClusterException) as error:
            raise StoreUnavailable(type(error).__name__) from error

    def _refuse_unless_durable(self, taken: object, confirmed: int) -> None:
        """Raise NotDurable if this caller took something that too few replicas know to be taken."""
        if taken and confirmed < self._durability.replicas:
            raise NotDurable(f"{confirmed} of {self._durability.replicas} replicas have confirmed")

    def _set(self, entry: Entry) -> tuple[str | bytes | int, ...]:
        """The SET of an entry."""
        return "SET", entry.key.name, self._sealed(entry.key, entry.value), "EX", max(1, entry.ttl)

    def _sealed(self, key: Key, value: dict[str, Any]) -> bytes:
        return self._sealer.seal(key.name, _ENCODER.encode(numbered(key.kind, value)).encode())

    def _opened(self, keys: Sequence[Key], values: Sequence[bytes | None]) -> list[dict[str, Any] | None]:
        return [self._open(key, value) for key, value in zip(keys, values, strict=True)]

    def _open(self, key: Key, value: bytes | None) -> dict[str, Any] | None:
        if value is None:
            return None
        try:
            opened: dict[str, Any] = json.loads(self._sealer.unseal(key.name, value))
        except KeyFailure:
            # Written under a key this broker no longer holds, or tampered with: as good as lapsed.
            return None
        if take_number(opened) > FORMATS[key.kind]:
            logs.add(record=key.kind)
            raise NewerRecord(key.kind)
        return opened
