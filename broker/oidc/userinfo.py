"""The UserInfo endpoint: the claims of scope `profile` for an access token (OpenID Connect Core §5.3).

Never the personal identity code. The token comes in the Authorization header and nowhere else (RFC 6750 §2.1).
"""

from __future__ import annotations

import re

from flask import Request, Response, jsonify

from broker.oidc.codes import find_token, is_well_formed
from broker.oidc.token import temporarily_unavailable
from broker.store import Store, StoreUnavailable

REALM = "tunnus"

_BEARER = re.compile(r"bearer +([A-Za-z0-9._~+/-]+=*)\Z", re.IGNORECASE)


def answer_userinfo_request(store: Store, request: Request) -> Response:
    """Answer a GET or POST with the person's claims, or an error of RFC 6750 §3."""
    response = _answer(store, request)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Pragma"] = "no-cache"
    return response


def _answer(store: Store, request: Request) -> Response:
    authorization = request.headers.get("Authorization")
    if authorization is None:
        # No error code when the client has shown nothing at all (RFC 6750 §3.1).
        return _refuse(401)
    match = _BEARER.match(authorization)
    if match is None:
        return _refuse(
            400, "invalid_request", "Authorization must be Bearer and one access token, which is sent nowhere else"
        )
    access_token = match[1]
    try:
        value = find_token(store, access_token) if is_well_formed(access_token) else None
    except StoreUnavailable:
        return temporarily_unavailable()
    if value is None:
        return _refuse(
            401,
            "invalid_token",
            "the access token is unknown, has lapsed or was ended: get a new one by a new authorization request",
        )
    return jsonify(value["claims"])


def _refuse(status: int, error: str | None = None, description: str | None = None) -> Response:
    response = jsonify({"error": error, "error_description": description} if error else {})
    response.status_code = status
    details = f', error="{error}", error_description="{description}"' if error else ""
    response.headers["WWW-Authenticate"] = f'Bearer realm="{REALM}"{details}'
    return response
