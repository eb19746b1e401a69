"""What a store does in one go: a list of steps, sent as one script and done all together by the server.

The script is the same for every list, so that it is loaded once. A step that is needed and does not hold ends the list
there. Nothing of a list is done before the server has all of it, and nobody else is served between two of its steps.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from broker.store.port import Entry, Key

SCRIPT = """
local told, counted = {}, {}
for at, key in ipairs(KEYS) do
  local what, value, ttl, bound = ARGV[4 * at - 3], ARGV[4 * at - 2], ARGV[4 * at - 1], ARGV[4 * at]
  local answer
  if what == 'get' then
    answer = redis.call('GET', key)
  elseif what == 'put' then
    redis.call('SET', key, value, 'EX', ttl)
    answer = 1
  elseif what == 'new' then
    answer = redis.call('SET', key, value, 'EX', ttl, 'NX') and 1
  elseif what == 'push' then
    redis.call('LPUSH', key, value)
    redis.call('LTRIM', key, 0, bound - 1)
    redis.call('EXPIRE', key, ttl)
    answer = 1
  elseif what == 'delete' then
    answer = redis.call('DEL', key)
  elseif what == 'count' then
    answer = redis.call('INCRBY', key, value)
    redis.call('EXPIRE', key, ttl)
    counted[key] = value
    if bound ~= '' and answer > tonumber(bound) then
      for other, by in pairs(counted) do redis.call('DECRBY', other, by) end
      told[at] = answer
      return told
    end
  else
    answer = redis.call('INFO', 'replication')
  end
  told[at] = answer
  if bound == 'needed' and not answer then return told end
end
return told
"""
DIGEST = hashlib.sha1(SCRIPT.encode(), usedforsecurity=False).hexdigest()
"""How a server knows a script that it has (EVALSHA)."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step. value: to put. ttl: seconds, at least 1. by: what is counted; of a list, how many it keeps.

    needed: nothing is done behind it if it does not hold: the key is not there (get), or is there (new). most: what may
    be counted; if that is more, all that the list has counted is taken back and nothing is done behind it.
    """

    what: Literal["get", "put", "new", "delete", "count", "push", "history"]
    key: Key
    value: dict[str, Any] = field(default_factory=dict, repr=False)
    ttl: int = 1
    by: int = 1
    most: int | None = None
    needed: bool = False

    def ends(self, answer: Any) -> bool:
        """Whether the list ends with this answer. answer: as `Store.run` returns it."""
        if self.most is not None:
            return bool(answer > self.most)
        return self.needed and not answer


def get(key: Key, *, needed: bool = False) -> Step:
    """The value of a key, None if it is not there."""
    return Step("get", key, needed=needed)


def put(entry: Entry) -> Step:
    """Put a value; True."""
    return Step("put", entry.key, entry.value, entry.ttl)


def put_new(entry: Entry, *, needed: bool = False) -> Step:
    """Put only if the key is not there; whether it was put."""
    return Step("new", entry.key, entry.value, entry.ttl, needed=needed)


def delete(key: Key) -> Step:
    """Delete; whether it was there."""
    return Step("delete", key)


def count(key: Key, *, ttl: int, by: int = 1, most: int | None = None) -> Step:
    """Count under a key and keep it for another ttl seconds; the new count."""
    return Step("count", key, ttl=ttl, by=by, most=most)


def push(key: Key, value: dict[str, Any], *, most: int, ttl: int) -> Step:
    """Put a value in front of a list, of which only the first `most` stay; True."""
    return Step("push", key, value, ttl, by=most)


def history(beside: Key) -> Step:
    """The primary's history of writes (see `Claimed`). beside: a key that it holds."""
    return Step("history", beside)


def by_slot(steps: Sequence[Step]) -> list[list[Step]]:
    """The same steps in lists that each reach one slot of a Cluster, in order."""
    lists: list[list[Step]] = []
    for step in steps:
        last = lists[-1][-1].key if lists else None
        if last is not None and (step.key == last or (step.key.slot and step.key.slot == last.slot)):
            lists[-1].append(step)
        else:
            lists.append([step])
    return lists
