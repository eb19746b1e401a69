"""From a client's authorization request to a transaction of this browser."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Response, request

from broker.flow.browser import LIFETIME, fingerprint
from broker.flow.records import MOST_TRANSACTIONS, ReturnRecord, Transaction, return_key
from broker.flow.service import Flow, see_other
from broker.oidc.requests import AuthorizationRequest
from broker.store import Key
from kit import logs
from kit.pages import languages


def begin(flow: Flow, authorization: AuthorizationRequest) -> Response:
    """Store the transaction, bind it to the browser and answer 303, to the chooser or straight to a bank.

    A POST that comes from another site brings no SameSite=Lax cookie: it is sent round once as a GET, so that
    the browser keeps the cookie that its other tabs hang on.
    """
    browser = flow.cookie.read(request)
    if browser is None and request.method == "POST":
        wanted = {name: value for name, value in authorization.to_json().items() if value is not None}
        query = urlencode(wanted | {"response_type": "code", "code_challenge_method": "S256"})
        return see_other(f"/authorize?{query}")
    now = flow.now
    secret = browser or flow.cookie.new()
    locale = flow.settings.languages.of(request, authorization.ui_locales)
    transaction = Transaction.new(authorization, fingerprint(secret), locale, now)
    place = _first_place(flow, transaction)
    if place is None:
        transaction = transaction.with_unusable_hint()
        place = f"/choose/{transaction.id}"
    flow.store.put(transaction.entry(now), ReturnRecord.of(transaction).entry(return_key(transaction.id)))
    group = Key("browser", "", fingerprint(secret))
    flow.store.remember(transaction.key, group, most=MOST_TRANSACTIONS, ttl=LIFETIME)
    logs.add(txn=transaction.txn, client=authorization.client_id)
    response = see_other(place)
    # The pages after this one, and the bank, are in the language that the client asked for.
    languages.remember(response, locale, secure=flow.settings.secure)
    if browser is None:
        flow.cookie.set(response, secret)
    return response


def _first_place(flow: Flow, transaction: Transaction) -> str | None:
    """Where to go first; None if the client's hint names nothing that can be used now."""
    hint = transaction.request.idp_hint
    if not hint:
        return f"/choose/{transaction.id}"
    choice = flow.catalogue.find(hint)
    if choice is None or not choice.usable:
        return None
    return f"/identify/{transaction.id}/{hint}"
