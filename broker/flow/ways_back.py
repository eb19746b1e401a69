"""No dead ends: the page of a problem, and the way back to the client."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from flask import Response, request

from broker.flow.browser import Browser
from broker.flow.records import (
    Problem,
    ProblemWithoutTransaction,
    ReturnRecord,
    Transaction,
    problem_key,
    return_key,
    transaction_key,
)
from broker.flow.service import Flow, language_of, see_other, send
from broker.pages.rendering import Action, ProblemView
from broker.pages.texts import OTHER_METHODS_AS_ROWS
from broker.store import from_members

_REFERENCE = re.compile(r"[A-Z2-7]{26}\Z")

CLIENT_ERRORS = {
    "cancelled": "access_denied",
    "idp_failed": "access_denied",
    "unavailable": "temporarily_unavailable",
    "expired": "access_denied",
    "replay": "access_denied",
    "interrupted": "temporarily_unavailable",
    "lost_cookie": "access_denied",
    "not_supported": "access_denied",
    "integrity_error": "server_error",
    "config_error": "server_error",
}
"""What the client is told when the person leaves from a problem's page (RFC 6749 §4.1.2.1)."""


def show_problem(flow: Flow, place: str, browser: Browser, locale: str) -> Response:
    """The page of `/problem/<place>`: a transaction's id, or the reference of a problem without one."""
    if _REFERENCE.match(place):
        return _problem_without_transaction(flow, place, locale)
    value, kept = flow.store.get(transaction_key(place), return_key(place))
    if value is not None:
        transaction = Transaction.from_json(value)
        locale = language_of(flow, request, transaction.locale)
        if browser.began(transaction.id, transaction.browser):
            return _of_transaction(flow, transaction, locale)
        client = transaction.request.client_id
        return _page(flow, Problem("lost_cookie", None, flow.now), transaction.txn, locale, back=place, client=client)
    if kept is not None:
        way_back = from_members(ReturnRecord, kept)
        return _page(
            flow,
            Problem("expired", way_back.row, flow.now),
            way_back.txn,
            language_of(flow, request, way_back.locale),
            back=place,
            client=way_back.client_id,
        )
    return _forgotten(flow, place, browser, locale)


def show_lapsed(flow: Flow, transaction_id: str, browser: Browser, locale: str) -> Response:
    """For an address of a transaction that is not there: to the page that says so, if anything is kept of it."""
    (kept,) = flow.store.get(return_key(transaction_id))  # seldom: so it is not opened each time
    if kept is not None:
        return see_other(f"/problem/{transaction_id}")
    return _forgotten(flow, transaction_id, browser, locale)


def _forgotten(flow: Flow, transaction_id: str, browser: Browser, locale: str) -> Response:
    """Nothing is kept of a transaction: the services, first the one that the browser's cookie says it was for."""
    cookie = browser.cookie_of(transaction_id)
    client = flow.op.sections.get(cookie.client) if cookie else None
    return flow.pages.home(locale, service=(client.name.get(locale), client.home_uri) if client else None)


def send_back(flow: Flow, transaction_id: str, browser: Browser, locale: str) -> Response:
    """`/return/<transaction>`: an OAuth error at the client's registered redirect URI, or our home page.

    Only in the browser that began: another one is led to the client's home page, with nothing of the request.
    """
    value, kept = flow.store.get(transaction_key(transaction_id), return_key(transaction_id))
    transaction = Transaction.from_json(value) if value else None
    if transaction is None and kept is None:
        return _forgotten(flow, transaction_id, browser, locale)
    way_back = ReturnRecord.of(transaction) if transaction else from_members(ReturnRecord, kept or {})
    if not browser.began(way_back.transaction, way_back.browser):
        client = flow.op.sections.get(way_back.client_id)
        return see_other(client.home_uri) if client else flow.pages.home(locale)
    problem = transaction.problem if transaction else None
    error = CLIENT_ERRORS.get(problem.code, "access_denied") if problem else "access_denied"
    response = flow.op.error_response(way_back, error)
    return send(flow, response, locale) if response else flow.pages.home(locale)


def _problem_without_transaction(flow: Flow, reference: str, locale: str) -> Response:
    value = flow.store.get(problem_key(reference))[0]
    if value is None:
        return flow.pages.home(locale)
    found = ProblemWithoutTransaction.from_json(value)
    client = _client_of(flow, found.transaction) if found.transaction else None
    back = found.transaction if client else None
    language = language_of(flow, request, found.locale)
    return _page(flow, found.problem, found.reference, language, back=back, client=client)


def _client_of(flow: Flow, transaction_id: str) -> str | None:
    """The client a transaction is for, or was for if it is known no more."""
    value, kept = flow.store.get(transaction_key(transaction_id), return_key(transaction_id))
    if value is not None:
        return str(value["request"]["client_id"])
    return str(kept["client_id"]) if kept is not None else None


def _of_transaction(flow: Flow, transaction: Transaction, locale: str) -> Response:
    problem = transaction.problem
    if problem is None or problem.code == "cancelled":
        return see_other(f"/choose/{transaction.id}")
    return _page(
        flow,
        problem,
        transaction.txn,
        locale,
        back=transaction.id,
        client=transaction.request.client_id,
        alive=transaction.id,
    )


def _page(
    flow: Flow,
    problem: Problem,
    txn: str,
    locale: str,
    *,
    back: str | None,
    client: str | None = None,
    alive: str | None = None,
) -> Response:
    """back: the transaction to return from. alive: the transaction in which this browser can go on."""
    registered = flow.op.sections.get(client) if client else None
    home = registered.home_uri if registered else None
    rows = flow.catalogue.rows(locale)
    row = next((row for row in rows if row.id == problem.row), None)
    return flow.pages.problem(
        ProblemView(
            code=problem.code,
            locale=locale,
            method=row.name if row else None,
            reference=txn[:8],
            when=datetime.fromtimestamp(problem.at, UTC),
            actions=ways_on(problem, alive, home),
            return_url=f"/return/{back}" if back else None,
            rows=tuple(r for r in rows if r.usable and r.id != problem.row)
            if problem.code in OTHER_METHODS_AS_ROWS
            else (),
            transaction_id=alive,
            path=request.path,
        )
    )


def ways_on(problem: Problem, alive: str | None, home: str | None) -> tuple[Action, ...]:
    """The ways on, the primary one first; the way back to the client comes after them.

    Where a method is not available and the transaction goes on, the others stand as rows on the page itself.
    alive: the transaction in which this browser can go on. home: the client's home page.
    """
    again = f"/identify/{alive}/{problem.row}" if alive and problem.row else None
    choose = f"/choose/{alive}" if alive else home
    same_method = [("again", again)] if alive else [("other", home)]
    wanted: dict[str, list[tuple[str, str | None]]] = {
        "unavailable": same_method,
        "config_error": same_method,
        "idp_failed": [("again", again), ("other", choose)],
        "interrupted": [("again", again), ("other", choose)],
        "expired": [("restart", choose)],
        "replay": [("restart", choose), ("continue", home)],
        "lost_cookie": [("restart", home)],
    }
    ways = wanted.get(problem.code, [("other", choose)])
    return tuple(Action(label, url) for label, url in ways if url)
