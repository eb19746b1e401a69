"""A browser is back from a bank: state, browser, claim, adapter, audit, and one MULTI at the end.

Whatever happens after the claim, an outcome is stored: equal callbacks get it, and the code that the bank
gave is never posted twice.
"""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import dataclass, replace

from broker import tracing
from broker.audit import AuditUnavailable
from broker.flow.attempts import AttemptRecord, Claim, Outcome, attempt_id_of, is_handle_of
from broker.flow.browser import Browser, fingerprint
from broker.flow.claiming import Seen, claim_attempt
from broker.flow.records import Progress, ReturnRecord, Transaction, return_key, return_state_key
from broker.flow.service import Answer, Flow, page_url
from broker.flow.waiting import equal_callback, problem_page
from broker.oidc.fapi import pushed
from broker.reference import new_reference
from broker.store import Entry, StoreUnavailable, from_members, slot_of
from kit import logs
from providers.errors import (
    Expired,
    IdentificationError,
    Interrupted,
    LostCookie,
    RelyingPartyRejected,
    Replay,
    Step,
)
from providers.model import Adapter, Identity, Message

log = logging.getLogger("tunnus.flow")


def receive(flow: Flow, connection: str, message: Message, browser: Browser) -> Answer:
    """Answer what a browser brought from a bank with the address to send it to.

    message: every query parameter with all its values. Raises BadRequest if the message has no single, well-formed
    state: then nothing of it is used.
    """
    adapter = flow.adapters[connection]
    handle = adapter.handle_of(message)
    cookie = browser.transactions.get(slot_of(handle))
    if cookie is not None and is_handle_of(flow.op.keys.keyed_digest, handle, cookie.transaction):
        secret = fingerprint(browser.secret) if browser.secret else ""
        claim = Claim(_fingerprint(message), secret, cookie.transaction, row="", at=flow.now, handle=handle)
        return _answer(flow, adapter, message, claim_attempt(flow, handle, attempt_id_of(handle), claim))
    (kept,) = flow.store.get(return_state_key(handle))
    if kept is None:
        # Nothing is kept of it: states that were never ours cost the store nothing.
        return _unknown(flow)
    way_back = from_members(ReturnRecord, kept)
    if not browser.began(way_back.transaction, way_back.browser):
        lost = LostCookie(Step.RESPONSE, "the attempt was started by another browser")
        return Answer(
            flow.problem_without_transaction(
                lost,
                way_back.locale,
                transaction=way_back.transaction,
                client=way_back.client_id,
                row=way_back.row,
            )
        )
    claim = Claim(_fingerprint(message), way_back.browser, way_back.transaction, str(way_back.row), flow.now)
    return _answer(flow, adapter, message, claim_attempt(flow, handle, str(way_back.attempt), claim))


def _answer(flow: Flow, adapter: Adapter, message: Message, seen: Seen) -> Answer:
    if seen.way_back is None:
        return _unknown(flow)
    way_back, claim = from_members(ReturnRecord, seen.way_back), seen.claim
    logs.add(txn=way_back.txn, client=way_back.client_id, provider=way_back.row, attempt=way_back.attempt)
    if seen.claimed and seen.attempt is not None and seen.outcome is None:
        record = AttemptRecord.from_json(seen.attempt)
        claim = replace(claim, browser=record.browser, row=record.row, handle=None)
        if seen.transaction is None:
            lapsed = Expired(Step.RESPONSE, "the transaction has lapsed")
            url = flow.problem_without_transaction(
                lapsed,
                way_back.locale,
                transaction=way_back.transaction,
                client=way_back.client_id,
                row=record.row,
            )
            return Answer(_store_outcome(flow, seen.attempt_id, claim, url))
        transaction = Transaction.from_json(seen.transaction)
        tracing.join(transaction.request.traceparent)
        arrival = _Arrival(adapter, seen.handle, message, record, claim, transaction, seen.history, way_back)
        return _finish(flow, arrival)
    if seen.first is not None:
        first = from_members(Claim, seen.first)
        return Answer(equal_callback(flow, first, claim.callback, seen.attempt_id, way_back, seen.outcome))
    error: IdentificationError = Replay(Step.RESPONSE, "the state was used, its claim cannot be read")
    if seen.attempt is None:
        error = Expired(Step.RESPONSE, "the attempt has lapsed")
    return Answer(problem_page(flow, way_back, error))


def _unknown(flow: Flow) -> Answer:
    reference = new_reference()
    flow.log_refusal(Expired(Step.RESPONSE, "the state is not known"), txn=reference)
    return Answer(f"/problem/{reference}")


@dataclass(frozen=True, slots=True)
class _Arrival:
    """One claimed attempt whose message is to be finished. history: of the store; None if the claim is not durable."""

    adapter: Adapter
    handle: str
    message: Message
    record: AttemptRecord
    claim: Claim
    transaction: Transaction
    history: str | None
    way_back: ReturnRecord


