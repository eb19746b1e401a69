"""A service that is handed identity tokens: `GET /whoami` with `Authorization: Bearer <identity token>` (RFC 6750).

    SERVICE_ISSUER=http://127.0.0.1:8000 SERVICE_AUDIENCE=my-service SERVICE_PORT=8005 python -m demo.service

SERVICE_PARTIES: other clients, separated by blanks, whose tokens name this service as a further audience.
SERVICE_JWKS_URI: where this server reaches the issuer's keys, if not where the issuer says (in containers).
"""

from __future__ import annotations

import os

from flask import Flask, Response, jsonify, request
from waitress import serve

from tunnus_verifier import KeysUnavailable, VerificationError, Verifier


def create_app(verifier: Verifier) -> Flask:
    """The service as a WSGI application."""
    app = Flask(__name__)

    @app.get("/whoami")
    def whoami() -> Response:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return Response(status=401, headers={"WWW-Authenticate": "Bearer"})
        claims = verifier.verify(token)
        answer = jsonify(sub=claims.sub, name=claims.name, acr=claims.acr, idp=claims.idp, azp=claims.azp)
        answer.headers["Cache-Control"] = "no-store"
        return answer

    @app.errorhandler(VerificationError)
    def refused(error: VerificationError) -> Response:
        if isinstance(error, KeysUnavailable):  # the token may be good
            return Response(status=503, headers={"Retry-After": "5"})
        reason = f'Bearer error="invalid_token", error_description="{error}"'
        return Response(status=401, headers={"WWW-Authenticate": reason})

    return app


def main() -> None:
    """Serve it as the environment says."""
    env = os.environ
    jwks_uri = env.get("SERVICE_JWKS_URI")
    verifier = Verifier(
        env["SERVICE_ISSUER"],
        env["SERVICE_AUDIENCE"],
        authorized_parties=env.get("SERVICE_PARTIES", "").split(),
        jwks_uri=jwks_uri,
        insecure_http=jwks_uri is not None,  # the demo's containers have no TLS between them
    )
    serve(create_app(verifier), host=env.get("SERVICE_HOST", "127.0.0.1"), port=int(env["SERVICE_PORT"]))


if __name__ == "__main__":
    main()
