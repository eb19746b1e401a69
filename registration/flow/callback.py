"""Step 2: the broker's answer. `state` first, then its browser, then `iss` (RFC 9207), claimed once; then the code."""

from __future__ import annotations

from flask import Blueprint, redirect, request
from flask import session as cookie
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from kit import logs
from registration import audit
from registration.accounts import sessions
from registration.accounts.sessions import Person
from registration.caller import checks
from registration.database.connection import digest
from registration.database.models import Account
from registration.flow import attempt_cookies, attempts, drafts
from registration.flow.attempts import Trip
from registration.flow.broker_client import BrokerUnavailable, NotIdentified, is_old_enough
from registration.service import Service
from tunnus_verifier import IdentityClaims

CALL_WAIT = 1.0
"""Seconds that an answer waits for a place to ask the broker."""
OVERDUE = 30
"""Seconds after its claim in which an outcome comes, or never: nobody waits for it after that."""
_ERRORS = {"access_denied": "cancelled", "temporarily_unavailable": "broker_unavailable"}
"""OAuth errors (RFC 6749 §4.1.2.1) that have a page of their own; any other is `failed`."""


def create_blueprint(service: Service) -> Blueprint:
    """`/callback`."""
    blueprint = Blueprint("callback", __name__)

    @blueprint.get("/callback")
    def answer() -> ResponseReturnValue:
        state = _once("state")
        if state is None:
            return service.pages.problem("bad_request")
        found = attempts.find(service, state)
        if found is None:
            logs.add(code="expired", step="response")
            return redirect("/problem/expired", 303)
        trip, browser = found
        logs.add(attempt=trip.reference)
        token = attempt_cookies.token_of(trip.id, secure=service.settings.secure)
        if token is None or digest(token) != browser:
            return _problem("lost_cookie", trip)
        if _once("iss") != service.broker.issuer:
            return _problem("not_verified", trip, reason="iss")
        if trip.outcome is not None:
            return _repeat(service, trip.outcome)
        if trip.claimed_at is not None and trip.claimed_at + OVERDUE <= service.now:
            return _problem("interrupted", trip)
        if not service.broker_calls.acquire(timeout=CALL_WAIT):
            logs.add(code="broker_unavailable", step="response", limit="broker_calls")
            return service.pages.not_now("broker_unavailable")  # not claimed: a reload tries it again
        try:
            if attempts.claim(service, trip):
                return _take(service, trip)
        finally:
            service.broker_calls.release()
        outcome = attempts.wait_for_outcome(service, state)
        return _repeat(service, outcome) if outcome else _problem("interrupted", trip)

    return blueprint


def _once(name: str) -> str | None:
    """A parameter that is there exactly once (RFC 6749 §3.1)."""
    values = request.args.getlist(name)
    return values[0] if len(values) == 1 and values[0].isprintable() else None


def _repeat(service: Service, outcome: dict[str, str]) -> ResponseReturnValue:
    if token := outcome.get("session"):
        sessions.take_over(service, token)
    return redirect(outcome["path"], 303)


def _problem(code: str, trip: Trip, reason: str | None = None) -> ResponseReturnValue:
    logs.add(code=code, step="response", reason=reason)
    return redirect(_problem_page(code, trip), 303)


def _problem_page(code: str, trip: Trip) -> str:
    """Its way to start again is for the same purpose."""
    return f"/problem/{code}/{trip.reference}" + (f"?purpose={trip.purpose}" if trip.purpose != "register" else "")


def _take(service: Service, trip: Trip) -> ResponseReturnValue:
    """The answer, for the first time."""
    code, error = _once("code"), _once("error")
    if code is None or error is not None:
        return _end(service, trip, _ERRORS.get(error or "", "failed"), reason=error if error in _ERRORS else "error")
    try:
        claims = service.broker.identify(code, trip.request)
    except BrokerUnavailable:
        return _end(service, trip, "broker_unavailable", reason="unreachable")
    except NotIdentified as refusal:
        return _end(service, trip, "not_verified", reason=refusal.reason)
    if not is_old_enough(claims.birthdate, service.settings.rules.least_age, service.now):
        return _end(service, trip, "under_age", reason="under_age")
    found = sessions.signed_in_account(service) if trip.purpose == "confirm" else None
    if found is not None and found.sub != claims.sub:
        return _end(service, trip, "other_person", reason="other_person", subject=found.id)
    go_on = _tell_who_calls if trip.purpose == "caller" else _begin_session
    try:
        return go_on(service, trip, claims)
    except DBAPIError:  # nothing of it was written, and the code is used: once more, or the identification is lost
        return go_on(service, trip, claims)


def _end(service: Service, trip: Trip, code: str, reason: str, subject: str | None = None) -> ResponseReturnValue:
    path = _problem_page(code, trip)
    logs.add(code=code, step="token_exchange", reason=reason)
    with service.database.write() as transaction:
        if code in {"under_age", "other_person"}:
            audit.record(transaction, "refused", now=service.now, actor="nobody", subject=subject, reason=reason)
        attempts.finish(transaction, service, trip, path)
    return redirect(path, 303)


def _begin_session(service: Service, trip: Trip, claims: IdentityClaims) -> ResponseReturnValue:
    """Begin a session for whoever has identified, and lead them on."""
    page = sessions.wanted() if trip.purpose == "sign-in" else "/rights"
    if trip.purpose == "confirm":
        page = drafts.load(service, claims.sub).get("page", page)
    person = Person(claims.sub, claims.given_name or "", claims.family_name or "")
    with service.database.write() as transaction:
        account = transaction.scalar(select(Account).where(Account.sub == person.sub))
        account_id = account.id if account and trip.purpose != "register" else None
        if account_id:
            event = "identified" if trip.purpose == "confirm" else "signed_in"
            who = {"actor": account_id, "subject": account_id}
            audit.record(transaction, event, now=service.now, **who, by="identification")
        token = sessions.begin(
            transaction, service, account_id=account_id, person=person, identified_at=min(service.now, claims.auth_time)
        )
        path = _next_page(trip.purpose, page, known=account is not None)
        attempts.finish(transaction, service, trip, path, token)
    logs.add(outcome=path, account=account_id)
    return redirect(path, 303)


def _tell_who_calls(service: Service, trip: Trip, claims: IdentityClaims) -> ResponseReturnValue:
    """Keep who the caller is for customer service; nobody is signed in by it."""
    path = "/caller/check"
    with service.database.write() as transaction:
        token = checks.identified(transaction, service.keys, trip.id, claims, cookie.get(checks.COOKIE), service.now)
        attempts.finish(transaction, service, trip, path)
    if token is not None:
        cookie[checks.COOKIE] = token
    logs.add(outcome=path)
    return redirect(path, 303)


def _next_page(purpose: str, page: str, *, known: bool) -> str:
    if purpose == "register":
        return "/problem/already_registered" if known else "/form"
    if not known:
        return "/problem/not_registered"
    return "/new-password" if purpose == "new-password" else page
