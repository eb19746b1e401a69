"""The port: names, entries and what a store must be able to do."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

if TYPE_CHECKING:
    from broker.store.steps import Step

Record = TypeVar("Record")

SLOT_LENGTH = 8


def new_slot() -> str:
    """A random, non-secret slot id: 8 hexadecimal characters."""
    return secrets.token_hex(SLOT_LENGTH // 2)


def slot_of(secret: str) -> str:
    """The slot id that a transaction's id, a state, a code or an access token begins with."""
    return secret[:SLOT_LENGTH]


class StoreUnavailable(Exception):
    """The store cannot be reached, or refuses to write; nothing is known of the last command's effect."""

    reason = "the store cannot be reached"


class NewerRecord(StoreUnavailable):
    """What was read is of a format that only a newer broker knows: a reload may reach one. The store answers.

    What was to be put new in the same go is not there.
    """

    reason = "the record is of a newer broker's format"


class NotDurable(StoreUnavailable):
    """A one-time thing was taken, but too few replicas have confirmed it: a failover could bring it back."""


@dataclass(frozen=True, slots=True)
class Key:
    """The place of one value. secret: the id, state or code itself; only its SHA-256 stands in the name."""

    kind: str
    slot: str
    secret: str = field(repr=False)

    @property
    def name(self) -> str:
        """The name in Redis; what stands in braces is the hash tag of a Cluster."""
        digest = hashlib.sha256(self.secret.encode()).hexdigest()
        return f"tunnus:{{{self.slot}}}:{self.kind}:{digest}" if self.slot else f"tunnus:{self.kind}:{digest}"


def slotted(kind: str, secret: str) -> Key:
    """The key of a thing whose id begins with its slot."""
    return Key(kind, slot_of(secret), secret)


def to_members(record: Any) -> dict[str, Any]:
    """The fields of a dataclass with slots, for the store; not a copy of what they hold, unlike `asdict`."""
    return {name: getattr(record, name) for name in record.__slots__}


def from_members(kind: type[Record], value: Mapping[str, Any]) -> Record:
    """The reverse of `members_of`: a dataclass with slots, made of a stored value.

    A member that another version of the broker added is dropped, so that brokers of two versions can share a store.
    """
    known = kind.__slots__  # type: ignore[attr-defined]
    return kind(**{name: held for name, held in value.items() if name in known})


@dataclass(frozen=True, slots=True)
class Entry:
    """A value to put. ttl: seconds until it lapses, at least 1."""

    key: Key
    value: dict[str, Any] = field(repr=False)
    ttl: int


class Claimed(NamedTuple):
    """What came of `put_new_and_get`. first: the value was put. values: of the other keys, right after.

    history: names the primary's unbroken history of writes (its replication ID). After a failover or a restart, which
    can have lost writes, it is another one. "" where the store does not tell.
    """

    first: bool
    values: list[dict[str, Any] | None]
    history: str


class Sealer(Protocol):
    """How values are encrypted at rest (the key ring)."""

    def seal(self, name: str, data: bytes) -> bytes:
        """Encrypt data, bound to name."""
        ...

    def unseal(self, name: str, data: bytes) -> bytes:
        """The reverse; raises KeyFailure if the data was not sealed for this name."""
        ...


class Store(Protocol):
    """What the broker needs of a store; each method is one round trip. All raise StoreUnavailable.

    `put_new`, `put_new_and_get`, `take`, and `run` where something new was put, raise NotDurable where as many replicas
    as the settings demand have not confirmed in time that this caller was the one. It was, and nobody else will be: it
    must act as if it was not.
    """

    def run(self, *steps: Step) -> list[Any]:
        """Do a list of steps (`broker.store.steps`); the answer of each, up to the one that ended the list.

        All or nothing where they reach one slot. On a Cluster steps that reach several take a round trip for each slot,
        in order, and each is all or nothing by itself.
        """
        ...

    def get(self, *keys: Key) -> list[dict[str, Any] | None]:
        """The values of keys in one slot, in order; None for one that is not there."""
        ...

    def put(self, *entries: Entry, delete: Sequence[Key] = ()) -> None:
        """Put and delete all or nothing; every key in one slot."""
        ...

    def put_new(self, entry: Entry) -> bool:
        """Put only if the key is not there; True for the one caller whose value it became."""
        ...

    def put_new_and_get(self, entry: Entry, *keys: Key) -> Claimed:
        """`put_new`, and the values of other keys in the same slot as they stood right after."""
        ...

    def count(self, *counters: Key, ttl: int, by: int = 1) -> list[int]:
        """Count under keys of one slot, and keep them for another ttl seconds; the new counts, in order."""
        ...

    def take(self, key: Key) -> dict[str, Any] | None:
        """Get and delete; at most one caller ever gets the value."""
        ...

    def push(self, key: Key, value: dict[str, Any], *, most: int, ttl: int) -> None:
        """Put a value in front of a list; what is beyond the first `most` falls off its end."""
        ...

    def recent(self, key: Key) -> list[dict[str, Any]]:
        """The values of a list, the newest first."""
        ...
