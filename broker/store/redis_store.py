"""The store over redis-py: one server, a Sentinel pair or a Cluster."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import redis
from redis.exceptions import RedisClusterException

from broker.store import steps
from broker.store.connection import Client
from broker.store.exchange import Command, Durability, exchange, in_cluster
from broker.store.formats import FORMATS, numbered, take_number
from broker.store.port import Claimed, Entry, Key, NewerRecord, NotDurable, Sealer, StoreUnavailable
from broker.store.steps import Step
from kit import logs
from providers.model import KeyFailure

_REPLICATION_ID = re.compile(rb"^master_replid:(\w+)", re.MULTILINE)
_ENCODER = json.JSONEncoder(separators=(",", ":"))


class RedisStore:
    """`broker.store.Store` over a redis-py client.

    sealer: encrypts every value, bound to its key's name. on_round_trip, on_failure: called once for each round trip,
    and for each that failed, for metrics. durability: what is asked of replicas when a one-time thing is taken.
    """

    def __init__(
        self,
        client: Client,
        sealer: Sealer,
        on_round_trip: Callable[[], None] = lambda: None,
        durability: Durability | None = None,
        on_failure: Callable[[], None] = lambda: None,
    ) -> None:
        self.client = client
        self._sealer = sealer
        self._on_round_trip = on_round_trip
        self._on_failure = on_failure
        self._durability = durability or Durability()

    def get(self, *keys: Key) -> list[dict[str, Any] | None]:
        """See `Store.get`; one MGET."""
        names = [key.name for key in keys]
        values, _ = self._send(names[0], ("MGET", *names), only_reads=True)
        return [self._open(key.kind, name, value) for key, name, value in zip(keys, names, values, strict=True)]

    def run(self, *wanted: Step) -> list[Any]:
        """See `Store.run`; one EVALSHA, and WAIT if something new is to be put."""
        try:
            lists = steps.by_slot(wanted) if in_cluster(self.client) else [wanted]
        except redis.RedisError as error:
            self._on_failure()
            raise StoreUnavailable(type(error).__name__) from error
        answers: list[Any] = []
        for part in lists:
            answers += self._run(part)
            if len(answers) < len(wanted) and wanted[len(answers) - 1].ends(answers[-1]):
                break
        return answers

    def _run(self, part: Sequence[Step]) -> list[Any]:
        keys: list[str] = []
        arguments: list[str | bytes | int] = []
        durable = False
        for step in part:
            keys.append(step.key.name)
            arguments += self._arguments(step, keys[-1])
            durable = durable or step.what == "new"
        command = ("EVALSHA", steps.DIGEST, len(keys), *keys, *arguments)
        told, confirmed = self._send(keys[0], command, durable=durable)
        if durable:
            taken = any(step.what == "new" and answer for step, answer in zip(part, told, strict=False))
            self._refuse_unless_durable(taken, confirmed)
        try:
            return [self._answer(*answered) for answered in zip(part, keys, told, strict=False)]
        except NewerRecord:  # what was put new is another broker's to put: nothing comes of it here
            new = [name for step, name, put in zip(part, keys, told, strict=False) if step.what == "new" and put]
            if new:
                self._send(new[0], ("DEL", *new))
            raise

    def _arguments(
        self, step: Step, name: str
    ) -> tuple[str | bytes | int, str | bytes | int, str | bytes | int, str | int]:
        bound: str | int = "needed" if step.needed else ""
        if step.what in ("put", "new", "push"):
            last = step.by if step.what == "push" else bound
            return step.what, self._sealed(step.key.kind, name, step.value), max(1, step.ttl), last
        if step.what == "count":
            return step.what, step.by, max(1, step.ttl), bound if step.most is None else step.most
        return step.what, "", "", bound

    def _answer(self, step: Step, name: str, answer: Any) -> Any:
        if step.what == "get":
            return self._open(step.key.kind, name, answer)
        if step.what == "count":
            return int(answer)
        if step.what == "history":
            found = _REPLICATION_ID.search(answer)
            return found[1].decode() if found else ""
        return bool(answer)

    def put(self, *entries: Entry, delete: Sequence[Key] = ()) -> None:
        """See `Store.put`; one SET, or one EVALSHA."""
        if len(entries) == 1 and not delete:
            command = self._set(entries[0])
            self._send(str(command[1]), command)
        else:
            self._run([*(steps.put(entry) for entry in entries), *(steps.delete(key) for key in delete)])

    def put_new(self, entry: Entry) -> bool:
        """See `Store.put_new`; one SET NX, and WAIT."""
        command = self._set(entry)
        put, confirmed = self._send(str(command[1]), (*command, "NX"), durable=True)
        self._refuse_unless_durable(put, confirmed)
        return bool(put)

    def put_new_and_get(self, entry: Entry, *keys: Key) -> Claimed:
        """See `Store.put_new_and_get`; one EVALSHA, and WAIT."""
        first, *values, history = self._run(
            [steps.put_new(entry), *(steps.get(key) for key in keys), steps.history(entry.key)]
        )
        return Claimed(first, values, history)

    def count(self, *counters: Key, ttl: int, by: int = 1) -> list[int]:
        """See `Store.count`; one EVALSHA."""
        return self._run([steps.count(counter, ttl=ttl, by=by) for counter in counters])

    def take(self, key: Key) -> dict[str, Any] | None:
        """See `Store.take`; one GETDEL, and WAIT."""
        value, confirmed = self._send(key.name, ("GETDEL", key.name), durable=True)
        self._refuse_unless_durable(value, confirmed)
        return self._open(key.kind, key.name, value)

    def push(self, key: Key, value: dict[str, Any], *, most: int, ttl: int) -> None:
        """See `Store.push`; one EVALSHA."""
        self._run([steps.push(key, value, most=most, ttl=ttl)])

    def recent(self, key: Key) -> list[dict[str, Any]]:
        """See `Store.recent`; one LRANGE. What only a newer broker can read is passed over."""
        values, _ = self._send(key.name, ("LRANGE", key.name, 0, -1), only_reads=True)
        found = []
        for sealed in values:
            with suppress(NewerRecord):
                found.append(self._open(key.kind, key.name, sealed))
        return [value for value in found if value is not None]

    def _send(self, name: str, command: Command, *, durable: bool = False, only_reads: bool = False) -> tuple[Any, int]:
        self._on_round_trip()
        try:
            durability = self._durability if durable else None
            return exchange(self.client, name, command, durability, only_reads=only_reads)
        except (redis.RedisError, RedisClusterException) as error:
            self._on_failure()
            raise StoreUnavailable(type(error).__name__) from error

    def _refuse_unless_durable(self, taken: object, confirmed: int) -> None:
        """Raise NotDurable if this caller took something that too few replicas know to be taken."""
        if taken and confirmed < self._durability.replicas:
            raise NotDurable(f"{confirmed} of {self._durability.replicas} replicas have confirmed")

    def _set(self, entry: Entry) -> tuple[str | bytes | int, ...]:
        """The SET of an entry."""
        name = entry.key.name
        return "SET", name, self._sealed(entry.key.kind, name, entry.value), "EX", max(1, entry.ttl)

    def _sealed(self, kind: str, name: str, value: dict[str, Any]) -> bytes:
        return self._sealer.seal(name, _ENCODER.encode(numbered(kind, value)).encode())

    def _open(self, kind: str, name: str, value: bytes | None) -> dict[str, Any] | None:
        if value is None:
            return None
        try:
            opened: dict[str, Any] = json.loads(self._sealer.unseal(name, value).decode())
        except KeyFailure:
            # Written under a key this broker no longer holds, or tampered with: as good as lapsed.
            return None
        if take_number(opened) > FORMATS[kind]:
            logs.add(record=kind)
            raise NewerRecord(kind)
        return opened
