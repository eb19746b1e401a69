"""`/par`: a client pushes its authorization request and gets a `request_uri` for the browser (RFC 9126).

The client authenticates as at `/token`; then its request passes the same checks as one that a browser brings, and is
refused with the same errors, as JSON to the client itself. Authlib ships nothing of it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace

from authlib.oauth2 import OAuth2Error
from flask import Request, Response, jsonify

from broker.oidc.authorize import validate
from broker.oidc.clients import Client
from broker.oidc.descriptions import describe
from broker.oidc.fapi import pushed, request_objects
from broker.oidc.fapi.sender import Sender
from broker.oidc.guard import NotVerified, Refused, verify_client
from broker.oidc.parameters import KNOWN, Parameters, longest
from broker.oidc.provider import OpenIDProvider
from broker.oidc.refused import RefusedRequests
from broker.oidc.requests import AuthorizationRequest
from broker.oidc.token import CREDENTIALS, BadRequest, json_error, read_form, temporarily_unavailable
from broker.oidc.unsent import Taken
from broker.store import StoreUnavailable

log = logging.getLogger("tunnus.oidc")

_LONGEST = {name: longest(name) for name in sorted(KNOWN)} | {"request": request_objects.LONGEST} | CREDENTIALS
"""The parameters that are known, and the characters each may have."""


@dataclass(frozen=True)
class PushedAuthorizationEndpoint:
    """`/par`. refused: where each refusal is kept."""

    op: OpenIDProvider
    refused: RefusedRequests

    def answer(self, request: Request) -> Response:
        """Answer a POST with 201 and a `request_uri`, or with an error; always JSON, never to be stored."""
        taken = Taken()
        try:
            response = self._push(request, taken)
        except StoreUnavailable as failure:
            self.op.server.give_back(taken, failure)
            log.error("request_not_pushed", extra={"reason": type(failure).__name__})
            response = temporarily_unavailable()
        response.headers["Cache-Control"] = "no-store"
        self.op.senders.give_nonce(request, response)
        return response

    def _push(self, request: Request, taken: Taken) -> Response:
        form: dict[str, str] = {}
        client: Client | None = None
        try:
            form = read_form(request, _LONGEST)
            sender = self.op.senders.read(request)
            client = self.op.authenticator.authenticate(request.headers.get("Authorization"), form, taken)
            self.op.senders.use_up(sender, taken)
            request_uri = pushed.push(self.op.store, _bound(self._validate(form, client), sender))
        except BadRequest as refusal:
            self._note(refusal.error, refusal.description, form, client)
            return refusal.response()
        except OAuth2Error as error:
            self._note(str(error.error), describe(error), form, client)
            response = json_error(str(error.error), describe(error), error.status_code)
            response.headers.update(error.get_headers())
            return response
        except Refused as refusal:
            self._note(refusal.error, refusal.description, form, client)
            return json_error(refusal.error, refusal.description, 400)
        response = jsonify(request_uri=request_uri, expires_in=pushed.LIFETIME)
        response.status_code = 201
        return response

    def _validate(self, form: Mapping[str, str], client: Client) -> AuthorizationRequest:
        if "request_uri" in form:
            raise Refused("invalid_request", "request_uri must not be sent to /par: send the parameters themselves")
        sent: Mapping[str, str] = form
        signed = "request" in form
        if signed:  # then nothing beside it counts (RFC 9101 §6.3)
            keys_of = self.op.authenticator.signing_keys_of
            sent = request_objects.parameters_of(form["request"], client, keys_of, self.op.issuer, self.op.now)
        try:
            parameters = Parameters.of({**sent, "client_id": client.client_id}.items())
            verified = verify_client(parameters, self.op.clients.get, pushed=True, signed=signed)
        except NotVerified as refusal:
            raise Refused("invalid_request", str(refusal)) from refusal
        return validate(self.op, verified)

    def _note(self, error: str, description: str, form: Mapping[str, str], client: Client | None) -> None:
        sent = {f"sent_{name}": form.get(name) for name in ("client_id", "redirect_uri")}
        self.refused.add(description, client=client.client_id if client else None, error=error, **sent)


def _bound(request: AuthorizationRequest, sender: Sender) -> AuthorizationRequest:
    """The request, its code bound to the key of the proof that came with it (RFC 9449 §10.1). Raises Refused."""
    if sender.jkt is None or sender.jkt == request.dpop_jkt:
        return request
    if request.dpop_jkt is not None:
        raise Refused("invalid_request", "dpop_jkt must be the thumbprint of the key of the DPoP proof, or left out")
    return replace(request, dpop_jkt=sender.jkt)
