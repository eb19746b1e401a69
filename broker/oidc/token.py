"""The token endpoint: a code in, an identity token and an access token out (RFC 6749 §4.1.3)."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping

from flask import Request, Response, jsonify
from werkzeug.exceptions import HTTPException

from broker.audit import AuditUnavailable
from broker.oidc.fapi.sender import ProofRefused
from broker.oidc.server import BrokerAuthorizationServer
from broker.store import StoreUnavailable
from kit import logs
from providers.model import KeyFailure, KeysUnavailable

log = logging.getLogger("tunnus.oidc")

CREDENTIALS = {"client_id": 512, "client_secret": 512, "client_assertion_type": 512, "client_assertion": 8192}
"""How a client authenticates, and the characters each parameter may have."""

LONGEST = {"grant_type": 512, "code": 512, "redirect_uri": 512, "code_verifier": 512} | CREDENTIALS
"""The parameters that are known, and the characters each may have; others are dropped (RFC 6749 §3.2)."""

MOST_BYTES = 64 * 1024
"""The size a request's body may have."""

RETRY_AFTER = 5
"""Seconds a client is asked to wait while we cannot serve it."""

_PRINTABLE = re.compile(r"[\x20-\x7e]+\Z")


class BadRequest(Exception):
    """A request whose parameters cannot be read. error: of RFC 6749 §5.2; description: a constant of ours."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description
        self.status = status

    def response(self) -> Response:
        """The error for the client."""
        response = json_error(self.error, self.description, self.status)
        if self.status == 405:
            response.headers["Allow"] = "POST"
        return response


def answer_token_request(server: BrokerAuthorizationServer, request: Request) -> Response:
    """Answer a token request, always with JSON, never to be stored."""
    senders = server.parts.senders
    try:
        form = read_form(request, LONGEST)
        _check_grant_type(form)
        sender = senders.read(request)
        response = server.answer_token_request(form, request.headers.get("Authorization"), sender)
    except ProofRefused as refusal:
        logs.add(outcome="refused", reason=f"{refusal.error}: {refusal.description}")
        response = json_error(str(refusal.error), refusal.description, refusal.status_code)
    except BadRequest as refusal:
        logs.add(outcome="refused", reason=str(refusal))
        response = refusal.response()
    except (StoreUnavailable, AuditUnavailable, KeysUnavailable) as failure:
        log.error("token_not_given", extra={"reason": type(failure).__name__})
        response = temporarily_unavailable()
    except KeyFailure as failure:
        log.error("token_not_given", extra={"reason": type(failure).__name__})
        response = json_error(
            "server_error",
            "the identity token could not be made: our operator has an error in the log, try again later",
            500,
        )
    response.headers["Cache-Control"] = "no-store"
    response.headers["Pragma"] = "no-cache"
    senders.give_nonce(request, response)
    return response


def json_error(error: str, description: str, status: int) -> Response:
    """An error for a client (RFC 6749 §5.2). description: a constant of ours."""
    response = jsonify(error=error, error_description=description)
    response.status_code = status
    return response


def answer_http_error(error: HTTPException) -> Response:
    """The answer to a request that did not come as far as its endpoint: another method, an unusable Host header."""
    allowed = ", ".join(sorted(getattr(error, "valid_methods", None) or ()))
    description = f"the method must be one of {allowed}" if allowed else "the request is not valid HTTP"
    logs.add(outcome="refused", reason=f"invalid_request: {description}")
    response = json_error("invalid_request", description, error.code or 400)
    if allowed:
        response.headers["Allow"] = allowed
    response.headers["Cache-Control"] = "no-store"
    return response


def temporarily_unavailable() -> Response:
    """The answer while something we cannot do without is away."""
    response = json_error("temporarily_unavailable", f"send the same request again in {RETRY_AFTER} seconds", 503)
    response.headers["Retry-After"] = str(RETRY_AFTER)
    return response


def read_form(request: Request, known: Mapping[str, int]) -> dict[str, str]:
    """The known parameters, each once, printable and not too long; empty ones count as absent (RFC 6749 §3.2).

    known: the characters that each may have. Raises BadRequest.
    """
    if request.method != "POST":
        raise BadRequest("invalid_request", "the method must be POST, the parameters a form", 405)
    if request.mimetype != "application/x-www-form-urlencoded":
        raise BadRequest("invalid_request", "Content-Type must be application/x-www-form-urlencoded")
    request.max_content_length = MOST_BYTES
    try:
        sent = request.form.to_dict(flat=False)
    except HTTPException as error:
        raise BadRequest(
            "invalid_request", f"the body cannot be read: send a form of at most {MOST_BYTES} bytes", error.code or 400
        ) from error
    form = {}
    for name, longest in known.items():
        values = sent.get(name, [])
        if not any(values):
            continue
        if len(values) > 1 or len(values[0]) > longest or not _PRINTABLE.match(values[0]):
            raise BadRequest(
                "invalid_request", f"{name} must be there once, printable ASCII, at most {longest} characters"
            )
        form[name] = values[0]
    return form


def _check_grant_type(form: Mapping[str, str]) -> None:
    if "grant_type" not in form:
        raise BadRequest("invalid_request", "grant_type is required: it must be authorization_code")
    if form["grant_type"] != "authorization_code":
        raise BadRequest("unsupported_grant_type", "grant_type must be authorization_code")
