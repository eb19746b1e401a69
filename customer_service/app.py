"""The only wiring: settings in, a Flask application out. Nothing happens at import time."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable

from flask import Flask, Response, redirect, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFProtect
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
from kit.serving.form_app import create_form_app
from kit.serving.operations import RequestMetrics

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
    pages = service.pages
    app = create_form_app(
        settings,
        pages,
        keys,
        pages.problem,
        log,
        cookie="customer_service_session",
        secret_key=secrets.token_hex(32),
        largest_form=LARGEST_FORM,
        most_fields=200,
    )
    app.url_map.converters["id"] = IdConverter
    for part in (sign_in, search, looking, deciding, caller, acts):
        app.register_blueprint(part.create_blueprint(service))
    _protect(app, service)
    _answer_everything(app, service)
    logs.log_each_request(app, FIELDS, metrics.request)
    app.extensions["customer_service"] = service
    app.extensions["metrics"] = metrics
    app.extensions["operations"] = operations.create_app(service, metrics)
    return app


def _protect(app: Flask, service: Service) -> None:
    """Every POST needs a session and the form's token."""
    protection = CSRFProtect(app)

    @app.before_request
    def check_token() -> ResponseReturnValue | None:
        if request.method == "POST" and request.endpoint and access.current_session(service.sessions) is None:
            return access.ask_to_sign_in(service)  # a session that ended took the token with it
        protection.protect()
        return None


def _answer_everything(app: Flask, service: Service) -> None:
    """The first page, and what registration answers instead of what was asked for."""
    shown = service.pages

    @app.get("/")
    def first_page() -> ResponseReturnValue:
        return redirect("/service", 303)

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
