"""The employer's sign-in service as a Flask application: one page, and what a client reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from authlib.oauth2 import OAuth2Error
from flask import Flask, Response, jsonify, redirect, render_template, request
from flask.typing import ResponseReturnValue

from demo.employer.people import PEOPLE
from demo.employer.provider import ALG, Client, Employer, create_server
from kit.pages.rendering import SECURITY_HEADERS, content_security_policy
from kit.pages.shared_look import use_shared_look


def create_app(issuer: str, client: Client) -> Flask:
    """The provider as a WSGI application. issuer: its own address."""
    app = Flask(__name__, static_folder=None)
    use_shared_look(app, Path(__file__).parent, lambda: refused("not_found", 404))
    employer = Employer(issuer, client)
    server: Any = create_server(app, employer)
    home = urlsplit(client.redirect_uri)
    # A form's answer that leads to another site is what `form-action` stops, unless it names the site.
    policy = content_security_policy(f"'self' {home.scheme}://{home.netloc}")

    def refused(error: str, status: int = 400) -> Response:
        return Response(render_template("employer_refused.html", error=error), status)

    @app.get("/.well-known/openid-configuration")
    def metadata() -> Response:
        return jsonify(
            issuer=issuer,
            authorization_endpoint=f"{issuer}/authorize",
            token_endpoint=f"{issuer}/token",
            jwks_uri=f"{issuer}/jwks",
            end_session_endpoint=f"{issuer}/logout",
            response_types_supported=["code"],
            subject_types_supported=["public"],
            id_token_signing_alg_values_supported=[ALG],
            token_endpoint_auth_methods_supported=["private_key_jwt"],
            code_challenge_methods_supported=["S256"],
            authorization_response_iss_parameter_supported=True,
        )

    @app.get("/jwks")
    def jwks() -> Response:
        return jsonify(keys=[employer.key.as_dict(private=False)])

    @app.get("/authorize")
    def ask() -> ResponseReturnValue:
        try:
            server.get_consent_grant(end_user=None)
        except OAuth2Error as error:
            return refused(str(error.error))
        query = request.query_string.decode("ascii", "replace")
        return render_template("employer.html", people=PEOPLE.values(), query=query)

    @app.post("/authorize")
    def answer() -> ResponseReturnValue:
        person = PEOPLE.get(request.form.get("person", ""))
        try:
            grant = server.get_consent_grant(end_user=person)
        except OAuth2Error as error:
            return refused(str(error.error))
        response: Response = server.create_authorization_response(grant_user=person, grant=grant)
        return response

    @app.post("/token")
    def token() -> Response:
        response: Response = server.create_token_response()
        return response

    @app.get("/logout")
    def logout() -> ResponseReturnValue:
        return redirect(client.home_uri, 303)

    @app.get("/livez")
    def livez() -> Response:
        return Response("ok\n", content_type="text/plain")

    @app.after_request
    def add_headers(response: Response) -> Response:
        for name, value in ({**SECURITY_HEADERS, "Content-Security-Policy": policy}).items():
            response.headers.setdefault(name, value)
        return response

    return app
