"""The open transactions of one browser: at most twenty, and which of them gives way to another.

A page of somebody else can send a browser to `/authorize` as often as it likes, and with a hint on to a bank. So
what was only begun never ends what a person has acted on; that only another act of the person does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from flask import Response

from broker.flow.browser import Browser, TransactionCookie
from broker.flow.records import MOST_TRANSACTIONS, Progress, Transaction, transaction_key
from broker.flow.service import Answer, Flow
from broker.store import steps

MOST_GONE = 5
"""Transactions that one request ends at most: the cookies that tell of them are whatever a browser says."""


def keep(flow: Flow, response: Response, browser: Browser, answer: Answer) -> Response:
    """Tell the browser how far its transaction has got by a request, if it did; others may give way to it."""
    cookie = browser.cookie_of(answer.transaction) if answer.transaction else None
    if cookie is not None and answer.progress is not None:
        add(flow, response, browser, replace(cookie, progress=answer.progress, since=flow.now))
    return response


def add(flow: Flow, response: Response, browser: Browser, cookie: TransactionCookie) -> None:
    """Give the browser the cookie of a transaction, and end what gives way to it."""
    others = sorted(browser.transactions.values(), key=lambda other: other.since)
    others = [other for other in others if other.slot != cookie.slot]
    for _ in range(MOST_GONE):
        gone = gives_way(others, cookie.progress, flow.now) if len(others) >= MOST_TRANSACTIONS else None
        if gone is None:
            break
        others.remove(gone)
        flow.cookies.remove_transaction(response, gone)
        if gone.is_open(flow.now):
            _end(flow, gone)
    flow.cookies.set_transaction(response, cookie)


def gives_way(others: Sequence[TransactionCookie], progress: Progress, now: int) -> TransactionCookie | None:
    """Which of a browser's transactions, oldest first, gives way to one that has got as far as `progress`.

    First what is over; then what nobody acted on, the oldest; then what went to a bank by a hint, of these the
    newest, so that whoever sends the browser on without end is only in their own way.
    """
    over = [other for other in others if not other.is_open(now)]
    new = [other for other in others if other.progress is Progress.NEW]
    hinted = [other for other in others if other.progress is Progress.HINTED]
    for candidates in (over, new, hinted[::-1]):
        if candidates:
            return candidates[0]
    return None if progress in (Progress.NEW, Progress.HINTED) else others[0]


def _end(flow: Flow, cookie: TransactionCookie) -> None:
    """End a transaction, unless it has got further than its cookie says: then another answer is on its way."""
    key = transaction_key(cookie.transaction)
    (value,) = flow.store.get(key)
    transaction = Transaction.from_json(value) if value is not None else None
    if transaction is not None and transaction.progress == cookie.progress:
        flow.store.run(steps.delete(key), *flow.limits.give_back(transaction.counted, flow.now))
