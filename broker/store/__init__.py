"""Where everything short-lived stands: one narrow port (get, put, take) over Redis or Valkey.

Every value is sealed under a key that the store never sees, with its own name as associated data, so that
a value moved to another name does not open. Every key has a TTL. A one-time thing is taken by one atomic
command, as durably as the settings demand. Each value names its format (`formats`), so that brokers of two versions can
share a store. A slot id, random and not secret, is the prefix of a transaction's id, of its states and codes, and the
hash tag of their keys, so that what changes together lies on one shard of a Cluster.
"""

from __future__ import annotations

from broker.store import steps
from broker.store.connection import connect
from broker.store.exchange import Durability
from broker.store.port import (
    Claimed,
    Entry,
    Key,
    NewerRecord,
    NotDurable,
    Sealer,
    Store,
    StoreUnavailable,
    from_members,
    new_slot,
    slot_of,
    slotted,
    to_members,
)
from broker.store.redis_store import RedisStore
from broker.store.steps import Step

__all__ = [
    "Claimed",
    "Durability",
    "Entry",
    "Key",
    "NewerRecord",
    "NotDurable",
    "RedisStore",
    "Sealer",
    "Step",
    "Store",
    "StoreUnavailable",
    "connect",
    "from_members",
    "new_slot",
    "slot_of",
    "slotted",
    "steps",
    "to_members",
]
