"""Authlib's authorization server, with what it leaves open closed.

What Authlib does here: the order of a token request's checks, scope, PKCE and prompt. What is ours:
the parameters it sees and nonce (`broker.oidc.guard`, `broker.oidc.token`), who a client is, codes, tokens, the
identity token (`broker.oidc.grant`), every answer. The server is shared by all threads and holds nothing of a request.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any, cast

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import AuthorizationServer, InvalidGrantError
from flask import Response

from broker.oidc import identity_token
from broker.oidc.client_authentication import ClientNotAuthenticated
from broker.oidc.codes import give_back_token, keep_token
from broker.oidc.descriptions import describe
from broker.oidc.fapi.sender import NOTHING, Sender, confirmation_of
from broker.oidc.grant import CleanRequest, CodeGrant, IdentityTokenExtension, Parts, S256Challenge
from broker.oidc.guard import Refused
from broker.oidc.parameters import SCOPES
from broker.oidc.unsent import Taken
from broker.store import NewerRecord, NotDurable, StoreUnavailable
from kit import logs
from kit.serving.plain import ON_EVERY_ANSWER, PlainResponse

log = logging.getLogger("tunnus.oidc")
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"))  # as Flask's `jsonify` has it


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

    def answer_token_request(self, form: dict[str, str], authorization: str | None, sender: Sender) -> Response:
        """Answer a token request whose parameters are there once each, its grant type ours. sender: what it shows."""
        request = CleanRequest("POST", "/token", self.parts.issuer, form, authorization, sender)
        try:
            response: Any = self.create_token_response(request)
        except Exception as failure:
            self.give_back(request.taken, failure)
            raise
        return cast(Response, response)

    def give_back(self, taken: Taken, failure: Exception) -> None:
        """Let a request that could not be answered be sent again: no token of it has left, and none will.

        failure: if it says that the store does not answer, that is not asked, as it would keep the thread for as long
        again; this broker remembers by itself.
        """
        answers = isinstance(failure, NewerRecord | NotDurable) or not isinstance(failure, StoreUnavailable)
        parts = self.parts
        if taken.access_token is not None:
            parts.unsent.add(taken.access_token)
        for _, use in taken.once:
            parts.unsent.add(use)
        if not answers:
            return
        try:
            if taken.access_token is not None:
                give_back_token(parts.store, taken.access_token)
            for key, _ in taken.once:
                parts.store.put(delete=[key])
        except StoreUnavailable:
            log.warning("not_given_back", extra={"reason": "StoreUnavailable"})

    def query_client(self, client_id: str) -> Any:
        """For Authlib."""
        return self.parts.clients.get(client_id)

    def authenticate_client(self, request: Any, methods: Any, endpoint: str = "token") -> Any:
        """For Authlib."""
        authorization = request.headers.get("Authorization")
        # What else a request shows comes first, where there is something; the plain way is one go of the store.
        later = request.sender is NOTHING
        client = self.parts.authenticator.authenticate(authorization, request.form, request.taken, later=later)
        self.parts.senders.admit(client, request.sender, request.taken)
        request.auth_method = client.auth_method
        return client

    def save_token(self, token: Mapping[str, Any], request: Any) -> None:
        """For Authlib: keep what `/userinfo` may tell. Never the personal identity code."""
        claims = request.authorization_code.claims
        told = {name: claims[name] for name in ("sub", *identity_token.PROFILE_CLAIMS) if name in claims}
        value: dict[str, Any] = {"claims": told}
        if confirmation := confirmation_of(request.client, request.sender):
            value["cnf"] = confirmation
        if request.client.signed_userinfo:
            value["client_id"] = request.client.client_id
        if not keep_token(self.parts.store, token["access_token"], value):
            raise InvalidGrantError(
                "code was used twice: use each once, and start again with a new authorization request"
            )

    def create_oauth2_request(self, request: CleanRequest) -> CleanRequest:
        """For Authlib: it is one already."""
        return request

    def handle_response(self, status: int, body: Any, headers: Any) -> Response:
        """For Authlib."""
        return PlainResponse(f"{_ENCODER.encode(body)}\n", status, {**dict(headers), **ON_EVERY_ANSWER})

    def handle_error_response(self, request: Any, error: Any) -> Response:
        """For Authlib: the error as JSON; its description is a constant of ours.

        An assertion whose `jti` is still due was not refused for itself; that comes before whatever else is wrong.
        """
        try:
            self.parts.authenticator.settle(request.taken)
        except ClientNotAuthenticated as refusal:
            error = refusal
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
