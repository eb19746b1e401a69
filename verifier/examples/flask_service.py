"""A Flask service that asks for an identity token where a view says so.

create_app(Verifier("https://id.example.fi", "my-service"))
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Flask, Response, current_app, g, jsonify, request

from tunnus_verifier import IdentityClaims, KeysUnavailable, VerificationError, Verifier


def identified(view: Callable[..., Any]) -> Callable[..., Any]:
    """Lets only who brings a good token through; `g.identity` then says who that is."""

    @wraps(view)
    def checked(*args: Any, **kwargs: Any) -> Any:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return Response(status=401, headers={"WWW-Authenticate": "Bearer"})
        verifier: Verifier = current_app.extensions["tunnus_verifier"]
        g.identity = verifier.verify(token)
        return view(*args, **kwargs)

    return checked


def refused(error: VerificationError) -> Response:
    """401 with a reason for developers (RFC 6750 §3); 503 while the issuer's keys cannot be had."""
    if isinstance(error, KeysUnavailable):
        return Response(status=503, headers={"Retry-After": "5"})
    reason = f'Bearer error="invalid_token", error_description="{error}"'
    return Response(status=401, headers={"WWW-Authenticate": reason})


def create_app(verifier: Verifier) -> Flask:
    """The service as a WSGI application."""
    app = Flask(__name__)
    app.extensions["tunnus_verifier"] = verifier
    app.register_error_handler(VerificationError, refused)

    @app.get("/")
    def front() -> str:
        return "Anyone may read this."

    @app.get("/whoami")
    @identified
    def whoami() -> Response:
        identity: IdentityClaims = g.identity
        answer = jsonify(sub=identity.sub, name=identity.name)
        answer.headers["Cache-Control"] = "no-store"
        return answer

    return app
