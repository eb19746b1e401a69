"""The token request: one POST, never repeated, since a bank's code can be exchanged once.

Sources: RFC 6749 §4.1.3, §5; OP Identity Service Broker API §8; Telia guide §2.6.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from providers.connection import Connection
from providers.engine.client_assertion import ASSERTION_TYPE, build_client_assertion
from providers.engine.compact import Malformed, given, loads
from providers.engine.http import Answer, BankHttp, BankUnreachable, Budget
from providers.errors import (
    IdentificationError,
    IntegrityError,
    ProviderFailed,
    RelyingPartyRejected,
    Step,
    Unavailable,
)
from providers.model import KeyFailure, Keys

STEP = Step.TOKEN_EXCHANGE


@dataclass(frozen=True, slots=True)
class TokenResponse:
    """What of a token response is used; both unverified. access_token: for `at_hash` only, it opens nothing."""

    id_token: str = field(repr=False)
    access_token: str | None = field(repr=False)


def exchange_code(
    connection: Connection, code: str, code_verifier: str | None, keys: Keys, http: BankHttp, budget: Budget, now: int
) -> TokenResponse:
    """Exchange the code once. now: seconds since the epoch.

    Raises Unavailable (no whole answer, 5xx), ProviderFailed (an error, or no token response),
    RelyingPartyRejected (the bank refuses us), IntegrityError (a token response that makes no sense).
    """
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "client_assertion_type": ASSERTION_TYPE,
    }
    optional = {"redirect_uri": connection.redirect_uri, "client_id": connection.client_id}
    form |= {name: optional[name] for name in connection.dialect.token_parameters}
    if code_verifier:
        form["code_verifier"] = code_verifier
    try:
        form["client_assertion"] = build_client_assertion(connection, keys, now)
    except KeyFailure as error:
        raise RelyingPartyRejected(STEP, "no signing key is in use") from error
    try:
        answer = http.post(connection.token_endpoint, form, budget)
    except BankUnreachable as error:
        raise Unavailable(STEP, "the token endpoint gave no whole answer") from error
    try:
        body = _body(answer, connection)
    except IdentificationError:
        http.breakers.failed(budget.provider)
        raise
    http.breakers.answered(budget.provider)
    if _is_error(answer, body):
        raise _error(body, connection)
    return _tokens(body)


def _body(answer: Answer, connection: Connection) -> dict[str, Any]:
    """What the token endpoint says: tokens or an OAuth error; whatever else it sends is no answer, and raises."""
    if answer.status >= 500:
        raise Unavailable(STEP, "the token endpoint answered with a server error")
    if answer.status == 429:
        raise ProviderFailed(STEP, "the token endpoint takes no more requests now", claim="error")
    if answer.content_type not in ("application/json", ""):  # without a type it is what it reads as (RFC 9110 §8.3)
        raise ProviderFailed(STEP, "the token endpoint's answer is not JSON", claim="content_type")
    try:
        body = given(loads(answer.body, "token_response"))
    except Malformed as error:
        raise ProviderFailed(STEP, "the token endpoint's answer is not a JSON object") from error
    if "error" not in body and answer.status != 200:
        raise ProviderFailed(STEP, "the token endpoint answered with neither tokens nor an error", claim="error")
    if "error" not in body and "id_token" not in body:
        raise IntegrityError(STEP, "the ID token is missing", claim="id_token")
    if _is_error(answer, body) and isinstance(failure := _error(body, connection), Unavailable):
        raise failure
    return body


def _is_error(answer: Answer, body: Mapping[str, Any]) -> bool:
    """Whether it is an error response; some banks send theirs with status 200, and then without tokens."""
    return answer.status != 200 or "id_token" not in body


def _tokens(body: Mapping[str, Any]) -> TokenResponse:
    if "error" in body:
        raise IntegrityError(STEP, "an error stands in a token response", claim="error")
    token_type = body.get("token_type")
    if not isinstance(token_type, str) or token_type.lower() != "bearer":
        raise IntegrityError(STEP, "the token type is not Bearer", claim="token_type")
    id_token, access_token = body["id_token"], body.get("access_token")
    if not isinstance(id_token, str):
        raise IntegrityError(STEP, "the ID token is no string", claim="id_token")
    return TokenResponse(id_token, access_token if isinstance(access_token, str) else None)


def _error(body: Mapping[str, Any], connection: Connection) -> IdentificationError:
    """What an error response means. Nothing of it is shown or kept."""
    word, description = body.get("error"), body.get("error_description")
    if isinstance(description, str) and unquote(description).strip().lower() in connection.dialect.used_code:
        return ProviderFailed(STEP, "the bank does not take the code, or not any more", claim="error")
    kind = connection.dialect.errors.get(word, ProviderFailed) if isinstance(word, str) else ProviderFailed
    return kind(STEP, "the token endpoint answered with an error", claim="error")
