"""Step 1, the kind of customer, and step 2's way out: to the broker."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, request
from flask import session as cookie
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from kit import logs
from kit.pages.languages import N_, PARAMETER, remember
from kit.serving.speculation import is_speculative, nothing_begun
from registration.accounts import limits
from registration.accounts.limits import Limit
from registration.caller import checks
from registration.flow import attempt_cookies, attempts
from registration.pages.texts import PROBLEMS
from registration.service import Service

NO_KIND = N_("Choose whether you are a corporate or a private customer.")
_MOST_HINT = 40
STARTS_WINDOW = 900
"""Seconds in which the identifications that are begun from an address are counted."""


def create_blueprint(service: Service) -> Blueprint:
    """`/`, `/customer`, `/private`, `/start`, `/problem/<code>`."""
    blueprint = Blueprint("start", __name__)
    pages, secure = service.pages, service.settings.secure

    @blueprint.get("/")
    def show_start() -> Response:
        return pages.show("start.html", error="", to_broker=True)

    @blueprint.get("/customer")
    def choose_kind() -> ResponseReturnValue:
        kind = request.args.get("kind")
        if kind == "private":
            return redirect("/private", 303)
        if kind == "company":
            return redirect("/start", 303)
        return pages.show("start.html", 422, error=NO_KIND, to_broker=True)

    @blueprint.get("/private")
    def show_private() -> Response:
        return pages.show("private.html")

    @blueprint.get("/start")
    def start() -> ResponseReturnValue:
        if is_speculative(request):
            return nothing_begun()
        purpose = request.args.get("purpose", "register")
        hint = request.args.get("idp_hint")
        if purpose not in attempts.PURPOSES or (hint and not _is_hint(hint)):
            return pages.problem("bad_request")
        locale = pages.locale()
        try:
            if started_too_often(service, request.remote_addr):
                return pages.problem("too_many_starts")
            begun = attempts.begin(service, attempt_cookies.held_tokens(secure=secure), purpose, locale, hint)
        except SQLAlchemyError:
            return pages.not_now("unavailable")
        if purpose == "caller":
            with service.database.write() as transaction:
                check = checks.leaves_for_bank(transaction, cookie.get(checks.COOKIE), begun.id, service.now)
            if check is None:
                return redirect("/caller", 303)
        response = redirect(begun.url, 303)
        response.headers["Cache-Control"] = "no-store"
        attempt_cookies.take_back(response, begun.ended, secure=secure)
        attempt_cookies.give(response, begun.id, begun.token, seconds=attempts.LIFETIME, secure=secure)
        if service.settings.languages.first(request.args.get(PARAMETER)):
            remember(response, locale, secure=secure)
        return response

    @blueprint.get("/problem/<code>", defaults={"reference": ""})
    @blueprint.get("/problem/<code>/<reference>")
    def show_problem(code: str, reference: str) -> Response:
        usable = code in PROBLEMS and (not reference or (len(reference) == 8 and reference.isalnum()))
        purpose = request.args.get("purpose", "")
        again = f"/start?purpose={purpose}" if purpose in attempts.PURPOSES else "/start"
        if not usable:
            return pages.problem("not_found")
        return pages.problem(code, reference=reference, again=again, at=service.now)

    return blueprint


def started_too_often(service: Service, address: str | None) -> bool:
    """Count a start from an address; whether there were too many: each keeps something, and nobody has identified."""
    rules = service.settings.rules
    in_all = all_starts(service)
    counted = limits.by_network(service, "start", address, Limit(rules.starts_per_address, STARTS_WINDOW))
    counted |= {in_all: Limit(rules.starts_in_all, STARTS_WINDOW)}
    with service.database.write() as transaction:
        reached = limits.take_all(transaction, counted, service.now)
    if reached:
        logs.add(code="too_many_starts", limit="starts_in_all" if in_all in reached else "starts_per_address")
    return bool(reached)


def all_starts(service: Service) -> str:
    """What all starts together are counted under."""
    return service.keys.keyed_digest("start", "in all")


def _is_hint(hint: str) -> bool:
    return len(hint) <= _MOST_HINT and hint.isascii() and hint.replace("-", "").isalnum()
