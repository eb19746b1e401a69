"""A store in memory, for tests of pure logic: the same rules, one process, time handed in."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Sequence
from typing import Any

from broker.store.port import Claimed, Entry, Key
from broker.store.steps import Step, push


class MemoryStore:
    """`broker.store.Store` in a dictionary. clock: seconds since the epoch."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self.history = "the first"
        self._values: dict[str, tuple[dict[str, Any], float]] = {}
        self._counts: dict[str, int] = {}
        self._lists: dict[str, list[dict[str, Any]]] = {}

    def run(self, *steps: Step) -> list[Any]:
        """See `Store.run`."""
        with self._lock:
            answers: list[Any] = []
            for step in steps:
                answers.append(self._done(step))
                if step.ends(answers[-1]):
                    done = steps[: len(answers)]
                    for other in (other for other in done if step.what == other.what == "count"):
                        self._counts[other.key.name] -= other.by
                    break
            return answers

    def _done(self, step: Step) -> Any:
        match step.what:
            case "get":
                return self._read(step.key.name)
            case "history":
                return self.history
            case "push":
                self._lists[step.key.name] = [copy.deepcopy(step.value), *self._lists.get(step.key.name, [])][: step.by]
                return True
            case "delete":
                return self._values.pop(step.key.name, None) is not None
            case "count":
                self._counts[step.key.name] = self._counts.get(step.key.name, 0) + step.by
                return self._counts[step.key.name]
            case "new" if self._read(step.key.name) is not None:
                return False
        self._write(Entry(step.key, step.value, step.ttl))
        return True

    def get(self, *keys: Key) -> list[dict[str, Any] | None]:
        """See `Store.get`."""
        with self._lock:
            return [self._read(key.name) for key in keys]

    def put(self, *entries: Entry, delete: Sequence[Key] = ()) -> None:
        """See `Store.put`."""
        with self._lock:
            if len({entry.key.slot for entry in entries} | {key.slot for key in delete}) > 1:
                raise ValueError("one put reaches one slot")
            for entry in entries:
                self._write(entry)
            for key in delete:
                self._values.pop(key.name, None)

    def put_new(self, entry: Entry) -> bool:
        """See `Store.put_new`."""
        with self._lock:
            if self._read(entry.key.name) is not None:
                return False
            self._write(entry)
            return True

    def put_new_and_get(self, entry: Entry, *keys: Key) -> Claimed:
        """See `Store.put_new_and_get`."""
        with self._lock:
            return Claimed(self.put_new(entry), self.get(*keys), self.history)

    def count(self, *counters: Key, ttl: int, by: int = 1) -> list[int]:
        """See `Store.count`; here a counter does not lapse."""
        with self._lock:
            for counter in counters:
                self._counts[counter.name] = self._counts.get(counter.name, 0) + by
            return [self._counts[counter.name] for counter in counters]

    def take(self, key: Key) -> dict[str, Any] | None:
        """See `Store.take`."""
        with self._lock:
            value = self._read(key.name)
            self._values.pop(key.name, None)
            return value

    def push(self, key: Key, value: dict[str, Any], *, most: int, ttl: int) -> None:
        """See `Store.push`; here a list does not lapse."""
        self.run(push(key, value, most=most, ttl=ttl))

    def recent(self, key: Key) -> list[dict[str, Any]]:
        """See `Store.recent`."""
        with self._lock:
            return copy.deepcopy(self._lists.get(key.name, []))

    def _read(self, name: str) -> dict[str, Any] | None:
        value, until = self._values.get(name, (None, 0.0))
        return copy.deepcopy(value) if value is not None and self._clock() < until else None

    def _write(self, entry: Entry) -> None:
        self._values[entry.key.name] = (copy.deepcopy(entry.value), self._clock() + entry.ttl)
