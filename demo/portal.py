"""The example portal: what a developer copies to let people identify themselves.

One Flask app on Authlib's client. It draws its own buttons from `GET /api/providers`, links to the broker's
chooser too, and shows the identity it got. Authlib keeps state, nonce and PKCE verifier in the session cookie,
authenticates by private_key_jwt and verifies the identity token; what it leaves open, `answer_problem` closes.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import click
import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.flask_client import OAuth
from flask import Flask, Response, redirect, render_template, request, session, url_for
from joserfc.errors import JoseError
from waitress import serve

from demo.client import ClientKeys
from demo.portal_texts import LANGUAGES, TEXTS

SHOWN = ("name", "given_name", "family_name", "birthdate", "idp", "acr", "amr", "auth_time", "txn", "sub")
MOST_UNFINISHED = 8
"""Logins begun and not ended that one browser can have: tabs, the back button."""


def create_app(url: str, issuer: str, keys: ClientKeys, session_key: str, back_url: str | None = None) -> Flask:
    """The portal as a WSGI application.

    url: its own address, as browsers see it. issuer: the broker's. back_url: where this server itself reaches the
    broker, if that differs (in containers). session_key: signs the session cookie.
    """
    app = Flask(__name__)
    app.secret_key = session_key
    app.config.update(
        SESSION_COOKIE_NAME="portal_session", SESSION_COOKIE_SAMESITE="Lax", SESSION_COOKIE_SECURE=url[:5] == "https"
    )
    back = back_url or issuer
    broker = register_broker(app, issuer, back, keys)

    def language() -> str:
        """The language chosen here, else the browser's."""
        chosen = session.get("language") or request.accept_languages.best_match(LANGUAGES) or "fi"
        return str(chosen)

    def page(template: str, status: int = 200, **values: Any) -> Response:
        words = TEXTS[language()]
        html = render_template(template, texts=words, language=language(), languages=LANGUAGES, **values)
        response = Response(html, status)
        response.headers["Content-Security-Policy"] = (
            f"default-src 'none'; style-src 'self'; img-src {issuer}; base-uri 'none'; frame-ancestors 'none'"
        )
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Cache-Control"] = "no-store"
        return response

    @app.get("/")
    def index() -> Response:
        if request.host_url.rstrip("/") != url:
            return _see_other(f"{url}/")  # the cookie belongs to one host name, and so does the redirect URI
        if (chosen := request.args.get("ui_locales")) in LANGUAGES:
            session["language"] = chosen
        return page("portal.html", listing=list_providers(back, language()))

    @app.get("/start")
    def start() -> Response:
        wanted = {"ui_locales": language()}
        if hint := request.args.get("idp_hint"):
            wanted["idp_hint"] = hint
        forget_unfinished()
        answer: Response = broker.authorize_redirect(f"{url}/callback", **wanted)
        answer.status_code = 303
        return answer

    @app.get("/callback")
    def callback() -> Response:
        if problem := answer_problem(broker, issuer):
            return page("portal_failed.html", 400, error=problem)
        try:
            identity = broker.authorize_access_token().get("userinfo")
        except (AuthlibBaseError, JoseError, ValueError) as error:
            return page("portal_failed.html", 400, error=getattr(error, "error", "invalid_token"))
        except requests.RequestException:
            return page("portal_failed.html", 502, error="temporarily_unavailable")
        if identity is None:
            return page("portal_failed.html", 400, error="invalid_token")
        session["identity"] = {name: identity[name] for name in SHOWN if name in identity}
        return _see_other(url_for("show_identity"))

    @app.get("/identity")
    def show_identity() -> Response:
        if "identity" not in session:
            return _see_other(url_for("index"))
        return page("portal_identity.html", identity=session["identity"])

    @app.get("/forget")
    def forget() -> Response:
        session.pop("identity", None)
        return _see_other(url_for("index"))

    @app.get("/livez")
    def livez() -> Response:
        return Response("ok\n", content_type="text/plain")

    return app


def register_broker(app: Flask, issuer: str, back: str, keys: ClientKeys) -> Any:
    """The broker as Authlib knows it.

    The same as its discovery document says, written out: this server may reach the broker by another address than
    browsers do, and the algorithm is the one this client is registered with, not any that is offered.
    """
    return OAuth(app).register(
        "broker",
        client_id="portal",
        client_secret=keys.key,
        issuer=issuer,
        authorize_url=f"{issuer}/authorize",
        access_token_url=f"{back}/token",
        jwks_uri=f"{back}/jwks",
        id_token_signing_alg_values_supported=["ES256"],
        client_kwargs={
            "scope": "openid profile",
            "code_challenge_method": "S256",
            "token_endpoint_auth_method": "private_key_jwt",
            "timeout": 10,
        },
        client_auth_methods=[keys.authentication(f"{issuer}/token")],
    )


def answer_problem(broker: Any, issuer: str) -> str | None:
    """What is wrong with the authorization response, as an OAuth error, None if Authlib may go on.

    Authlib's client looks at `error` before `state`, and not at `iss`: so anyone could make this portal show an
    error, and another server's answer could be taken for the broker's (RFC 9207).
    """
    state = request.args.get("state", "")
    if request.args.get("iss") != issuer or broker.framework.get_state_data(session, state) is None:
        return "invalid_response"
    if error := request.args.get("error"):
        broker.framework.clear_state_data(session, state)
        return error if error.isascii() and len(error) <= 60 else "invalid_response"
    return None


def forget_unfinished() -> None:
    """Keep the latest logins only: Authlib puts each into the session, and browsers refuse a cookie of over 4 KB."""
    begun = [name for name in session if name.startswith("_state_broker_")]
    for name in sorted(begun, key=lambda name: session[name]["exp"])[: -MOST_UNFINISHED + 1]:
        session.pop(name)


def list_providers(broker: str, language: str) -> dict[str, Any] | None:
    """The broker's list for our own buttons; None if it cannot be had: the hosted chooser still works."""
    try:
        answer = requests.get(f"{broker}/api/providers", params={"ui_locales": language}, timeout=3)
        answer.raise_for_status()
        listing: dict[str, Any] = answer.json()
    except requests.RequestException:
        return None
    return listing


def _see_other(url: str) -> Response:
    answer = redirect(url, 303)
    return Response(answer.response, answer.status, answer.headers)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8003, show_default=True, help="Port to listen on.")
@click.option("--url", help="Its own address, as browsers see it.  [default: http://127.0.0.1:PORT]")
@click.option("--issuer", default="http://127.0.0.1:8000", show_default=True, help="The broker's issuer.")
@click.option("--back-url", help="Where this server reaches the broker, if not at its issuer.")
@click.option("--key", type=click.Path(path_type=Path), required=True, help="Private JWK of the client `portal`.")
def main(host: str, port: int, url: str | None, issuer: str, back_url: str | None, key: Path) -> None:
    """Run the example portal until SIGTERM or Ctrl-C."""
    address = (url or f"http://127.0.0.1:{port}").rstrip("/")
    app = create_app(address, issuer.rstrip("/"), ClientKeys.read(key), secrets.token_hex(32), back_url)
    serve(app, host=host, port=port, threads=8, ident=None)


if __name__ == "__main__":
    main(auto_envvar_prefix="PORTAL")
