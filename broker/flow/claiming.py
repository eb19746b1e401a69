"""An attempt is claimed, and all that an answer to its callback hangs on is read: one go of the store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from broker.flow.attempts import Claim, attempt_key, outcome_key
from broker.flow.records import return_state_key, transaction_key
from broker.flow.service import Flow
from broker.store import NotDurable, steps, to_members


@dataclass(frozen=True, slots=True)
class Seen:
    """What the store holds of an attempt, and whether this callback claimed it.

    first: who did. history: of the store at the claim; None if the claim is not durable.
    """

    handle: str
    attempt_id: str
    claim: Claim
    claimed: bool
    history: str | None
    way_back: dict[str, Any] | None
    transaction: dict[str, Any] | None
    outcome: dict[str, Any] | None
    first: dict[str, Any] | None
    attempt: dict[str, Any] | None


def claim_attempt(flow: Flow, handle: str, attempt_id: str, claim: Claim) -> Seen:
    """Claim an attempt, if it is there and nobody has; and look at all that an answer hangs on."""
    attempt, entry = attempt_key(handle), claim.entry(attempt_id)
    keys = return_state_key(handle), transaction_key(claim.transaction), outcome_key(attempt_id), entry.key
    history: str | None = None
    try:
        *looked, found, claimed, history = _filled(
            flow.store.run(
                *map(steps.get, keys),
                steps.get(attempt, needed=True),
                steps.put_new(entry),
                steps.history(attempt),
            )
        )
    except NotDurable:
        *looked, found = flow.store.get(*keys, attempt)
        claimed = True
    way_back, transaction, outcome, first = looked
    first = to_members(claim) if claimed else first
    return Seen(handle, attempt_id, claim, bool(claimed), history, way_back, transaction, outcome, first, found)


def _filled(answers: list[Any]) -> list[Any]:
    """The answers of the steps above, None where the list ended before."""
    return answers + [None] * (7 - len(answers))
