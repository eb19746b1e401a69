"""The only wiring: settings in, a Flask application out. Nothing happens at import time."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Set

from flask import Flask, Response, abort, request
from flask_wtf.csrf import CSRFError, CSRFProtect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from kit import logs
from kit.audit.collector import Collector
from kit.pages import assets
from kit.pages.look import ACCESSIBILITY_PATH
from kit.pages.rendering import SECURITY_HEADERS
from kit.serving.addresses import use_client_address
from kit.serving.host import refuse_unusable_host
from kit.serving.operations import RequestMetrics
from kit.serving.session_cookies import SessionCookies
from registration import api, operations, rights_pages, webhooks
from registration.accounts import account, history, new_email
from registration.accounts.passwords import Passwords
from registration.api import staff
from registration.api.client_authentication import ClientAuthenticator
from registration.backup.erasure_list import ErasureList, ErasureNotKept
from registration.caller import pages as caller_pages
from registration.customer_register import create_register
from registration.database.connection import Database
from registration.flow import callback, confirmation, form, send, start
from registration.flow.broker_client import BrokerClient, create_verifier
from registration.flow.company_check import CompanyCheck
from registration.flow.terms import Terms
from registration.keys import Keys, NewerRecord, load_keys
from registration.log_fields import FIELDS
from registration.pages.rendering import Pages
from registration.places import Places
from registration.service import Service
from registration.settings import Settings

log = logging.getLogger("tunnus.registration")
LARGEST_FORM = 64 * 1024
"""Bytes of a request's body."""
OWN_STALE_PAGE = frozenset({"form.take_form", "send.send", "account.take_sign_in"})
"""Endpoints that look at the form's token themselves: they know better what to show when it is no longer valid."""


