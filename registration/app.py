"""The only wiring: settings in, a Flask application out. Nothing happens at import time."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Set
from functools import partial

from flask import Flask, Response, abort, request
from flask_wtf.csrf import CSRFProtect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from kit import logs
from kit.audit.collector import Collector
from kit.serving.form_app import create_form_app
from kit.serving.operations import RequestMetrics
from registration import api, operations, rights_pages, webhooks
from registration.accounts import account, history, new_email
from registration.accounts.passwords import Passwords
from registration.api import staff
from registration.api.client_authentication import ClientAuthenticator
from registration.backup.erasure_list import ErasureList, ErasureNotKept
from registration.caller import pages as caller_pages
from registration.customer_register.table import create_register
from registration.database.connection import Database
from registration.flow import callback, confirmation, form, send, start
from registration.flow.broker_client import BrokerClient, create_verifier
from registration.flow.company_check import CompanyCheck
from registration.flow.terms import Terms
from registration.keys import NewerRecord, load_keys
from registration.log_fields import FIELDS
from registration.pages.rendering import Pages
from registration.service import Places, Service
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
    app = create_form_app(
        settings,
        service.pages,
        keys,
        partial(_answer, service),
        log,
        cookie="registration",
        secret_key=keys.keyed_digest("form token"),
        largest_form=LARGEST_FORM,
        most_fields=100,
    )
    own = (account, new_email, history)
    for part in (start, callback, form, send, confirmation, *own, rights_pages, webhooks, caller_pages):
        app.register_blueprint(part.create_blueprint(service))
    bearer = create_verifier(settings, settings.api.authorized_parties, clock)
    clients = ClientAuthenticator(settings.api.clients, settings.url, database, clock)
    apis = (api.create_blueprint(service, clients, bearer), staff.create_blueprint(service, clients))
    for blueprint in apis:
        app.register_blueprint(blueprint)
    _protect(app, without_cookies={blueprint.name for blueprint in apis})
    _answer_errors(app, service)
    metrics = RequestMetrics(operations.LIMITS)
    logs.log_each_request(app, FIELDS, metrics.request)
    app.extensions["registration"] = service
    app.extensions["metrics"] = metrics
    app.extensions["operations"] = operations.create_app(service, metrics)
    return app


def _protect(app: Flask, without_cookies: Set[str]) -> None:
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


def _answer(service: Service, code: str, status: int) -> Response:
    """See `kit.serving.form_app.Answer`; the APIs' are of JSON."""
    return api.problem(status) if _is_api() else service.pages.problem(code, status)


def _is_api() -> bool:
    return request.path.startswith("/api/")


def _answer_errors(app: Flask, service: Service) -> None:
    """What cannot be had for a moment."""

    def unavailable(reason: str) -> Response:
        logs.add(code="unavailable", reason=reason)
        return api.problem(503) if _is_api() else service.pages.not_now("unavailable")

    def without_database(error: Exception) -> Response:
        log.error("database", extra={"reason": type(error).__name__, "place": logs.raised_at(error)})
        return unavailable("database")

    @app.errorhandler(NewerRecord)
    def of_a_newer_version(error: NewerRecord) -> Response:
        return unavailable("the record is of a newer version's format")

    @app.errorhandler(ErasureNotKept)
    def without_erasure_list(error: ErasureNotKept) -> Response:
        log.error("erasures", extra={"reason": str(error)})
        return unavailable("the list of erasures cannot be written")

    for kind in (DBAPIError, PoolTimeout):
        app.register_error_handler(kind, without_database)
