"""Authlib's authorization server, with what it leaves open closed.

What Authlib does here: the order of a token request's checks, scope, PKCE and prompt. What is ours:
the parameters it sees and nonce (`broker.oidc.guard`, `broker.oidc.token`), who a client is, codes, tokens, the
identity token (`broker.oidc.grant`), every answer. The server is shared by all threads and holds nothing of a request.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, cast

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import AuthorizationServer, InvalidGrantError
from flask import Response, jsonify

from broker.oidc import identity_token
from broker.oidc.codes import give_back_token, keep_token
from broker.oidc.descriptions import describe
from broker.oidc.grant import CleanRequest, CodeGrant, IdentityTokenExtension, Parts, S256Challenge
from broker.oidc.guard import SCOPES, Refused
from broker.oidc.unsent import Taken
from broker.store import NewerRecord, NotDurable, StoreUnavailable
from kit import logs

log = logging.getLogger("tunnus.oidc")


class BrokerAuthorizationServer(AuthorizationServer):
    """The server: one per process, shared by all threads, nothing of a request in it."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(scopes_supported=list(SCOPES))
        self.parts = parts
        self.register_grant(CodeGrant, [S256Challenge(), IdentityTokenExtension(parts)])
        silence_authlib()

    def validate_authorization_request(self, parameters: dict[str, str]) -> str:
        """Validate what the guard let through; return the scope that is granted. Raises Refused."""
        try:
            request = CleanRequest("GET", "/authorize", self.parts.issuer, parameters, None)
            grant = self.get_consent_grant(request)  # type: ignore[no-untyped-call] # untyped in the stubs
        except OAuth2Error as error:
            raise Refused(str(error.error), describe(error)) from error
        return str(grant.request.scope)

    def answer_token_request(self, form: dict[str, str], authorization: str | None) -> Response:
        """Answer a token request whose parameters are there once each, its grant type ours."""
        request = CleanRequest("POST", "/token", self.parts.issuer, form, authorization)
        try:
            response: Any = self.create_token_response(request)
        except Exception as failure:
            answers = isinstance(failure, NewerRecord | NotDurable) or not isinstance(failure, StoreUnavailable)
            self._give_back(request.taken, store_answers=answers)
            raise
        return cast(Response, response)

    def _give_back(self, taken: Taken, *, store_answers: bool) -> None:
        """Let a request that could not be answered be sent again: no token of it has left, and none will.

        store_answers: else it would keep the thread for as long again, and this broker remembers by itself.
        """
        parts = self.parts
        if taken.access_token is not None:
            parts.unsent.add(taken.access_token)
        if taken.assertion is not None:
            parts.unsent.add(taken.assertion[1])
        if not store_answers:
            return
        try:
            if taken.access_token is not None:
                give_back_token(parts.store, taken.access_token)
            if taken.assertion is not None:
                parts.store.put(delete=[taken.assertion[0]])
        except StoreUnavailable:
            log.warning("not_given_back", extra={"reason": "StoreUnavailable"})

    def query_client(self, client_id: str) -> Any:
        """For Authlib."""
        return self.parts.clients.get(client_id)

    def authenticate_client(self, request: Any, methods: Any, endpoint: str = "token") -> Any:
        """For Authlib."""
        authorization = request.headers.get("Authorization")
        client = self.parts.authenticator.authenticate(authorization, request.form, request.taken)
        request.auth_method = client.auth_method
        return client

    def save_token(self, token: Mapping[str, Any], request: Any) -> None:
        """For Authlib: keep what `/userinfo` may tell. Never the personal identity code."""
        claims = request.authorization_code.claims
        told = {name: claims[name] for name in ("sub", *identity_token.PROFILE_CLAIMS) if name in claims}
        if not keep_token(self.parts.store, token["access_token"], {"claims": told}):
            raise InvalidGrantError(
                "code was used twice: use each once, and start again with a new authorization request"
            )

    def create_oauth2_request(self, request: CleanRequest) -> CleanRequest:
        """For Authlib: it is one already."""
        return request

    def handle_response(self, status: int, body: Any, headers: Any) -> Response:
        """For Authlib."""
        response = jsonify(body)
        response.status_code = status
        response.headers.update(headers)
        return response

    def handle_error_response(self, request: Any, error: Any) -> Response:
        """For Authlib: the error as JSON; its description is a constant of ours."""
        error.description = describe(error)
        logs.add(outcome="refused", reason=f"{error.error}: {error.description}")
        response: Any = super().handle_error_response(request, error)
        return cast(Response, response)

    def send_signal(self, name: str, *_args: Any, **_kwargs: Any) -> None:
        """For Authlib: nobody listens."""


class _NoDebug(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= logging.INFO


_NO_DEBUG = _NoDebug()


def silence_authlib() -> None:
    """Drop Authlib's debug messages for good, whatever level is set later: they hold access tokens."""
    logging.getLogger("authlib").setLevel(logging.INFO)
    for name in [name for name in logging.root.manager.loggerDict if name.partition(".")[0] == "authlib"]:
        logging.getLogger(name).addFilter(_NO_DEBUG)
