"""What an equal callback gets while another request finishes the attempt, and after: nobody waits on a thread."""

from __future__ import annotations

from typing import Any

from broker.flow.attempts import Claim, claim_key, outcome_key
from broker.flow.browser import Browser
from broker.flow.records import ReturnRecord, Transaction, return_state_key, transaction_key
from broker.flow.service import Flow, page_url
from broker.store import from_members, slot_of
from providers.errors import IdentificationError, Interrupted, Replay, Step


def equal_callback(
    flow: Flow,
    first: Claim,
    callback: str,
    attempt_id: str,
    way_back: ReturnRecord,
    outcome: dict[str, Any] | None,
) -> str:
    """What a second callback of one attempt gets: the outcome of the first, if it is equal to it."""
    if first.callback != callback:
        return problem_page(flow, way_back, Replay(Step.RESPONSE, "another answer for a state that was used"))
    if outcome is not None:
        return str(outcome["url"])
    error = _overdue(flow, first)
    return f"/wait/{attempt_id}" if error is None else problem_page(flow, way_back, error)


def _overdue(flow: Flow, claim: Claim) -> IdentificationError | None:
    """Why nobody need wait for the outcome of a claim any more; None while one can still come."""
    if claim.over:
        return Replay(Step.RESPONSE, "the state was used and its outcome has lapsed")
    if flow.now >= claim.at + flow.settings.server.outcome_wait:
        return Interrupted(Step.RESPONSE, "no outcome followed the claim in time")
    return None


class StillWaiting:
    """Another request is finishing the attempt."""


def look_again(flow: Flow, attempt_id: str, browser: Browser) -> str | StillWaiting | None:
    """How an attempt stands that another request is finishing; None if this browser has no such attempt.

    Holds no thread: one look at the store, and none for a browser that brings no cookie of ours.
    """
    if browser.secret is None and slot_of(attempt_id) not in browser.transactions:
        return None
    outcome, value = flow.store.get(outcome_key(attempt_id), claim_key(attempt_id))
    if value is None:
        return None
    claim = from_members(Claim, value)
    if not browser.began(claim.transaction, claim.browser):
        return None
    if outcome is not None:
        return str(outcome["url"])
    error = _overdue(flow, claim)
    if error is None:
        return StillWaiting()
    row = claim.row or _row_of(flow, claim)
    return _problem_page_in(flow, claim.transaction, row, error, flow.settings.brand.default_locale)


def _row_of(flow: Flow, claim: Claim) -> str:
    """The row of an attempt that was claimed before its record was read, and never finished."""
    (kept,) = flow.store.get(return_state_key(claim.handle or ""))
    return str(kept["row"]) if kept else ""


def problem_page(flow: Flow, way_back: ReturnRecord, error: IdentificationError) -> str:
    """The address of a problem of an attempt, of which only the way back is known."""
    client = way_back.client_id
    return _problem_page_in(flow, way_back.transaction, str(way_back.row), error, way_back.locale, client=client)


def _problem_page_in(
    flow: Flow, transaction_id: str, row: str, error: IdentificationError, locale: str, *, client: str | None = None
) -> str:
    """Show a problem on the transaction if it still lives, else on a page of its own."""
    value = flow.store.get(transaction_key(transaction_id))[0]
    if value is None:
        return flow.problem_without_transaction(error, locale, transaction=transaction_id, client=client, row=row)
    failed = flow.problem_of(Transaction.from_json(value), error, row)
    flow.store.put(failed.entry(flow.now))
    return page_url(failed)
