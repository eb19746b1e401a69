"""A plain WSGI service behind a door that asks for an identity token.

application = door(whoami, Verifier("https://id.example.fi", "my-service"))
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from tunnus_verifier import IdentityClaims, KeysUnavailable, VerificationError, Verifier

IDENTITY = "tunnus.identity"
"""Where the application behind the door finds the IdentityClaims."""


def door(application: WSGIApplication, verifier: Verifier) -> WSGIApplication:
    """The application, let through to only with a good token (RFC 6750 §3)."""

    def guarded(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        scheme, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != "bearer":
            start_response("401 Unauthorized", [("WWW-Authenticate", "Bearer")])
            return []
        try:
            identity = verifier.verify(token)
        except KeysUnavailable:
            start_response("503 Service Unavailable", [("Retry-After", "5")])
            return []
        except VerificationError as error:
            reason = f'Bearer error="invalid_token", error_description="{error}"'
            start_response("401 Unauthorized", [("WWW-Authenticate", reason)])
            return []
        return application({**environ, IDENTITY: identity}, start_response)

    return guarded


def whoami(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Says who has come."""
    identity: IdentityClaims = environ[IDENTITY]
    start_response("200 OK", [("Content-Type", "application/json"), ("Cache-Control", "no-store")])
    return [json.dumps({"sub": identity.sub, "name": identity.name}).encode()]