def create_app(settings: Settings, *, clock: Callable[[], float] = time.time) -> Flask:
    """Registration as a WSGI application. clock: seconds since the epoch.

    Raises ConfigurationError. The broker, the customer register and the database are asked for
    nothing here: none of them can stop registration from starting.
    """
    keys = load_keys(settings.keys.dir, clock)
    database = Database(settings.database.url, settings.database.pool_size)
    threads = settings.server.threads
    service = Service(
        settings=settings,
        database=database,
        keys=keys,
        pages=Pages(settings),
        passwords=Passwords(**settings.passwords.model_dump(), room=max(2, threads // 2)),
        terms=Terms(settings.terms.dir, settings.terms.version, settings.languages.codes),
        broker=BrokerClient(
            settings.broker, f"{settings.url}/callback", keys, create_verifier(settings, (), clock), clock
        ),
        register=create_register(settings, database),
        company_check=CompanyCheck(settings.company_check),
        erasures=ErasureList(settings.erasures.file),
        clock=clock,
        heads=Collector.of(settings.audit.collector, keys, clock, "tunnus-registration"),
        broker_calls=Places(max(1, threads * 3 // 16)),
        waiters=Places(max(1, threads // 4)),
    )
    app = Flask(__name__, static_folder=None, template_folder=None)
    refuse_unusable_host(app)
    app.url_map.merge_slashes = False  # else `//x` redirects to whatever the Host header names
    _configure(app, settings, keys)
    own = (account, new_email, history)
    for part in (start, callback, form, send, confirmation, *own, rights_pages, webhooks, caller_pages):
        app.register_blueprint(part.create_blueprint(service))
    app.register_blueprint(assets.create_blueprint(service.pages.assets, lambda: service.pages.problem("not_found")))
    bearer = create_verifier(settings, settings.api.authorized_parties, clock)
    clients = ClientAuthenticator(settings.api.clients, settings.url, database, clock)
    apis = (api.create_blueprint(service, clients, bearer), staff.create_blueprint(service, clients))
    for blueprint in apis:
        app.register_blueprint(blueprint)
    _protect(app, service, without_cookies={blueprint.name for blueprint in apis})
    _answer_everything(app, service)
    metrics = RequestMetrics(operations.LIMITS)
    logs.log_each_request(app, FIELDS, metrics.request)
    app.extensions["registration"] = service
    app.extensions["metrics"] = metrics
    app.extensions["operations"] = operations.create_app(service, metrics)
    return app


def _configure(app: Flask, settings: Settings, keys: Keys) -> None:
    app.session_interface = SessionCookies(keys)
    app.config.update(
        # Of the forms' tokens, which live as long as the session: that one is signed by keys that are replaced.
        SECRET_KEY=keys.keyed_digest("form token"),
        SESSION_COOKIE_NAME="__Host-registration" if settings.secure else "registration",
        SESSION_COOKIE_SECURE=settings.secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
        MAX_CONTENT_LENGTH=LARGEST_FORM,
        MAX_FORM_PARTS=100,
        # Under `Referrer-Policy: no-referrer` browsers send no Referer: the token and SameSite hold.
        WTF_CSRF_SSL_STRICT=False,
        # A form may wait for hours; its token ends with the session.
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_CHECK_DEFAULT=False,
    )
    use_client_address(app, settings.trusted_proxies)


def _protect(app: Flask, service: Service, without_cookies: Set[str]) -> None:
    """Every POST needs the form's token, but for the APIs: without_cookies are their blueprints."""
    protection = CSRFProtect(app)

    @app.before_request
    def refuse_nul() -> None:
        if "\0" in request.path:  # no address of ours has it, and PostgreSQL takes none
            abort(404)

    @app.before_request
    def check_token() -> None:
        if request.endpoint and request.blueprint not in without_cookies and request.endpoint not in OWN_STALE_PAGE:
            protection.protect()

    @app.errorhandler(CSRFError)
    def stale(error: CSRFError) -> Response:
        logs.add(code="stale_form", reason="csrf")
        return service.pages.problem("stale_form")


def _answer_everything(app: Flask, service: Service) -> None:
    """No request goes without a page of ours, in a language, with the security headers."""
    shown = service.pages

    @app.get(ACCESSIBILITY_PATH)
    def show_accessibility() -> Response:
        return shown.accessibility()

    def broken(error: Exception, *, code: str, reason: str) -> Response:
        if request.path.startswith("/api/"):
            return api.problem(503 if code == "unavailable" else 500)
        logs.add(code=code, reason=reason)
        return shown.problem(code)

    def without_database(error: Exception) -> Response:
        log.error("database", extra={"reason": type(error).__name__, "place": logs.raised_at(error)})
        return broken(error, code="unavailable", reason="database")

    @app.errorhandler(NewerRecord)
    def of_a_newer_version(error: NewerRecord) -> Response:
        return broken(error, code="unavailable", reason="the record is of a newer version's format")

    @app.errorhandler(ErasureNotKept)
    def without_erasure_list(error: ErasureNotKept) -> Response:
        log.error("erasures", extra={"reason": str(error)})
        return broken(error, code="unavailable", reason="the list of erasures cannot be written")

    for kind in (DBAPIError, PoolTimeout):
        app.register_error_handler(kind, without_database)

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Response:
        if request.path.startswith("/api/"):
            return api.problem(error.code or 400)
        response = shown.problem("not_found" if error.code == 404 else "bad_request")
        response.status_code = error.code or 400
        if error.code == 405 and (allowed := getattr(error, "valid_methods", None)):
            response.headers["Allow"] = ", ".join(sorted(allowed))
        return response

    @app.errorhandler(Exception)
    def fault(error: Exception) -> Response:
        # The traceback's values may hold anything, so only the kind and place of the error are logged.
        log.error("fault", extra={"reason": type(error).__name__, "place": logs.raised_at(error)})
        return broken(error, code="fault", reason=type(error).__name__)

    @app.after_request
    def harden(response: Response) -> Response:
        for name in ("X-Content-Type-Options", "Referrer-Policy", "Cache-Control", "Content-Security-Policy"):
            response.headers.setdefault(name, SECURITY_HEADERS[name])
        if service.settings.secure:
            response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        return response
