"""One trip to a bank begins: a row of the chooser becomes an attempt and a redirect."""

from __future__ import annotations

import secrets
from dataclasses import replace
from urllib.parse import quote

from broker.flow.browser import fingerprint
from broker.flow.records import (
    MOST_ATTEMPTS,
    TRANSACTION_LIFETIME,
    AttemptRecord,
    ReturnRecord,
    Transaction,
    return_key,
    return_state_key,
    transaction_key,
)
from broker.flow.service import Flow, page_url
from broker.store import Key, slot_of
from kit import logs
from kit.pages.languages import ours
from providers.errors import Expired, IdentificationError, LostCookie, Step
from providers.model import BeginRequest


def identify(flow: Flow, transaction_id: str, row: str, browser: str | None, locale: str) -> str | None:
    """Start an attempt; return the address to send the browser to, None if there is no such row."""
    choice = flow.catalogue.find(row)
    if choice is None:
        return None
    counter = Key("attempts", slot_of(transaction_id), transaction_id)
    count, (value,) = flow.store.count_and_get(counter, TRANSACTION_LIFETIME * 2, transaction_key(transaction_id))
    if value is None:
        return f"/problem/{quote(transaction_id, safe='')}"  # anything may stand there, a line break too
    transaction = Transaction.from_json(value)
    if transaction.browser != fingerprint(browser):
        lost = LostCookie(Step.REQUEST, "the transaction belongs to another browser")
        return flow.problem_without_transaction(lost, transaction.locale, transaction=transaction.id, row=row)
    if not choice.usable:
        flow.store.put(transaction.with_unusable_hint().entry(flow.now))
        return f"/choose/{transaction.id}"
    if count > MOST_ATTEMPTS or transaction.request.client_id not in flow.settings.clients:
        # Not noted on the transaction: from there it would lead to the chooser, and here again.
        ended = Expired(Step.REQUEST, "too many attempts in one transaction, or its client is registered no more")
        return flow.problem_without_transaction(ended, transaction.locale, transaction=transaction.id, row=row)
    try:
        return _begin(flow, transaction, row, locale)
    except IdentificationError as error:
        failed = flow.problem_of(transaction, error, row)
        flow.store.put(failed.entry(flow.now))
        return page_url(failed)


def _begin(flow: Flow, transaction: Transaction, row: str, locale: str) -> str:
    choice = flow.catalogue.find(row)
    assert choice is not None  # noqa: S101 - `identify` has looked
    now = flow.now
    slot = slot_of(transaction.id)
    handle = slot + secrets.token_hex(28)
    client = flow.settings.clients[transaction.request.client_id]
    begun = flow.adapters[choice.connection_id].begin(
        BeginRequest(
            handle=handle,
            provider=choice.provider,
            ui_locale=ours(locale),
            acr_values=flow.op.accepted_acr_values(transaction.request),
            profile="profile" in (transaction.request.scope or "").split(),
            credential=client.creates_credential,
            now=now,
        )
    )
    extended = replace(transaction.extended(now), locale=locale)
    record = AttemptRecord(
        id=slot + secrets.token_hex(8),
        row=row,
        transaction=transaction.id,
        browser=transaction.browser,
        attempt=begun.attempt,
    )
    flow.store.put(
        extended.entry(now),
        record.entry(handle, now),
        ReturnRecord.of(extended).entry(return_key(transaction.id)),
        ReturnRecord.of(extended, row, record.id).entry(return_state_key(handle)),
    )
    logs.add(txn=transaction.txn, client=client_id(transaction), provider=row, attempt=record.id)
    flow.metrics.started(provider=row, connection=choice.connection_id)
    return begun.step.url


def client_id(transaction: Transaction) -> str:
    """The client a transaction is for."""
    return transaction.request.client_id
