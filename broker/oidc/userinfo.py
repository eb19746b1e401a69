"""The UserInfo endpoint: the claims of scope `profile` for an access token (OpenID Connect Core §5.3).

Never the personal identity code. The token comes in the Authorization header and nowhere else (RFC 6750 §2.1); one that
is bound to a key or a certificate comes with that (`fapi.sender`).
"""

from __future__ import annotations

import logging
import re
from typing import Any

from flask import Request, Response, jsonify

from broker.oidc.codes import find_token, is_well_formed
from broker.oidc.fapi.sender import ProofRefused
from broker.oidc.provider import OpenIDProvider
from broker.oidc.token import json_error, temporarily_unavailable
from broker.oidc.unsent import Taken
from broker.store import StoreUnavailable
from kit.client_authentication import ClientRefused
from kit.client_authentication.assertion import FAPI_ALGORITHMS
from providers.model import KeyFailure

log = logging.getLogger("tunnus.oidc")

REALM = "tunnus"

_TOKEN = re.compile(r"(bearer|dpop) +([A-Za-z0-9._~+/-]+=*)\Z", re.IGNORECASE)


def answer_userinfo_request(op: OpenIDProvider, request: Request) -> Response:
    """Answer a GET or POST with the person's claims, or an error of RFC 6750 §3 and RFC 9449 §7.1."""
    response = _answer(op, request)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Pragma"] = "no-cache"
    op.senders.give_nonce(request, response)
    return response


def _answer(op: OpenIDProvider, request: Request) -> Response:
    authorization = request.headers.get("Authorization")
    if authorization is None:
        # No error code when the client has shown nothing at all (RFC 6750 §3.1).
        return _refuse(401)
    match = _TOKEN.match(authorization)
    if match is None:
        return _refuse(
            400,
            "invalid_request",
            "Authorization must be Bearer or DPoP and one access token, which is sent nowhere else",
        )
    dpop, access_token = match[1].lower() == "dpop", match[2]
    try:
        value = find_token(op.store, access_token) if is_well_formed(access_token) else None
        if value is None:
            return _refuse(
                401,
                "invalid_token",
                "the access token is unknown, has lapsed or was ended: get a new one by a new authorization request",
                dpop=dpop,
            )
        confirmation = value.get("cnf", {})
        if dpop != ("jkt" in confirmation):
            raise ClientRefused("the access token must be sent with the token_type that it was given with")
        if confirmation:
            op.senders.check(confirmation, op.senders.read(request, access_token), Taken())
        return _signed(op, **value) if "client_id" in value else jsonify(value["claims"])
    except StoreUnavailable:
        return temporarily_unavailable()
    except KeyFailure as failure:
        log.error("userinfo_not_given", extra={"reason": type(failure).__name__})
        return json_error("server_error", "the claims could not be signed: try again later", 500)
    except ProofRefused as refusal:
        return _refuse(401, str(refusal.error), refusal.description, dpop=True)
    except ClientRefused as refusal:
        return _refuse(401, "invalid_token", str(refusal), dpop=dpop)


def _signed(op: OpenIDProvider, client_id: str, claims: dict[str, Any], **_cnf: Any) -> Response:
    """The claims as a JWT for a client (OpenID Connect Core §5.3.2), signed as its identity tokens are."""
    client = op.clients.get(client_id)
    if client is None:
        raise ClientRefused("the access token is of a client that is registered no more")
    told = {**claims, "iss": op.issuer, "aud": client_id}
    return Response(op.keys.sign("id-token-sig", told, typ="JWT", alg=client.id_token_alg), mimetype="application/jwt")


def _refuse(status: int, error: str | None = None, description: str | None = None, *, dpop: bool = False) -> Response:
    response = jsonify({"error": error, "error_description": description} if error else {})
    response.status_code = status
    details = f', error="{error}", error_description="{description}"' if error else ""
    scheme, algorithms = ("DPoP", f', algs="{" ".join(FAPI_ALGORITHMS)}"') if dpop else ("Bearer", "")
    response.headers["WWW-Authenticate"] = f'{scheme} realm="{REALM}"{details}{algorithms}'
    return response
