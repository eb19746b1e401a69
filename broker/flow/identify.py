"""One trip to a bank begins: a row of the chooser becomes an attempt and a redirect."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import quote

from broker import tracing
from broker.chooser.catalogue import Choice
from broker.flow.attempts import AttemptRecord, Trip, attempt_id_of, new_handle
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
from broker.store import slotted, steps
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
    value, count = _look(flow, transaction_id, browser)
    if value is None:
        return Answer(f"/problem/{quote(transaction_id, safe='')}")  # anything may stand there, a line break too
    before = Transaction.from_json(value)
    tracing.join(before.request.traceparent)
    if count is None and not browser.began(before.id, before.browser):
        lost = LostCookie(Step.REQUEST, "the transaction belongs to another browser")
        return Answer(
            flow.problem_without_transaction(
                lost, before.locale, transaction=before.id, client=before.request.client_id, row=row
            )
        )
    if count is None:
        (count,) = flow.store.run(_one_more(before.id))
    if count > MOST_ATTEMPTS or before.request.client_id not in flow.op.sections:
        # Not noted on the transaction: from there it would lead to the chooser, and here again.
        ended = Expired(Step.REQUEST, "too many attempts in one transaction, or its client is registered no more")
        return Answer(
            flow.problem_without_transaction(
                ended, before.locale, transaction=before.id, client=before.request.client_id, row=row
            )
        )
    if count > FREE_ATTEMPTS and (reached := flow.limits.repeat(address, before.browser, flow.now)):
        flow.store.run(_one_more(before.id, by=-1))
        home = flow.op.sections[before.request.client_id].home_uri
        return TooManyView(reached.limit, reached.seconds, locale, home)
    # A broker of the version before sent browsers here by their client's hint, too.
    hinted = before.progress is Progress.NEW and before.request.idp_hint == row
    logs.add(txn=before.txn, client=before.request.client_id)
    transaction = before.acted_on(flow.now, Progress.HINTED if hinted else Progress.ACTED, locale)
    trip = _trip(flow, transaction, row, choice)
    flow.store.run(*trip.act, *(flow.limits.give_back(before.counted, flow.now) if count == 1 else ()))
    tell(flow, trip)
    return Answer(trip.url, transaction.id, transaction.progress)


def by_hint(flow: Flow, transaction: Transaction, choice: Choice) -> Trip:
    """The trip of a request that is its own first act; what is to be stored counts it."""
    trip = _trip(flow, transaction, transaction.request.idp_hint or "", choice)
    return replace(trip, act=[*trip.act, _one_more(transaction.id)])


def tell(flow: Flow, trip: Trip) -> None:
    """Put an attempt that was stored into the request's line of the log, and count it."""
    begun = trip.begun
    if begun is not None:
        logs.add(provider=begun.row, attempt=begun.id)
        flow.metrics.started(provider=begun.row, connection=begun.attempt.connection)


def _look(flow: Flow, transaction_id: str, browser: Browser) -> tuple[dict[str, Any] | None, int | None]:
    """A transaction, and the number of this attempt; None where the transaction must be asked whose it is."""
    looked = steps.get(transaction_key(transaction_id), needed=True)
    if browser.cookie_of(transaction_id) is None:
        return flow.store.run(looked)[0], None
    value, *counts = flow.store.run(looked, _one_more(transaction_id))
    return value, counts[0] if counts else None


def _one_more(transaction_id: str, by: int = 1) -> steps.Step:
    return steps.count(slotted("attempts", transaction_id), ttl=TRANSACTION_LIFETIME * 2, by=by)


def _trip(flow: Flow, transaction: Transaction, row: str, choice: Choice) -> Trip:
    """To the bank; or to the chooser or a problem's page, and the transaction says why."""
    if not choice.usable:
        noted = transaction.with_unusable_hint()
        return Trip(page_url(noted), _kept(flow, noted))
    try:
        return _begin(flow, transaction, row, choice)
    except IdentificationError as error:
        failed = flow.problem_of(transaction, error, row)
        return Trip(page_url(failed), _kept(flow, failed))


def _begin(flow: Flow, transaction: Transaction, row: str, choice: Choice) -> Trip:
    now = flow.now
    handle = new_handle(flow.op.keys.keyed_digest, transaction.id)
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
        id=attempt_id_of(handle),
        row=row,
        transaction=transaction.id,
        browser=transaction.browser,
        attempt=begun.attempt,
    )
    way_back = ReturnRecord.of(transaction).for_attempt(row, record.id)
    entries = record.entry(handle, now), way_back.entry(return_state_key(handle), transaction.progress)
    return Trip(begun.step.url, [*_kept(flow, transaction), *(steps.put(entry) for entry in entries)], record)


def _kept(flow: Flow, transaction: Transaction) -> list[steps.Step]:
    """A transaction that was acted on, and the way back from it."""
    way_back = ReturnRecord.of(transaction).entry(return_key(transaction.id), transaction.progress)
    return [steps.put(transaction.entry(flow.now)), steps.put(way_back)]
