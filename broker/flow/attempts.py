"""What the flow keeps in the store of an attempt: itself, its claim, its outcome."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from broker.flow.records import RETURN_LIFETIME, TRANSACTION_LIFETIME
from broker.store import Entry, Key, Step, from_members, slot_of, slotted, to_members
from providers.model import Attempt

OUTCOME_LIFETIME = 60
"""Seconds in which an equal callback gets the outcome."""
_RANDOM, _MARK = 32, 24
"""Hexadecimal characters of a handle behind its slot."""

KeyedDigest = Callable[[bytes], bytes]


def new_handle(keyed_digest: KeyedDigest, transaction: str) -> str:
    """A fresh handle (the state): the transaction's slot, 128 random bits, and 96 bits that only we can make of both.

    By the last a browser that began the transaction is known to have been given the handle, before anything is read.
    keyed_digest: under a key that every broker of the store has.
    """
    begins = slot_of(transaction) + secrets.token_hex(_RANDOM // 2)
    return begins + _mark(keyed_digest, transaction, begins)


def is_handle_of(keyed_digest: KeyedDigest, handle: str, transaction: str) -> bool:
    """Whether a handle was made for a transaction; False, too, if under another key, or by a broker before this one."""
    return hmac.compare_digest(handle[-_MARK:], _mark(keyed_digest, transaction, handle[:-_MARK]))


def _mark(keyed_digest: KeyedDigest, transaction: str, begins: str) -> str:
    return keyed_digest(f"state\0{transaction}\0{begins}".encode()).hex()[:_MARK]


def attempt_id_of(handle: str) -> str:
    """The id of the attempt that a handle is for: it may be logged and shown, and tells nothing of the handle."""
    return slot_of(handle) + hashlib.sha256(f"attempt\0{handle}".encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Trip:
    """Where a browser goes by an act, and what must be stored before. begun: the attempt at a bank, if there is one."""

    url: str = field(repr=False)
    act: Sequence[Step] = field(repr=False)
    begun: AttemptRecord | None = None


@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """An attempt with what the flow must know of it when the browser is back. id: for audit and log."""

    id: str
    row: str
    transaction: str = field(repr=False)
    browser: str = field(repr=False)
    attempt: Attempt = field(repr=False)

    def entry(self, handle: str, now: int) -> Entry:
        """To put it under its handle (the state)."""
        value = to_members(self) | {"attempt": to_members(self.attempt)}
        return Entry(attempt_key(handle), value, self.attempt.expires_at - now)

    @staticmethod
    def from_json(value: dict[str, Any]) -> AttemptRecord:
        """The reverse of `entry`."""
        attempt = value["attempt"]
        kept = from_members(Attempt, attempt | {"acr_values": tuple(attempt["acr_values"])})
        return from_members(AttemptRecord, value | {"attempt": kept})


@dataclass(frozen=True, slots=True)
class Claim:
    """Who claimed an attempt. callback: fingerprint of the message; over: an outcome was stored.

    row: "" where it was claimed before its record was read; then `handle` finds the row in the way back.
    """

    callback: str
    browser: str = field(repr=False)
    transaction: str = field(repr=False)
    row: str
    at: int
    over: bool = False
    handle: str | None = field(default=None, repr=False)

    def entry(self, attempt: str) -> Entry:
        """To put it; it outlives the attempt, so that a used state is known as used."""
        members = to_members(self)
        if self.handle is None:
            del members["handle"]
        return Entry(claim_key(attempt), members, TRANSACTION_LIFETIME + RETURN_LIFETIME)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where the browser of a finished attempt was sent, for every equal callback."""

    url: str = field(repr=False)

    def entry(self, attempt: str) -> Entry:
        """To put it under the attempt's id."""
        return Entry(outcome_key(attempt), to_members(self), OUTCOME_LIFETIME)


def attempt_key(handle: str) -> Key:
    """Where an attempt stands, by its handle (the state)."""
    return slotted("attempt", handle)


def claim_key(attempt: str) -> Key:
    """Where the claim of an attempt stands, by the attempt's id."""
    return slotted("claim", attempt)


def outcome_key(attempt: str) -> Key:
    """Where the outcome of an attempt stands, by the attempt's id."""
    return slotted("outcome", attempt)
