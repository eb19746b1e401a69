"""Whether what is taken from the store stays taken when a replica becomes the primary, as far as the servers tell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import redis
from redis.exceptions import RedisClusterException

from broker.settings.store import StoreSettings
from kit.serving.operations import Check

_NAME = "store durability"
_HISTORY = "store history"


@dataclass(frozen=True, slots=True)
class _Primary:
    """What a primary tells. online: replicas that follow it. known: those that may be promoted.

    demanded: its min-replicas-to-write; None if our user may not read it.
    """

    online: int
    known: int
    demanded: int | None
    history: str


def check_durability(client: Any, store: StoreSettings) -> Iterator[Check]:
    """Whether the servers do what `durable_replicas` needs, each primary of a Cluster. client: redis-py's."""
    wanted = store.durable_replicas
    try:
        primaries = list(_primaries(client, store))
    except (redis.RedisError, RedisClusterException, OSError) as error:
        yield Check(_NAME, "failed", f"cannot be seen: {type(error).__name__}", "see what the check of the store says")
        return
    if not all(primary.history for primary in primaries):
        said = "does not tell its replication ID: after a failover a used code could be used again"
        yield Check(_HISTORY, "warning", said, "let INFO replication say master_replid, or demand every replica")
    if not wanted:
        yield Check(_NAME, "ok", "no replica must confirm what is taken (durable_replicas = 0)")
        return
    fewest = min(primary.online for primary in primaries)
    demanded = [primary.demanded for primary in primaries]
    if fewest < wanted:
        said = f"{fewest} replicas follow a primary, {wanted} must confirm: nobody can identify"
        yield Check(_NAME, "failed", said, "start the replicas that are away, or lower durable_replicas")
    elif any(number is not None and number < wanted for number in demanded):
        said = f"min-replicas-to-write is lower than durable_replicas = {wanted}: a primary that was cut off goes on"
        mend = f"set min-replicas-to-write {wanted} in the file of every server that can be a primary"
        yield Check(_NAME, "failed", said, mend)
    elif None in demanded:
        said = "min-replicas-to-write cannot be read: our user may not"
        yield Check(_NAME, "warning", said, f"give it +config|get, and see that every server says {wanted}")
    else:
        yield Check(_NAME, "ok", f"{wanted} replicas confirm what is taken, {fewest} follow")
    most = max(primary.known for primary in primaries)
    if most > wanted:
        said = f"{most} replicas can be promoted, {wanted} must confirm: one that did not may be"
        mend = f"set durable_replicas = {most}, or replica-priority 0 where none is to be promoted"
        yield Check("store promotion", "warning", said, mend)


def _primaries(client: Any, store: StoreSettings) -> Iterator[_Primary]:
    if not store.cluster:
        yield _primary(client, _known_to_sentinels(client, store))
        return
    for node in client.get_primaries():
        of_node = client.get_redis_connection(node)
        replicas = of_node.execute_command("CLUSTER REPLICAS", of_node.execute_command("CLUSTER MYID"))
        yield _primary(of_node, sum("nofailover" not in replica["flags"] for replica in replicas.values()))


def _primary(client: Any, known: int | None) -> _Primary:
    told = client.info("replication")
    replicas = [told[name] for name in told if name.startswith("slave") and isinstance(told[name], dict)]
    online = sum(replica.get("state") == "online" for replica in replicas)
    try:
        values = client.config_get("min-replicas-to-write")
    except redis.ResponseError:
        values = {}
    demanded = next((int(value) for value in values.values()), None)
    return _Primary(online, online if known is None else known, demanded, str(told.get("master_replid", "")))


def _known_to_sentinels(client: Any, store: StoreSettings) -> int | None:
    """How many replicas Sentinels may promote, those that are away among them; None without Sentinels."""
    if store.sentinel is None:
        return None
    for sentinel in client.connection_pool.sentinel_manager.sentinels:
        try:
            known = sentinel.sentinel_slaves(store.sentinel.service)
        except redis.RedisError:
            continue
        return sum(int(replica.get("slave-priority", 100)) > 0 for replica in known)
    raise redis.ConnectionError("no Sentinel answers")
