"""What waits for a decision: the person's own request and its code, an administrator's decision, and a dispute."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, request
from flask import session as cookie
from flask.typing import ResponseReturnValue

from kit import logs
from kit.pages.languages import N_
from registration import cases
from registration.accounts import limits, sessions
from registration.accounts.fresh import freshly_identified_only
from registration.accounts.sessions import signed_in_only
from registration.audit import By
from registration.cases import codes
from registration.customer_register import RegisterUnavailable
from registration.database.models import Account, Case, Company
from registration.flow.checks import check_numbers
from registration.pages.forms import NOT_TOGETHER, CodeForm, ConfirmForm, DisputeForm
from registration.pages.texts import PROBLEMS
from registration.rights import errors, lookup
from registration.rights_pages.common import show, was_sent
from registration.service import Service

WRONG_CODE = N_("The code is not right. Check it in the letter or the e-mail.")
NO_COMPANY_YET = N_("Nobody acts for this company in the Online service yet. Contact customer service.")
ADMINISTRATOR = N_("You are an administrator of this company already.")
DECIDED = N_("The request was decided.")
WITHDRAWN = N_("Your request was withdrawn.")
MOST_CODES = 3
"""New codes that are sent for one request, within the time that a code is valid."""
REQUEST, COMPANY_REQUEST = "/requests/<id>", "/companies/<company_key>/requests/<id>"


def add_own_request(blueprint: Blueprint, service: Service) -> None:
    """`/requests/<id>`: how it stands, and its code."""

    def own(account: Account, id: str) -> Case:
        with service.database.read() as tx:
            found = tx.get(Case, id)
        if found is None or found.account_id != account.id:
            raise errors.Forbidden
        return found

    def page(account: Account, found: Case, form: CodeForm, status: int = 200) -> Response:
        awaited = codes.is_awaited(found)
        stands = found.state if found.state != "open" else found.way if found.kind == "founding" else found.kind
        values = {"request": found, "stands": stands, "awaited": awaited, "over": codes.is_over(found, service.now)}
        return show(service, "request", account, form, status, form_id="code-form" if awaited else None, **values)

    @blueprint.get(REQUEST)
    @signed_in_only(service)
    def show_request(account: Account, id: str) -> ResponseReturnValue:
        return page(account, own(account, id), CodeForm())

    @blueprint.post(f"{REQUEST}/code")
    @signed_in_only(service)
    def enter_code(account: Account, id: str) -> ResponseReturnValue:
        found, form = own(account, id), CodeForm()
        if service.pages.only_asks_for_language():
            return page(account, found, form)
        if found.state == "open":
            with service.database.write() as tx:
                right = form.validate() and codes.enter(tx, service.keys, found.id, form.code.data, service.now)
            if not right:
                logs.add(code="wrong_code", step="request")
                form.code.errors = form.code.errors or [WRONG_CODE]
                return page(account, own(account, id), form, 422)
        return redirect(f"/requests/{id}", 303)

    @blueprint.post(f"{REQUEST}/new-code")
    @signed_in_only(service)
    def order_code(account: Account, id: str) -> ResponseReturnValue:
        found, counted = own(account, id), service.keys.keyed_digest("new-code", id)
        with service.database.write() as tx:
            reached = limits.take(tx, {counted: limits.Limit(MOST_CODES, codes.VALID)}, service.now)
        if reached:
            logs.add(code="too_many_codes", step="request", limit="codes_per_request")
            return service.pages.problem("too_many_codes")
        try:
            customer = service.register.find(found.customer_number, found.fo_nummer)
        except RegisterUnavailable:
            with service.database.write() as tx:
                limits.give_back(tx, counted)
            return service.pages.problem("register_unavailable")
        with service.database.write() as tx:
            codes.send_again(tx, id, customer, service.now)
        return redirect(f"/requests/{id}", 303)

    @blueprint.post(f"{REQUEST}/withdraw")
    @signed_in_only(service)
    def withdraw(account: Account, id: str) -> ResponseReturnValue:
        if own(account, id).kind != "disputed":
            raise errors.Forbidden
        with service.database.write() as tx:
            cases.decide(tx, id, "withdraw", By(account.id, service.now, {"reason": "by the person"}))
        flash(WITHDRAWN)
        return redirect("/rights", 303)


def add_decision(blueprint: Blueprint, service: Service) -> None:
    """`/companies/<company_key>/requests/<id>`: an administrator decides who joins."""

    @blueprint.route(COMPANY_REQUEST, methods=["GET", "POST"])
    @freshly_identified_only(service)
    def decide(account: Account, company_key: str, id: str) -> ResponseReturnValue:
        if request.method == "POST":
            decision = request.form.get("decision", "")
            with service.database.write() as tx:
                cases.decide_as_administrator(tx, account, company_key, id, decision, service.now)
            flash(DECIDED)
            return redirect(f"/companies/{company_key}/users", 303)
        with service.database.read() as tx:
            right, found = lookup.right_in(tx, account.id, company_key), tx.get(Case, id)
            fits = found is not None and (found.fo_nummer, found.kind) == (right.fo_nummer, "joining")
            if found is None or not fits or not right.administrator:
                raise errors.Forbidden
            who = found.account
        return show(service, "decision", account, ConfirmForm(), right=right, request=found, who=who)


def add_dispute(blueprint: Blueprint, service: Service) -> None:
    """`/dispute`: "It is my company and somebody else is its administrator"."""

    @blueprint.route("/dispute", methods=["GET", "POST"])
    @signed_in_only(service)
    def dispute(account: Account) -> ResponseReturnValue:
        form, session = DisputeForm(), sessions.current(service)
        identified = session is not None and session.person is not None

        def page(status: int = 200, refused: str = "") -> Response:
            if not identified:
                cookie["wanted"] = "/dispute"
            values = {"identified": identified, "refused": refused}
            return show(service, "dispute", account, form, status, form_id="dispute" if identified else None, **values)

        if not was_sent(service):
            return page()
        if not identified or not form.validate():
            return page(422)
        numbers = form.customer_number.data, form.fo_nummer.data, form.company_name.data
        checked = check_numbers(service, account.sub, *numbers)
        if checked.refused == "not_together":
            form.customer_number.errors = [NOT_TOGETHER]
            return page(422)
        if checked.customer is None:
            refused = checked.refused or ""
            return page(PROBLEMS[refused].status, refused)
        try:
            with service.database.write() as tx:
                company = tx.get(Company, form.fo_nummer.data, with_for_update=True)
                held = company and lookup.representation_in(tx, company, account.id)
                if company is None or (held and held.administrator):
                    form.fo_nummer.errors = [ADMINISTRATOR if held else NO_COMPANY_YET]
                    return page(422)
                id = cases.open_case(tx, account, "disputed", checked.customer, service.now).id
        except cases.AlreadyOpen as error:
            id = error.id
        return redirect(f"/requests/{id}", 303)
