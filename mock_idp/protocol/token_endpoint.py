"""The token endpoint: the client assertion first, then the code, each rule as strictly as the strictest bank.

Sources: OP Identity Service Broker API §8; Telia integration guide §2.6.1-§2.6.2; RFC 6749 §4.1.3; RFC 7523; RFC 7636.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, abort, jsonify, request
from werkzeug.datastructures import MultiDict

from mock_idp.bank import Bank
from mock_idp.faults.model import Answering
from mock_idp.protocol import jose
from mock_idp.protocol.id_token import mint
from mock_idp.protocol.issuers import Issuer, find_issuer
from mock_idp.protocol.publication import signing_key_of
from mock_idp.protocol.refusal import Refused, token_error
from mock_idp.protocol.relying_party import CLOCK_SKEW, RelyingPartyUnknown
from mock_idp.protocol.response import in_force
from mock_idp.state import Login

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_LIFETIME = 600
_ALLOWED = frozenset(
    ["grant_type", "code", "redirect_uri", "client_id", "client_assertion_type", "client_assertion", "code_verifier"]
)


def verify_client(bank: Bank, issuer: Issuer, form: MultiDict[str, str], record: dict[str, Any]) -> None:
    """Verify the client assertion (RFC 7523 §3). Raises Refused."""
    if form.get("client_assertion_type") != ASSERTION_TYPE:
        raise Refused("client_assertion_type", f"must be {ASSERTION_TYPE}", "invalid_client")
    try:
        jws = jose.parse_jws(form.get("client_assertion", ""))
        record["assertion_header"] = dict(jws.header)
        claims = jose.from_json(jws.payload, "the client assertion")
        record["assertion"] = claims
    except jose.Malformed as error:
        raise Refused("client assertion", str(error), "invalid_client") from error
    now = bank.now()
    _verify_assertion_signature(bank, jws, now)
    client_id = bank.config.client_id
    said = form.get("client_id", None if issuer.dialect.token_client_id else client_id)
    if claims.get("sub") != client_id or said != client_id:
        raise Refused("client_id", "not a client of this bank", "unknown_client")
    if claims.get("iss") != claims["sub"]:
        raise Refused("client assertion iss", "must equal sub", "invalid_client")
    endpoint = issuer.endpoint(bank.config, "token", back=True)
    if claims.get("aud") not in (endpoint, [endpoint]):
        raise Refused("client assertion aud", f"must be exactly {endpoint}", "invalid_client")
    _verify_assertion_time(claims, now)
    jti = claims.get("jti")
    if not isinstance(jti, str) or not jti:
        raise Refused("client assertion jti", "missing, or not a string", "invalid_client")
    if not bank.memory.first_use(f"assertion {jti}"):
        raise Refused("client assertion jti", "was used before", "invalid_client")


def _verify_assertion_signature(bank: Bank, jws: jose.Jws, now: float) -> None:
    if jws.header.get("alg") != "RS256":
        raise Refused("client assertion alg", "must be RS256", "invalid_client")
    try:
        key = bank.relying_party.signing_key(str(jws.header.get("kid")), now)
    except RelyingPartyUnknown as error:
        raise Refused("relying party", str(error), "invalid_client") from error
    if key is None:
        raise Refused("client assertion kid", "no signing key of that id in the signed JWKS", "invalid_client")
    if not jose.verify_rs256(jws, key):
        raise Refused("client assertion signature", "does not verify", "invalid_client")


def _verify_assertion_time(claims: Mapping[str, Any], now: float) -> None:
    exp = claims.get("exp")
    if isinstance(exp, bool) or not isinstance(exp, (int, float)):
        raise Refused("client assertion exp", "missing, or not a number", "invalid_client")
    if not now < exp <= now + ASSERTION_LIFETIME + CLOCK_SKEW:
        raise Refused("client assertion exp", f"expired, or over {ASSERTION_LIFETIME} seconds ahead", "invalid_client")


def redeem(bank: Bank, issuer: Issuer, form: MultiDict[str, str]) -> Login:
    """The login a code stands for; a code is good once. Raises Refused."""
    if form.get("grant_type") != "authorization_code":
        raise Refused("grant_type", "must be authorization_code", "unsupported_grant_type")
    if not form.get("code"):
        raise Refused("code", "missing")
    found = bank.memory.redeem_code(form["code"])
    if found == "used":
        raise Refused("code", "was exchanged already", "invalid_grant")
    if found == "unknown":
        raise Refused("code", "unknown", "invalid_grant")
    if found.request.issuer != issuer:
        raise Refused("code", "was issued by another issuer", "invalid_grant")
    if bank.now() >= found.expires:
        raise Refused("code", "has expired", "invalid_grant")
    if form.get("redirect_uri") != found.request.redirect_uri:
        raise Refused("redirect_uri", "is not the one of the authorization request", "invalid_grant")
    _verify_code_verifier(found.request.code_challenge, form.get("code_verifier"))
    return found


def _verify_code_verifier(challenge: str | None, verifier: str | None) -> None:
    if challenge is None:
        if verifier is not None:
            raise Refused("code_verifier", "sent, though the request had no code_challenge", "invalid_grant")
        return
    if verifier is None or not 43 <= len(verifier) <= 128:
        raise Refused("code_verifier", "missing, or not 43 to 128 characters", "invalid_grant")
    computed = jose.encode(hashlib.sha256(verifier.encode()).digest())
    if not hmac.compare_digest(computed, challenge):
        raise Refused("code_verifier", "does not fit the code_challenge", "invalid_grant")


def _check_form(form: MultiDict[str, str]) -> None:
    if request.mimetype != "application/x-www-form-urlencoded" or request.query_string:
        raise Refused("token request", "must be a form in the body, with nothing in the query")
    for name, values in form.lists():
        if len(values) != 1:
            raise Refused("token request", f"{name} stands there more than once")
    if form.keys() - _ALLOWED:
        raise Refused("token request", "holds a parameter that is not documented")


def token_response(bank: Bank, login: Login) -> Response:
    """The token response for a login, its faults applied."""
    recipient = bank.relying_party.encryption_key(bank.now())
    if recipient is None:
        raise Refused("relying party", "publishes no encryption key", "invalid_client")
    faults, dialect = in_force(login.faults), login.request.issuer.dialect
    access_token = secrets.token_urlsafe(32)
    signing = signing_key_of(bank, login.request.issuer)
    body: dict[str, Any] = {
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": dialect.access_token_lifetime,
        "id_token": mint(bank, login, access_token, signing, recipient, faults),
    }
    for fault, options in faults:
        if fault.token_response:
            return fault.token_response(body, Answering(bank, login.request, options))
    return jsonify(body)


def create_blueprint(bank: Bank) -> Blueprint:
    """`POST <issuer>/token`."""
    blueprint = Blueprint("token", __name__)

    @blueprint.post("/<realm>/<dialect>/token")
    def token(realm: str, dialect: str) -> Response:
        issuer = find_issuer(realm, dialect) or abort(404)
        form = request.form
        record: dict[str, Any] = {
            "kind": "token",
            "time": bank.now(),
            "issuer": issuer.url(bank.config),
            "provider": None,
            "dialect": issuer.dialect_name,
            "form": form.to_dict(),
            "violations": [],
            "warnings": [],
        }
        bank.memory.capture(record)
        try:
            _check_form(form)
            verify_client(bank, issuer, form, record)
            login = redeem(bank, issuer, form)
            record["provider"] = login.face.id
            answer = token_response(bank, login)
        except Refused as refused:
            record["violations"].append(refused.record())
            status, body = token_error(refused, issuer.dialect)
            answer = jsonify(body)
            answer.status_code = status
        answer.headers["Cache-Control"] = "no-store"
        return answer

    return blueprint
