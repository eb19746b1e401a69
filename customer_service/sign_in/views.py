"""To the employer's provider and back, and to sign out."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from flask import Blueprint, Response, redirect, request
from flask import session as cookie
from flask.typing import ResponseReturnValue

from customer_service.access import COOKIE_MEMBER
from customer_service.service import Service
from customer_service.sign_in import attempts
from customer_service.sign_in.attempts import Attempt
from customer_service.sign_in.counts import Outcome
from customer_service.sign_in.provider import NotSignedIn, ProviderUnavailable
from kit import logs
from kit.serving.speculation import is_speculative, nothing_begun

HOME = "/service"
LONGEST_CODE = 4096
_PAGE = re.compile(r"/service(?:/[0-9A-Za-z_-]+)*")
"""Where somebody may be sent on to: a page of ours, without a query."""
_NOT_AFTER = re.compile(r"/service/(?:sign-in|callback|signed-out|search)(?:/|$)")


def create_blueprint(service: Service) -> Blueprint:
    """`/service/sign-in`, `/service/callback`, `/service/sign-out`, `/service/signed-out`, `/service/jwks`."""
    blueprint = Blueprint("sign_in", __name__, url_prefix="/service")
    pages, secure = service.pages, service.settings.secure

    @blueprint.get("/sign-in")
    def begin() -> ResponseReturnValue:
        if is_speculative(request):
            return nothing_begun()
        if urlsplit(request.host_url).hostname != urlsplit(service.settings.url).hostname:
            # The cookie belongs to one host name, and so does the redirect URI. Scheme and port are the proxy's.
            return redirect(f"{service.settings.url}/service", 303)
        attempt = attempts.new_attempt(page_of(request.args.get("to")), service.now)
        try:
            url = service.provider.authorization_url(attempt, pages.locale())
        except ProviderUnavailable as error:
            service.sign_ins.ended("provider_unavailable")
            logs.add(code="provider_unavailable", step="sign_in", reason=str(error))
            return pages.problem("provider_unavailable")
        service.sign_ins.started()
        response = redirect(url, 303)
        attempts.keep(response, attempt, service.keys, secure=secure)
        return response

    @blueprint.get("/callback")
    def callback() -> ResponseReturnValue:
        state = _once("state")
        attempt = attempts.find(state, service.keys, service.now, secure=secure) if state else None
        if attempt is None:
            return not_in("lost_attempt", "response")
        response = _answered(attempt)
        attempts.forget(response, attempt.state, secure=secure)
        return response

    def _answered(attempt: Attempt) -> Response:
        try:
            service.provider.refuse_issuer(_once("iss"))
            if request.args.get("error") is not None:
                raise NotSignedIn("the provider answered with an error")
            code = _once("code")
            if code is None or len(code) > LONGEST_CODE:
                raise NotSignedIn("there is no code")
            staff = service.provider.sign_in(code, attempt)
        except ProviderUnavailable as error:
            return not_in("provider_unavailable", "sign_in", str(error))
        except NotSignedIn as error:
            return not_in("not_signed_in", "sign_in", error.reason)
        service.sessions.end(cookie.get(COOKIE_MEMBER))
        cookie.clear()  # nothing of what the browser had before goes on
        cookie[COOKIE_MEMBER] = service.sessions.begin(staff)
        service.sign_ins.ended("signed_in")
        logs.add(staff=staff.id)
        return redirect(attempt.to, 303)  # type: ignore[return-value]

    def not_in(outcome: Outcome, step: str, reason: str | None = None) -> Response:
        service.sign_ins.ended(outcome)
        logs.add(code=outcome, step=step, reason=reason)
        return redirect(f"/service/problem/{outcome}", 303)  # type: ignore[return-value]

    @blueprint.get("/problem/<code>")
    def show_problem(code: str) -> ResponseReturnValue:
        known = code in ("lost_attempt", "provider_unavailable", "not_signed_in")
        return pages.problem(code if known else "not_found")

    @blueprint.post("/sign-out")
    def sign_out() -> ResponseReturnValue:
        service.sessions.end(cookie.get(COOKIE_MEMBER))
        cookie.clear()
        return redirect("/service/signed-out", 303)

    @blueprint.get("/signed-out")
    def signed_out() -> ResponseReturnValue:
        url = service.provider.sign_out_url(f"{service.settings.url}/service")
        return pages.show("signed_out.html", provider_url=url)

    @blueprint.get("/jwks")
    def show_keys() -> ResponseReturnValue:
        """The public keys that our assertions are verified by, for a provider that fetches them (RFC 7517 §5)."""
        return {"keys": [held.public_jwk() for held in service.keys.published("client")]}

    return blueprint


def page_of(asked: str | None) -> str:
    """The page to go on to after signing in: of ours, else the first one."""
    return asked if asked and _PAGE.fullmatch(asked) and not _NOT_AFTER.match(asked) else HOME


def _once(name: str) -> str | None:
    values = request.args.getlist(name)
    return values[0] if len(values) == 1 and values[0] else None
