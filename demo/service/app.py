"""`GET /whoami` with `Authorization: Bearer <identity token>` (RFC 6750): whom the token names."""

from __future__ import annotations

from flask import Flask, Response, jsonify, request

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
