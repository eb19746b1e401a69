"""The routes of the person's way. Each reads the request, asks one module, and answers."""

from __future__ import annotations

from flask import Blueprint, Response, request

from broker.flow import callback, identify, open_transactions, waiting, ways_back
from broker.flow.browser import Browser
from broker.flow.records import Transaction, transaction_key
from broker.flow.service import Flow, language_of, see_other, send
from broker.flow.waiting import StillWaiting
from broker.pages.rendering import ChooserView, TooManyView
from broker.reference import new_reference
from kit.serving.plain import this_request
from kit.serving.speculation import is_speculative, nothing_begun
from providers.errors import BadRequest, LostCookie, Step


def create_blueprint(flow: Flow) -> Blueprint:
    """`/choose`, `/identify`, `/callback`, `/wait`, `/problem`, `/return`."""
    blueprint = Blueprint("flow", __name__)

    def locale() -> str:
        return flow.settings.languages.of(this_request())

    def browser() -> Browser:
        return flow.cookies.read(this_request(), flow.now)

    @blueprint.get("/choose/<transaction_id>")
    def choose(transaction_id: str) -> Response:
        return _choose(flow, transaction_id, browser())

    @blueprint.get("/identify/<transaction_id>/<row>")
    def start_attempt(transaction_id: str, row: str) -> Response:
        if is_speculative(request):
            return nothing_begun()
        address = flow.client_address(request)
        answer = identify.identify(flow, transaction_id, row, browser(), locale(), address)
        if answer is None:
            return flow.pages.not_found(locale())
        if isinstance(answer, TooManyView):
            return flow.pages.too_many(answer)
        return open_transactions.keep(flow, see_other(answer.url), browser(), answer)

    @blueprint.get("/callback/<connection>")
    def receive(connection: str) -> Response:
        if connection not in flow.adapters:
            return flow.pages.not_found(locale())
        asked, came_back = this_request(), browser()
        if is_speculative(asked):
            return nothing_begun()
        message = asked.args.to_dict(flat=False)
        try:
            answer = callback.receive(flow, connection, message, came_back)
        except BadRequest as error:
            reference = new_reference()
            flow.log_refusal(error, txn=reference)
            return flow.pages.bad_request(reference)
        return open_transactions.keep(flow, send(flow, answer.url), came_back, answer)

    @blueprint.get("/wait/<attempt>")
    def wait(attempt: str) -> Response:
        answer = waiting.look_again(flow, attempt, browser())
        if answer is None:
            return flow.pages.home(locale())
        if not isinstance(answer, StillWaiting):
            return send(flow, answer)
        reached = flow.limits.look(flow.client_address(request), flow.now)
        return flow.pages.wait(request.path, locale(), busy=reached.seconds if reached else None)

    @blueprint.get("/problem/<place>")
    def problem(place: str) -> Response:
        return ways_back.show_problem(flow, place, browser(), locale())

    @blueprint.get("/return/<transaction_id>")
    def send_back(transaction_id: str) -> Response:
        return ways_back.send_back(flow, transaction_id, browser(), locale())

    return blueprint


def _choose(flow: Flow, transaction_id: str, browser: Browser) -> Response:
    (value,) = flow.store.get(transaction_key(transaction_id))
    if value is None:
        return ways_back.show_lapsed(flow, transaction_id, browser, flow.settings.languages.of(request))
    transaction = Transaction.from_json(value)
    if not browser.began(transaction.id, transaction.browser):
        lost = LostCookie(Step.REQUEST, "the transaction belongs to another browser")
        client_id = transaction.request.client_id
        return see_other(
            flow.problem_without_transaction(lost, transaction.locale, transaction=transaction_id, client=client_id)
        )
    locale = language_of(flow, request, transaction.locale)
    client = flow.op.sections.get(transaction.request.client_id)
    if client is None:
        return flow.pages.home(locale)
    problem = transaction.problem
    cancelled = problem is not None and problem.code == "cancelled"
    notice = "hint_unusable" if transaction.hint_unusable else "cancelled" if cancelled else None
    return flow.pages.chooser(
        ChooserView(
            transaction_id=transaction_id,
            locale=locale,
            client_name=client.name.get(locale),
            rows=flow.catalogue.rows(locale),
            notice=notice,
            scopes=tuple((transaction.request.scope or "").split()),
            return_url=f"/return/{transaction_id}",
            step=transaction.request.step,
            path=request.path,
        )
    )
