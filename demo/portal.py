"""The example portal: what a developer copies to let people identify themselves.

One Flask app on Authlib's client. It draws its own buttons from `GET /api/providers`, links to the broker's
chooser too, and shows the identity it got. Authlib keeps state, nonce and PKCE verifier in the session cookie,
verifies the identity token (signature, iss, aud, exp, nonce) and authenticates by private_key_jwt.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import click
import requests
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.flask_client import OAuth
from flask import Flask, Response, redirect, render_template, request, session, url_for
from joserfc.errors import JoseError
from waitress import serve

from demo.client import ClientKeys

LANGUAGES = {"fi": "Suomi", "sv": "Svenska", "en": "English"}
TEXTS = {
    "fi": {
        "title": "Esimerkkiportaali",
        "lead": "Valitse, miten tunnistaudut.",
        "all": "Kaikki tunnistustavat",
        "done": "Olet tunnistautunut",
        "again": "Aloita alusta",
        "failed": "Tunnistautuminen ei onnistunut",
        "banks": "Tunnistustapoja ei voitu hakea. Käytä alla olevaa linkkiä.",
    },
    "sv": {
        "title": "Exempelportalen",
        "lead": "Välj hur du identifierar dig.",
        "all": "Alla identifieringssätt",
        "done": "Du har identifierat dig",
        "again": "Börja om",
        "failed": "Identifieringen lyckades inte",
        "banks": "Det gick inte att hämta identifieringssätten. Använd länken nedan.",
    },
    "en": {
        "title": "Example portal",
        "lead": "Choose how to identify yourself.",
        "all": "All methods of identification",
        "done": "You have identified yourself",
        "again": "Start again",
        "failed": "Identification did not succeed",
        "banks": "The methods could not be fetched. Use the link below.",
    },
}
SHOWN = ("name", "given_name", "family_name", "birthdate", "idp", "acr", "amr", "auth_time", "txn", "sub")


def create_app(issuer: str, keys: ClientKeys, session_key: str) -> Flask:
    """The portal as a WSGI application. issuer: the broker's. session_key: signs the session cookie."""
    app = Flask(__name__)
    app.secret_key = session_key
    app.config.update(SESSION_COOKIE_NAME="portal_session", SESSION_COOKIE_SAMESITE="Lax")
    broker = _broker(app, issuer, keys)

    def page(template: str, status: int = 200, **values: Any) -> Response:
        language = session.get("language", "fi")
        html = render_template(template, texts=TEXTS[language], language=language, languages=LANGUAGES, **values)
        response = Response(html, status)
        response.headers["Content-Security-Policy"] = f"default-src 'none'; style-src 'self'; img-src {issuer}"
        response.headers["Cache-Control"] = "no-store"
        return response

    @app.get("/")
    def index() -> Response:
        if (language := request.args.get("ui_locales")) in LANGUAGES:
            session["language"] = language
        return page("portal.html", providers=_providers(issuer, session.get("language", "fi")))

    @app.get("/start")
    def start() -> Response:
        wanted = {"ui_locales": session.get("language", "fi")}
        if hint := request.args.get("idp_hint"):
            wanted["idp_hint"] = hint
        answer: Response = broker.authorize_redirect(url_for("callback", _external=True), **wanted)
        return answer

    @app.get("/callback")
    def callback() -> Response:
        try:
            token = broker.authorize_access_token()
        except (OAuthError, JoseError) as error:
            return page("portal_failed.html", 400, error=getattr(error, "error", "invalid_token"))
        session["identity"] = {name: token["userinfo"][name] for name in SHOWN if name in token["userinfo"]}
        return redirect(url_for("identity"))  # type: ignore[return-value]

    @app.get("/identity")
    def identity() -> Response:
        if "identity" not in session:
            return redirect(url_for("index"))  # type: ignore[return-value]
        return page("portal_identity.html", identity=session["identity"])

    return app


def _broker(app: Flask, issuer: str, keys: ClientKeys) -> Any:
    """The broker as Authlib knows it: everything but our key comes from its discovery document."""
    broker = OAuth(app).register(
        "broker",
        client_id="portal",
        client_secret=keys.key,
        server_metadata_url=f"{issuer}/.well-known/openid-configuration",
        client_kwargs={
            "scope": "openid profile",
            "code_challenge_method": "S256",
            "token_endpoint_auth_method": "private_key_jwt",
            "timeout": 10,
        },
        client_auth_methods=[keys.authentication(f"{issuer}/token")],
    )
    return broker


def _providers(issuer: str, language: str) -> list[dict[str, Any]] | None:
    """The broker's list for our own buttons; None if it cannot be had: the hosted chooser still works."""
    try:
        answer = requests.get(f"{issuer}/api/providers", params={"ui_locales": language}, timeout=3)
        answer.raise_for_status()
    except requests.RequestException:
        return None
    listed: list[dict[str, Any]] = answer.json()["providers"]
    return listed


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8003, show_default=True, help="Port to listen on.")
@click.option("--issuer", default="http://127.0.0.1:8000", show_default=True, help="The broker's issuer.")
@click.option("--key", type=click.Path(path_type=Path), required=True, help="Private JWK of the client `portal`.")
def main(host: str, port: int, issuer: str, key: Path) -> None:
    """Run the example portal."""
    serve(create_app(issuer, ClientKeys.read(key), secrets.token_hex(32)), host=host, port=port, threads=8, ident=None)


if __name__ == "__main__":
    main()
