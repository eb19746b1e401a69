"""Faults of the token endpoint: errors, and answers that are none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Response, jsonify

from mock_idp.faults.model import Answering, Fault, Where
from mock_idp.faults.response import MARKUP
from mock_idp.faults.slow import compressed, drip, hang, oversized, truncated
from mock_idp.protocol import jose

Answer = Callable[[dict[str, Any], Answering], Response]
_JSON = "application/json"


def _fault(
    name: str,
    title: str,
    answer: Answer,
    code: str | None = None,
    conformance: str | None = None,
    options: Mapping[str, float] | None = None,
) -> Fault:
    step = "token_exchange" if code else None
    return Fault(
        name,
        title,
        Where.TOKEN_ENDPOINT,
        code,
        step,
        conformance=conformance,
        options=options or {},
        token_response=answer,
    )


def _error(status: int, error: str, description: str = "refused") -> Answer:
    def answer(_body: dict[str, Any], _answering: Answering) -> Response:
        response = jsonify(error=error, error_description=description)
        response.status_code = status
        return response

    return answer


def _text(text: str, status: int = 200, mimetype: str = _JSON, **headers: str) -> Answer:
    return lambda _body, _answering: Response(text, status, mimetype=mimetype, headers=headers)


def _changed(**members: Any) -> Answer:
    """The token response with members changed; None leaves one out."""

    def answer(body: dict[str, Any], answering: Answering) -> Response:
        changes = {name: value(answering) if callable(value) else value for name, value in members.items()}
        return jsonify({name: value for name, value in (body | changes).items() if value is not None})

    return answer


def _null(*members: str) -> Answer:
    """The token response with members that are null."""
    return lambda body, _answering: jsonify(body | dict.fromkeys(members))


def _as(mimetype: str) -> Answer:
    return lambda body, _answering: Response(jose.to_json(body), mimetype=mimetype)


def _duplicate(body: dict[str, Any], _answering: Answering) -> Response:
    return Response(jose.to_json(body)[:-1] + b',"token_type":"Bearer"}', mimetype=_JSON)


def _redirect(_body: dict[str, Any], answering: Answering) -> Response:
    target = f"{answering.bank.config.back}/attacker/token"
    return Response("", 302, headers={"Location": target})


_WAIT = {"seconds": 30.0}
_BIG = {"bytes": 10_000_000.0}

FAULTS = (
    _fault("token-invalid-grant", "400 invalid_grant", _error(400, "invalid_grant"), "idp_failed"),
    _fault(
        "token-unauthorized-client",
        "400 unauthorized_client",
        _error(400, "unauthorized_client", "invalid%20assertion"),
        "config_error",
    ),
    _fault("token-invalid-client", "401 invalid_client", _error(401, "invalid_client"), "config_error"),
    _fault(
        "token-invalid-request",
        "400 invalid_request",
        _error(400, "invalid_request", "parameter%20validation%20failed"),
        "config_error",
    ),
    _fault("token-error-unknown", "400 and an error nobody knows", _error(400, "something_strange"), "idp_failed"),
    _fault("token-error-with-markup", "400, markup in the error", _error(400, MARKUP, MARKUP), "idp_failed"),
    _fault("token-error-no-string", "400, error is a list", _text('{"error":["x"]}', 400), "idp_failed"),
    _fault("token-403", "403 with HTML", _text("<h1>forbidden", 403, "text/html"), "idp_failed"),
    _fault("token-429", "429 with JSON", _error(429, "slow_down"), "idp_failed"),
    _fault("token-500", "500", _text("<h1>oops", 500, "text/html"), "unavailable"),
    _fault("token-503", "503", _text("{}", 503), "unavailable"),
    _fault("token-redirect", "302 to somebody else", _redirect, "idp_failed"),
    _fault(
        "token-html",
        "200 with HTML",
        _text("<!doctype html><title>Maintenance</title>", 200, "text/html"),
        "idp_failed",
    ),
    _fault("token-wrong-content-type", "A good answer as text/plain", _as("text/plain"), "idp_failed"),
    _fault("token-not-json", "200, the body is no JSON", _text("access_token=1"), "idp_failed"),
    _fault("token-no-object", "200, the body is a JSON array", _text("[]"), "idp_failed"),
    _fault("token-empty", "200 with an empty body", _text(""), "idp_failed"),
    _fault("token-duplicate-member", "token_type stands twice", _duplicate, "idp_failed"),
    _fault("token-error-with-200", "200 with an error", _text('{"error":"server_error"}'), "idp_failed"),
    _fault(
        "token-error-beside-tokens", "200 with tokens and an error", _changed(error="server_error"), "integrity_error"
    ),
    _fault("token-error-null", "200 with tokens, error is null", _null("error", "error_description")),
    _fault(
        "token-10mb",
        "A body of 10 MB",
        lambda _b, a: oversized(a.options, b'{"x":"', b'"}', _JSON),
        "unavailable",
        None,
        _BIG,
    ),
    _fault(
        "token-gzip-bomb",
        "10 MB compressed to 10 kB",
        lambda _b, a: compressed(a.options, b'{"x":"', b'"}', _JSON),
        "idp_failed",
        None,
        _BIG,
    ),
    _fault(
        "token-slow-drip",
        "A good answer, byte by byte",
        lambda body, a: drip(a.bank, a.options, jose.to_json(body), _JSON),
        "unavailable",
        None,
        {"seconds": 30.0, "pause": 0.1},
    ),
    _fault("token-hang", "No answer", lambda _b, a: hang(a.bank, a.options), "unavailable", None, _WAIT),
    _fault(
        "token-connection-reset",
        "The connection ends in the middle",
        lambda b, _a: truncated(jose.to_json(b), _JSON),
        "unavailable",
    ),
    _fault("token-missing-id-token", "No ID token", _changed(id_token=None), "integrity_error"),
    _fault("token-id-token-wrong-type", "The ID token is a number", _changed(id_token=12345), "integrity_error"),
    _fault("token-id-token-empty", "The ID token is empty", _changed(id_token=""), "integrity_error"),
    _fault("token-type-wrong", "token_type is MAC", _changed(token_type="MAC"), "integrity_error"),
    _fault("token-type-missing", "No token_type", _changed(token_type=None), "integrity_error"),
    _fault(
        "token-type-case-insensitivity",
        "token_type is bEARER",
        _changed(token_type="bEARER"),
        None,
        "fapi1-advanced-final-client-test-token-type-case-insenstivity",
    ),
    _fault("token-expires-in-epoch", "expires_in is a point in time", _changed(expires_in=lambda a: a.now + 600)),
    _fault("token-expires-in-string", "expires_in is a string", _changed(expires_in="soon")),
    _fault("token-expires-in-missing", "No expires_in", _changed(expires_in=None)),
    _fault("token-extra-members", "Members that nobody knows", _changed(scope="openid", x={"y": 1})),
)
