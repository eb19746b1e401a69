"""The only wiring: settings in, a Flask application out. Nothing happens at import time."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable

from flask import Flask, Response, redirect, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import HTTPException
from werkzeug.routing import BaseConverter

from customer_service import access, operations
from customer_service.acts import views as acts
from customer_service.broker_lookup import BrokerLookup
from customer_service.keys import Keys
from customer_service.log_fields import FIELDS
from customer_service.pages.rendering import Pages
from customer_service.registration_api import Forbidden, NotFound, Refused, RegistrationApi, Unavailable
from customer_service.service import Service
from customer_service.settings import Settings
from customer_service.sign_in import views as sign_in
from customer_service.sign_in.counts import SignInCounts
from customer_service.sign_in.provider import Provider
from customer_service.sign_in.sessions import Sessions
from customer_service.views import caller, deciding, looking, search
from kit import logs
from kit.pages import assets
from kit.pages.look import ACCESSIBILITY_PATH
from kit.pages.rendering import SECURITY_HEADERS
from kit.serving.addresses import use_client_address
from kit.serving.host import refuse_unusable_host
from kit.serving.operations import RequestMetrics
from kit.serving.session_cookies import SessionCookies

log = logging.getLogger("tunnus.customer_service")
LARGEST_FORM = 128 * 1024
"""Bytes of a request's body: a hundred customer numbers and a text."""
RETRY_AFTER = 10
"""Seconds."""
NOT_TYPED = frozenset({"csrf_token", "ui_locales"})


class IdConverter(BaseConverter):
    """A key or an id of registration's, or a name of ours, in an address."""

    regex = "[0-9A-Za-z_-]{4,64}"


def create_app(settings: Settings, *, clock: Callable[[], float] = time.time) -> Flask:
    """Customer service as a WSGI application. clock: seconds since the epoch.

    Raises ConfigurationError. Neither the employer's provider nor registration is asked for anything here.
    """
    keys = Keys(settings.keys.dir, clock)
    sessions = Sessions(settings.sign_in.longest, settings.sign_in.idle, clock)
    metrics = RequestMetrics()
    service = Service(
        settings=settings,
        keys=keys,
        pages=Pages(settings, lambda: access.current_session(sessions)),
        provider=Provider(settings.sign_in, f"{settings.url}/service/callback", keys, clock),
        sessions=sessions,
        sign_ins=SignInCounts(metrics.registry),
        registration=RegistrationApi(settings.registration, keys, clock),
        broker=BrokerLookup(settings.broker),
        clock=clock,
    )
    app = Flask(__name__, static_folder=None, template_folder=None)
    refuse_unusable_host(app)
    app.url_map.merge_slashes = False  # else `//x` redirects to whatever the Host header names
    app.url_map.converters["id"] = IdConverter
    _configure(app, settings, keys)
    for part in (sign_in, search, looking, deciding, caller, acts):
        app.register_blueprint(part.create_blueprint(service))
    app.register_blueprint(assets.create_blueprint(service.pages.assets, lambda: service.pages.problem("not_found")))
    _protect(app, service)
    _answer_everything(app, service)
    logs.log_each_request(app, FIELDS, metrics.request)
    app.extensions["customer_service"] = service
    app.extensions["metrics"] = metrics
    app.extensions["operations"] = operations.create_app(service, metrics)
    return app


def _configure(app: Flask, settings: Settings, keys: Keys) -> None:
    app.session_interface = SessionCookies(keys)
    app.config.update(
        SECRET_KEY=secrets.token_hex(32),  # of the forms' tokens, which live as long as this process's sessions
        SESSION_COOKIE_NAME="__Host-customer_service_session" if settings.secure else "customer_service_session",
        SESSION_COOKIE_SECURE=settings.secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
        MAX_CONTENT_LENGTH=LARGEST_FORM,
        MAX_FORM_MEMORY_SIZE=LARGEST_FORM,
        MAX_FORM_PARTS=200,
        # Under `Referrer-Policy: no-referrer` browsers send no Referer: the token and SameSite hold.
        WTF_CSRF_SSL_STRICT=False,
        # A form may wait for hours; its token ends with the session.
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_CHECK_DEFAULT=False,
    )
    use_client_address(app, settings.trusted_proxies)


def _protect(app: Flask, service: Service) -> None:
    """Every POST needs a session and the form's token."""
    protection = CSRFProtect(app)

    @app.before_request
    def check_token() -> ResponseReturnValue | None:
        if request.method == "POST" and request.endpoint and access.current_session(service.sessions) is None:
            return access.ask_to_sign_in(service)  # a session that ended took the token with it
        protection.protect()
        return None

    @app.errorhandler(CSRFError)
    def stale(error: CSRFError) -> Response:
        logs.add(code="stale_form", reason="csrf")
        return service.pages.problem("stale_form")


def _answer_everything(app: Flask, service: Service) -> None:
    """No request goes without a page of ours, in a language, with the security headers."""
    shown = service.pages

    @app.get("/")
    def first_page() -> ResponseReturnValue:
        return redirect("/service", 303)

    @app.get(ACCESSIBILITY_PATH)
    def show_accessibility() -> Response:
        return shown.accessibility()

    @app.errorhandler(Unavailable)
    def without_registration(error: Unavailable) -> Response:
        logs.add(code="unavailable", reason=str(error))
        draft = request.endpoint == "acts.do"
        typed = [] if draft else [pair for pair in request.form.items(multi=True) if pair[0] not in NOT_TYPED]
        kept = draft or bool(typed)
        again = request.full_path.rstrip("?") if request.method == "GET" else request.path
        response = shown.show("unavailable.html", 503, again=again, typed=typed, kept=kept)
        response.headers["Retry-After"] = str(RETRY_AFTER)
        return response

    @app.errorhandler(Forbidden)
    def not_their_role(_error: Forbidden) -> Response:
        return access.forbidden(service)

    @app.errorhandler(NotFound)
    def gone(_error: NotFound) -> Response:
        return shown.problem("gone")

    @app.errorhandler(Refused)
    def refused(error: Refused) -> Response:
        logs.add(code="refused", reason=error.reason)
        return shown.problem("bad_request")

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Response:
        response = shown.problem("not_found" if error.code == 404 else "bad_request")
        response.status_code = error.code or 400
        if error.code == 405 and (allowed := getattr(error, "valid_methods", None)):
            response.headers["Allow"] = ", ".join(sorted(allowed))
        return response

    @app.errorhandler(Exception)
    def fault(error: Exception) -> Response:
        # The traceback's values may hold anything, so only the kind and place of the error are logged.
        log.error("fault", extra={"reason": type(error).__name__, "place": logs.raised_at(error)})
        logs.add(code="fault", reason=type(error).__name__)
        return shown.problem("fault")

    @app.after_request
    def harden(response: Response) -> Response:
        for name in ("X-Content-Type-Options", "Referrer-Policy", "Cache-Control", "Content-Security-Policy"):
            response.headers.setdefault(name, SECURITY_HEADERS[name])
        if service.settings.secure:
            response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        return response
