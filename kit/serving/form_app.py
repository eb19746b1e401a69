"""The Flask application of a service whose pages people fill in: all that stands around its views."""

from __future__ import annotations

import logging
from collections.abc import Callable

from flask import Flask, Response
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from kit import logs
from kit.pages import assets
from kit.pages.form_pages import FormPages
from kit.pages.look import ACCESSIBILITY_PATH
from kit.pages.rendering import SECURITY_HEADERS
from kit.serving.addresses import use_client_address
from kit.serving.host import refuse_unusable_host
from kit.serving.plain import PlainFlask
from kit.serving.session_cookies import CookieKeys, SessionCookies
from kit.settings.service import FormServiceSettings

Answer = Callable[[str, int], Response]
"""Answers what no view has answered, by the code of a problem of the pages and the status."""


def create_form_app(
    settings: FormServiceSettings,
    pages: FormPages,
    keys: CookieKeys,
    answer: Answer,
    log: logging.Logger,
    *,
    cookie: str,
    secret_key: str,
    largest_form: int,
    most_fields: int,
) -> Flask:
    """An application without views, none of whose requests goes without a page or the security headers.

    pages: with the problems `stale_form`, `not_found`, `bad_request` and `fault`. cookie: the session's. secret_key:
    of the forms' tokens, which live as long as the session: that one is signed by keys that are replaced.
    largest_form: bytes of a request's body.
    """
    app = PlainFlask(__name__, static_folder=None, template_folder=None)
    refuse_unusable_host(app)
    app.url_map.merge_slashes = False  # else `//x` redirects to whatever the Host header names
    app.session_interface = SessionCookies(keys)
    app.config.update(
        SECRET_KEY=secret_key,
        SESSION_COOKIE_NAME=f"__Host-{cookie}" if settings.secure else cookie,
        SESSION_COOKIE_SECURE=settings.secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
        MAX_CONTENT_LENGTH=largest_form,
        MAX_FORM_MEMORY_SIZE=largest_form,
        MAX_FORM_PARTS=most_fields,
        # Under `Referrer-Policy: no-referrer` browsers send no Referer: the token and SameSite hold.
        WTF_CSRF_SSL_STRICT=False,
        # A form may wait for hours; its token ends with the session.
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_CHECK_DEFAULT=False,
    )
    use_client_address(app, settings.trusted_proxies)
    app.register_blueprint(assets.create_blueprint(pages.assets, lambda: pages.problem("not_found")))
    app.add_url_rule(ACCESSIBILITY_PATH, "show_accessibility", pages.accessibility, methods=["GET"])
    _answer_errors(app, pages, answer, log)

    @app.after_request
    def harden(response: Response) -> Response:
        for name in ("X-Content-Type-Options", "Referrer-Policy", "Cache-Control", "Content-Security-Policy"):
            response.headers.setdefault(name, SECURITY_HEADERS[name])
        if settings.secure:
            response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        return response

    return app


def _answer_errors(app: Flask, pages: FormPages, answer: Answer, log: logging.Logger) -> None:
    @app.errorhandler(CSRFError)
    def stale(error: CSRFError) -> Response:
        logs.add(code="stale_form", reason="csrf")
        return pages.problem("stale_form")

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Response:
        response = answer("not_found" if error.code == 404 else "bad_request", error.code or 400)
        if error.code == 405 and (allowed := getattr(error, "valid_methods", None)):  # RFC 9110 §15.5.6
            response.headers["Allow"] = ", ".join(sorted(allowed))
        return response

    @app.errorhandler(Exception)
    def fault(error: Exception) -> Response:
        # The traceback's values may hold anything, so only the kind and place of the error are logged.
        log.error("fault", extra={"reason": type(error).__name__, "place": logs.raised_at(error)})
        logs.add(code="fault", reason=type(error).__name__)
        return answer("fault", 500)
