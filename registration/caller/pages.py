"""What a caller sees: the code's form or the e-mail's link, who asks and why, the way to the bank, the four digits."""

from __future__ import annotations

from flask import Blueprint, redirect, request
from flask import session as cookie
from flask.typing import ResponseReturnValue
from wtforms import StringField

from kit import logs
from kit.pages.forms import Form
from kit.pages.languages import N_
from kit.typed_text import line
from registration.accounts import limits
from registration.accounts.limits import Limit
from registration.caller import checks
from registration.database.models import OutboxEntry
from registration.mail.links import read_link
from registration.mail.outbox import CALLER_CHECK
from registration.pages.forms import ConfirmForm
from registration.service import Service

FROM_ADDRESS, IN_ALL, WINDOW = 10, 300, 900
"""Codes that may be entered from an address, and from all, and the seconds in which; right ones do not count."""
NO_CODE = N_("The code is not right, has been used, or its ten minutes are over. Check it, or ask for a new one.")


class CodeForm(Form):
    """The code that customer service has read out."""

    code = StringField(filters=[line])


def create_blueprint(service: Service) -> Blueprint:
    """`/caller`, `/caller/link/<token>`, `/caller/check`."""
    blueprint = Blueprint("caller", __name__)
    pages, database, keys = service.pages, service.database, service.keys

    def form_page(form: CodeForm, status: int = 200) -> ResponseReturnValue:
        return pages.show("caller/code.html", status, form_id="caller", form=form, problems=form.problems())

    @blueprint.route("/caller", methods=["GET", "POST"])
    def enter_code() -> ResponseReturnValue:
        form = CodeForm()
        if request.method != "POST" or pages.only_asks_for_language():
            return form_page(form)
        in_all = keys.keyed_digest("caller", "in all")
        counted = limits.by_network(service, "caller", request.remote_addr, Limit(FROM_ADDRESS, WINDOW))
        counted |= {in_all: Limit(IN_ALL, WINDOW)}
        with database.write() as transaction:
            reached = limits.take_all(transaction, counted, service.now)
        if reached:
            logs.add(code="too_many_caller_codes", limit="caller_codes")
            return redirect("/problem/too_many_caller_codes", 303)
        with database.write() as transaction:
            token = checks.enter(transaction, keys, form.code.data or "", service.now)
            if token is not None:
                limits.give_back(transaction, *counted)
        if token is None:
            form.code.errors = [NO_CODE]
            return form_page(form, 422)
        return bound(token)

    def check_of_link(token: str) -> str | None:
        """The check whose link was sent; no look into the checks: a GET of a mail scanner changes nothing."""
        read = read_link(keys, token, service.now)
        if read is None:
            return None
        with database.read() as transaction:
            entry = transaction.get(OutboxEntry, read[0])
        return entry.words["check"] if entry is not None and entry.kind == CALLER_CHECK else None

    @blueprint.get("/caller/link/<token>")
    def show_link(token: str) -> ResponseReturnValue:
        if check_of_link(token) is None:
            return pages.show("caller/ended.html", 410)
        return pages.show("caller/link.html", form=ConfirmForm(), token=token)

    @blueprint.post("/caller/link/<token>")
    def follow_link(token: str) -> ResponseReturnValue:
        id, bound_to = check_of_link(token), None
        if id is not None:
            with database.write() as transaction:
                bound_to = checks.follow_link(transaction, id, service.now)
        return bound(bound_to) if bound_to else pages.show("caller/ended.html", 410)

    def bound(token: str) -> ResponseReturnValue:
        cookie[checks.COOKIE] = token
        return redirect("/caller/check", 303)

    @blueprint.get("/caller/check")
    def show_check() -> ResponseReturnValue:
        with database.read() as transaction:
            check = checks.of_browser(transaction, cookie.get(checks.COOKIE), service.now)
        state = checks.state_of(check)
        if check is None or state == "ended":
            return pages.show("caller/ended.html", 410)
        if state == "identified":
            return pages.show("caller/digits.html", digits=checks.digits_of(keys, check))
        return pages.show("caller/check.html", check=check)

    return blueprint
