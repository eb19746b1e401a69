"""The example portal: what a developer copies to let people identify themselves.

One Flask app on Authlib's client (`relying_party`). It draws its own buttons from `GET /api/providers`, links to the
broker's chooser too, and shows the identity it got.
"""

from __future__ import annotations

import hmac
import secrets
from typing import Any
from urllib.parse import urlsplit

import requests
from flask import Flask, Response, render_template, request, session, url_for
from werkzeug.exceptions import HTTPException

from .client_keys import ClientKeys
from .relying_party import Failure, register_broker, see_other, send_away, take_answer
from .texts import LANGUAGES, TEXTS

SHOWN = ("name", "given_name", "family_name", "birthdate", "idp", "acr", "amr", "auth_time", "txn", "sub")


def create_app(
    url: str,
    issuer: str,
    keys: ClientKeys,
    session_key: str,
    back_url: str | None = None,
    registration: str | None = None,
) -> Flask:
    """The portal as a WSGI application.

    url: its own address, as browsers see it. issuer: the broker's. back_url: where this server itself reaches the
    broker, if that differs (in containers). session_key: signs the session cookie. registration: its address, to
    link to.
    """
    app = Flask(__name__)
    app.secret_key = session_key
    secure = url.startswith("https:")
    app.config.update(
        # By the prefix no other host of the domain can give the browser this cookie (RFC 6265bis §4.1.3.2).
        SESSION_COOKIE_NAME="__Host-portal_session" if secure else "portal_session",
        SESSION_COOKIE_PATH="/",
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=secure,
    )
    back = back_url or issuer
    broker = register_broker(app, issuer, back, keys, "portal")

    def language() -> str:
        """The language chosen here, else the browser's."""
        chosen = session.get("language") or request.accept_languages.best_match(LANGUAGES) or "fi"
        return str(chosen)

    @app.before_request
    def choose_language() -> None:
        if (chosen := request.args.get("ui_locales")) in LANGUAGES:
            session["language"] = chosen

    def page(template: str, status: int = 200, **values: Any) -> Response:
        words = TEXTS[language()]
        html = render_template(template, texts=words, language=language(), languages=LANGUAGES, **values)
        return Response(html, status)

    @app.after_request
    def harden(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = (
            f"default-src 'none'; style-src 'self'; img-src 'self' {issuer}; form-action 'self'; base-uri 'none'; "
            "frame-ancestors 'none'"
        )
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["X-Content-Type-Options"] = "nosniff"
        if request.endpoint != "static":
            response.headers["Cache-Control"] = "no-store"
        return response

    @app.get("/")
    def index() -> Response:
        if urlsplit(request.host_url).hostname != urlsplit(url).hostname:
            # The cookie belongs to one host name, and so does the redirect URI. Scheme and port are the proxy's.
            return see_other(f"{url}/")
        listing = list_providers(back, language())
        noticed = disturbances(listing) if listing else []
        return page("portal.html", listing=listing, disturbances=noticed, registration=registration)

    @app.get("/start")
    def start() -> Response:
        wanted = {"ui_locales": language()}
        if hint := request.args.get("idp_hint"):
            wanted["idp_hint"] = hint
        return send_away(broker, f"{url}/callback", **wanted)

    @app.get("/callback")
    def callback() -> Response:
        token = take_answer(broker, issuer)
        if isinstance(token, Failure):
            session["failure"] = {"status": token.status, "error": token.error}
            return see_other(url_for("show_failure"))
        identity = token["userinfo"]
        session["identity"] = {name: identity[name] for name in SHOWN if name in identity}
        return see_other(url_for("show_identity"))

    @app.get("/identity")
    def show_identity() -> Response:
        if "identity" not in session:
            return see_other(url_for("index"))
        token = session.setdefault("form_token", secrets.token_urlsafe(16))
        return page("portal_identity.html", identity=session["identity"], form_token=token)

    @app.get("/failed")
    def show_failure() -> Response:
        if "failure" not in session:
            return see_other(url_for("index"))
        status, error = session["failure"]["status"], session["failure"]["error"]
        if error == "access_denied":  # the broker's own pages have told them why
            return page("portal_problem.html", status, kind="left", text="left_text")
        return page("portal_problem.html", status, kind="failed", text="failed_text", error=error)

    @app.post("/forget")
    def forget() -> Response:
        sent = request.form.get("form_token", "").encode()
        if hmac.compare_digest(sent, session.get("form_token", "").encode()):  # else the form is not of our page
            session.pop("identity", None)
        return see_other(url_for("index"))

    @app.get("/livez")
    def livez() -> Response:
        return Response("ok\n", content_type="text/plain")

    @app.errorhandler(HTTPException)
    def problem(error: HTTPException) -> Response:
        """Whatever no view answers, a fault too (Flask makes it a 500)."""
        status = error.code or 500
        response = page("portal_problem.html", status, kind="not_found" if status == 404 else "not_done")
        if allowed := getattr(error, "valid_methods", None):  # RFC 9110 §15.5.6
            response.headers["Allow"] = ", ".join(sorted(allowed))
        return response

    return app


def list_providers(broker: str, language: str) -> dict[str, Any] | None:
    """The broker's list for our own buttons; None if it cannot be had: the hosted chooser still works."""
    try:
        answer = requests.get(f"{broker}/api/providers", params={"ui_locales": language}, timeout=3)
        answer.raise_for_status()
        listing: dict[str, Any] = answer.json()
    except requests.RequestException:
        return None
    return listing


def disturbances(listing: dict[str, Any]) -> list[tuple[dict[str, Any], list[str]]]:
    """Every notice of the list once, with the names of the providers that it concerns."""
    found: list[tuple[dict[str, Any], list[str]]] = []
    for provider in listing["providers"]:
        notice = provider["disturbance"]
        if notice and (notice["header"] or notice["text"]):
            names = next((names for known, names in found if known == notice), None)
            if names is None:
                found.append((notice, names := []))
            names.append(provider["name"])
    return found
