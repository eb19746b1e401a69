"""What the flow keeps in the store of an attempt: itself, its claim, its outcome."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from broker.flow.records import RETURN_LIFETIME, TRANSACTION_LIFETIME
from broker.store import Entry, Key, from_members, slotted, to_members
from providers.model import Attempt

OUTCOME_LIFETIME = 60
"""Seconds in which an equal callback gets the outcome."""


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
    """Who claimed an attempt. callback: fingerprint of the message; over: an outcome was stored."""

    callback: str
    browser: str = field(repr=False)
    transaction: str = field(repr=False)
    row: str
    at: int
    over: bool = False

    def entry(self, attempt: str) -> Entry:
        """To put it; it outlives the attempt, so that a used state is known as used."""
        return Entry(claim_key(attempt), to_members(self), TRANSACTION_LIFETIME + RETURN_LIFETIME)


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
