"""From a client's authorization request to a transaction of this browser."""

from __future__ import annotations

import json
from dataclasses import replace
from urllib.parse import urlencode

from flask import Response

from broker import tracing
from broker.flow import identify, open_transactions
from broker.flow.attempts import Trip
from broker.flow.browser import TransactionCookie, fingerprint
from broker.flow.limits import Reached
from broker.flow.records import Progress, Transaction
from broker.flow.service import Flow, see_other, send
from broker.oidc.fapi.pushed import PREFIX
from broker.oidc.requests import AuthorizationRequest
from broker.pages.rendering import TooManyView
from broker.store import steps
from kit import logs
from kit.pages import languages
from kit.serving.plain import this_request
from kit.serving.speculation import is_speculative, nothing_begun

LARGEST = 3900
"""Bytes of a transaction that nobody has acted on; what limits count and the seal are less than 190 more."""


def begin(flow: Flow, authorization: AuthorizationRequest) -> Response:
    """Store the transaction, bind it to the browser and answer 303: to the chooser, or by a hint to the bank itself.

    A POST that comes from another site brings no SameSite=Lax cookie: it is sent round once as a GET, so that
    the browser keeps the cookie that its other tabs hang on.
    """
    request = this_request()
    if is_speculative(request):
        return nothing_begun()
    if traceparent := tracing.kept():
        authorization = replace(authorization, traceparent=traceparent)
    now = flow.now
    browser = flow.cookies.read(request, now)
    if browser.secret is None and request.method == "POST":
        return _sent_round(authorization)
    secret = browser.secret or flow.cookies.new_secret()
    locale = flow.settings.languages.of(request, authorization.ui_locales)
    cookie = TransactionCookie.new(authorization.client_id, now)
    transaction = _transaction(flow, authorization, cookie.transaction, fingerprint(secret), locale)
    logs.add(client=authorization.client_id)
    if transaction is None:
        return _too_large(flow, authorization, locale)
    hint = transaction.request.idp_hint
    choice = flow.catalogue.find(hint) if hint else None
    if choice is not None:
        transaction = transaction.acted_on(now, Progress.HINTED, locale)
        cookie = replace(cookie, progress=Progress.HINTED)

    def trip(counted: tuple[str, ...]) -> Trip:
        if choice is not None:
            return identify.by_hint(flow, transaction, choice)
        return Trip(f"/choose/{transaction.id}", [steps.put(replace(transaction, counted=counted).entry(now))])

    begun = flow.limits.start(flow.client_address(request), now, trip, acted=choice is not None)
    if isinstance(begun, Reached):
        home = flow.op.sections[authorization.client_id].home_uri
        return flow.pages.too_many(TooManyView(begun.limit, begun.seconds, locale, home))
    logs.add(txn=transaction.txn)
    identify.tell(flow, begun)
    response = see_other(begun.url)
    # The pages after this one, and the bank, are in the language that the client asked for.
    languages.remember(response, locale, secure=flow.settings.secure)
    flow.cookies.set_secret(response, secret)
    open_transactions.add(flow, response, browser, cookie)
    return response


def _transaction(
    flow: Flow, authorization: AuthorizationRequest, id: str, browser: str, locale: str
) -> Transaction | None:
    """The transaction of a request, with no more of it than is needed later; None if that is too much."""
    hint = authorization.idp_hint
    choice = flow.catalogue.find(hint) if hint else None
    usable = hint if choice is not None and choice.usable else None
    kept = replace(authorization, ui_locales=None, prompt=None, max_age=None, idp_hint=usable)
    transaction = Transaction.new(id, kept, browser, locale, flow.now)
    if hint and not usable:
        transaction = transaction.with_unusable_hint()
    size = len(json.dumps(transaction.entry(flow.now).value, separators=(",", ":")))
    return transaction if size <= LARGEST else None


def _sent_round(authorization: AuthorizationRequest) -> Response:
    if authorization.pushed is not None:  # its parameters stay where the client has put them
        query = urlencode({"client_id": authorization.client_id, "request_uri": PREFIX + authorization.pushed})
        return see_other(f"/authorize?{query}")
    wanted = {name: value for name, value in authorization.to_json().items() if value is not None}
    method = {"code_challenge_method": "S256"} if authorization.code_challenge else {}
    query = urlencode(wanted | method | {"response_type": "code"})
    return see_other(f"/authorize?{query}")


def _too_large(flow: Flow, authorization: AuthorizationRequest, locale: str) -> Response:
    """Each parameter is short enough, all of them together are not: the client is told."""
    logs.add(outcome="refused", reason="invalid_request: the parameters together are too long")
    response = flow.op.error_response(authorization, "invalid_request", "the parameters together are too long")
    return send(flow, response, locale) if response else flow.pages.bad_request()
