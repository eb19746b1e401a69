"""One trip to a bank begins: a row of the chooser becomes an attempt and a redirect."""

from __future__ import annotations

import secrets
from urllib.parse import quote

from broker import tracing
from broker.chooser.catalogue import Choice
from broker.flow.attempts import AttemptRecord
from broker.flow.browser import Browser
from broker.flow.records import (
    FREE_ATTEMPTS,
    MOST_ATTEMPTS,
    TRANSACTION_LIFETIME,
    Progress,
    ReturnRecord,
    Transaction,
    return_key,
    return_state_key,
    transaction_key,
)
from broker.flow.service import Answer, Flow, page_url
from broker.pages.rendering import TooManyView
from broker.store import Entry, slot_of
from kit import logs
from kit.pages.languages import ours
from providers.errors import Expired, IdentificationError, LostCookie, Step
from providers.model import BeginRequest


def identify(
    flow: Flow, transaction_id: str, row: str, browser: Browser, locale: str, address: str | None
) -> Answer | TooManyView | None:
    """Start an attempt; return the address to send the browser to, None if there is no such row.

    address: of the browser, None if it cannot be told. Beyond the first attempts of a transaction limits hold.

    Nothing is stored, and nothing counted, for a transaction that is not there or not this browser's.
    """
    choice = flow.catalogue.find(row)
    if choice is None:
        return None
    (value,) = flow.store.get(transaction_key(transaction_id))
    if value is None:
        return Answer(f"/problem/{quote(transaction_id, safe='')}")  # anything may stand there, a line break too
    before = Transaction.from_json(value)
    tracing.join(before.request.traceparent)
    if not browser.began(before.id, before.browser):
        lost = LostCookie(Step.REQUEST, "the transaction belongs to another browser")
        return Answer(
            flow.problem_without_transaction(
                lost, before.locale, transaction=before.id, client=before.request.client_id, row=row
            )
        )
    (count,) = flow.store.count(before.attempts_key, ttl=TRANSACTION_LIFETIME * 2)
    if count > MOST_ATTEMPTS or before.request.client_id not in flow.op.sections:
        # Not noted on the transaction: from there it would lead to the chooser, and here again.
        ended = Expired(Step.REQUEST, "too many attempts in one transaction, or its client is registered no more")
        return Answer(
            flow.problem_without_transaction(
                ended, before.locale, transaction=before.id, client=before.request.client_id, row=row
            )
        )
    if count > FREE_ATTEMPTS and (reached := flow.limits.repeat(address, before.browser, flow.now)):
        flow.store.count(before.attempts_key, ttl=TRANSACTION_LIFETIME * 2, by=-1)
        home = flow.op.sections[before.request.client_id].home_uri
        return TooManyView(reached.limit, reached.seconds, locale, home)
    by_hint = before.progress is Progress.NEW and before.request.idp_hint == row
    transaction = before.acted_on(flow.now, Progress.HINTED if by_hint else Progress.ACTED, locale)
    url = _go_on(flow, transaction, row, choice)
    if count == 1:
        flow.limits.give_back(before.counted, flow.now)
    return Answer(url, transaction.id, transaction.progress)


def _go_on(flow: Flow, transaction: Transaction, row: str, choice: Choice) -> str:
    """To the bank; or to the chooser or a problem's page, and the transaction says why."""
    if not choice.usable:
        noted = transaction.with_unusable_hint()
        _store(flow, noted)
        return page_url(noted)
    try:
        return _begin(flow, transaction, row, choice)
    except IdentificationError as error:
        failed = flow.problem_of(transaction, error, row)
        _store(flow, failed)
        return page_url(failed)


def _begin(flow: Flow, transaction: Transaction, row: str, choice: Choice) -> str:
    now = flow.now
    slot = slot_of(transaction.id)
    handle = slot + secrets.token_hex(28)
    client_id = transaction.request.client_id
    begun = flow.adapters[choice.connection_id].begin(
        BeginRequest(
            handle=handle,
            provider=choice.provider,
            ui_locale=ours(transaction.locale),
            acr_values=flow.op.accepted_acr_values(transaction.request),
            profile="profile" in (transaction.request.scope or "").split(),
            credential=flow.op.sections[client_id].creates_credential,
            now=now,
        )
    )
    record = AttemptRecord(
        id=slot + secrets.token_hex(8),
        row=row,
        transaction=transaction.id,
        browser=transaction.browser,
        attempt=begun.attempt,
    )
    way_back = ReturnRecord.of(transaction).for_attempt(row, record.id)
    _store(flow, transaction, record.entry(handle, now), way_back.entry(return_state_key(handle)))
    logs.add(txn=transaction.txn, client=client_id, provider=row, attempt=record.id)
    flow.metrics.started(provider=row, connection=choice.connection_id)
    return begun.step.url


def _store(flow: Flow, transaction: Transaction, *entries: Entry) -> None:
    """Store a transaction that was acted on, the way back from it, and what else belongs to the act."""
    way_back = ReturnRecord.of(transaction).entry(return_key(transaction.id))
    flow.store.put(transaction.entry(flow.now), way_back, *entries)