def _finish(flow: Flow, arrival: _Arrival) -> Answer:
    progress = Progress.ACTED
    try:
        identity = _identity(flow, arrival)
        url, entries = _hand_over(flow, arrival, identity)
        progress = Progress.DONE
    except IdentificationError as error:
        url, entries = _refuse(flow, arrival, error)
    except StoreUnavailable:
        raise
    except Exception as error:  # noqa: BLE001 - else the claim has no outcome, and every reload waits for one in vain
        log.error("fault", extra={"reason": type(error).__name__, "place": logs.raised_at(error)})
        url, entries = _refuse(flow, arrival, RelyingPartyRejected(Step.HAND_OFF, "a fault of ours"))
    entries += _kept_from_now_on(arrival)
    url = _store_outcome(flow, arrival.record.id, arrival.claim, url, *entries)
    return Answer(url, arrival.transaction.id, progress)


def _kept_from_now_on(arrival: _Arrival) -> list[Entry]:
    """The ways back of a transaction that went to a bank by a hint: somebody has come back, so they stay for a day."""
    transaction = arrival.transaction
    if transaction.progress is not Progress.HINTED:
        return []
    of_transaction = ReturnRecord.of(transaction).entry(return_key(transaction.id), Progress.ACTED)
    return [of_transaction, arrival.way_back.entry(return_state_key(arrival.handle), Progress.ACTED)]


def _store_outcome(flow: Flow, attempt_id: str, claim: Claim, url: str, *entries: Entry) -> str:
    """Store the outcome of a claimed attempt, and what it leads to, all or nothing."""
    entries = (*entries, Outcome(url).entry(attempt_id), replace(claim, over=True).entry(attempt_id))
    try:
        flow.store.put(*entries)
    except StoreUnavailable:
        # The bank's code is used and cannot be used again. The same entries twice do no harm.
        flow.store.put(*entries)
    return url


def _identity(flow: Flow, arrival: _Arrival) -> Identity:
    attempt = arrival.record.attempt
    now = flow.now
    if arrival.history is None:
        raise Interrupted(Step.RESPONSE, "too few replicas of the store have confirmed the claim")
    if now >= attempt.expires_at:
        raise Expired(Step.RESPONSE, "the attempt has lapsed")
    return arrival.adapter.finish(arrival.message, arrival.handle, attempt, now)


def _hand_over(flow: Flow, arrival: _Arrival, identity: Identity) -> tuple[str, list[Entry]]:
    transaction, record = arrival.transaction, arrival.record
    client = transaction.request.client_id
    pushed.use(flow.store, transaction.request, transaction.id)
    _audit(
        flow,
        "identified",
        txn=transaction.txn,
        attempt=record.id,
        client=client,
        provider=identity.provider,
        connection=record.attempt.connection,
        reference=identity.evidence.reference,
        acr=identity.assurance.acr,
        auth_time=identity.auth_time,
        signing_kid=identity.evidence.signing_kid,
        encryption_kid=identity.evidence.encryption_kid,
        sub=flow.op.subject(client, identity),
    )
    grant = flow.op.grant(
        transaction.request,
        identity,
        txn=transaction.txn,
        provider=identity.provider,
        slot=slot_of(transaction.id),
        now=flow.now,
        history=arrival.history or "",
    )
    logs.add(connection=record.attempt.connection, acr=identity.assurance.acr, outcome="identified")
    flow.metrics.identified(provider=record.row, connection=record.attempt.connection)
    return grant.response, list(grant.entries)


def _refuse(flow: Flow, arrival: _Arrival, error: IdentificationError) -> tuple[str, list[Entry]]:
    transaction, record = arrival.transaction, arrival.record
    failed = replace(flow.problem_of(transaction, error, record.row, claimed=True), progress=Progress.ACTED)
    if flow.now > arrival.claim.at:  # another attempt of it may have begun meanwhile, and given it more time
        (value,) = flow.store.get(transaction.key)
        until = Transaction.from_json(value).expires_at if value else 0
        failed = replace(failed, expires_at=max(failed.expires_at, until))
    logs.add(connection=record.attempt.connection, outcome="refused")
    try:
        flow.audit.record(
            "refused",
            txn=transaction.txn,
            attempt=record.id,
            client=transaction.request.client_id,
            provider=record.attempt.provider,
            connection=record.attempt.connection,
            step=str(error.step),
            code=error.code,
        )
    except AuditUnavailable:
        # Nothing is handed over here, so the person still gets the page; /readyz shows the trail is down.
        logs.add(audit="unavailable")
    return page_url(failed), [failed.entry(flow.now)]


def _audit(flow: Flow, event: str, **fields: str | int | None) -> None:
    try:
        flow.audit.record(event, **fields)
    except AuditUnavailable as error:
        raise RelyingPartyRejected(Step.HAND_OFF, "the audit trail cannot be written") from error


def _fingerprint(message: Message) -> str:
    ordered = json.dumps(sorted((name, list(values)) for name, values in message.items()))
    return hashlib.sha256(ordered.encode()).hexdigest()
