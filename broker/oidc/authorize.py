"""The authorization endpoint: a client's request in, the person's way or an answer to the client out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import Request, Response
from werkzeug.exceptions import HTTPException

from broker.oidc import guard
from broker.oidc.fapi import pushed
from broker.oidc.guard import NotVerified, Refused, Verified
from broker.oidc.parameters import Parameters
from broker.oidc.provider import OpenIDProvider
from broker.oidc.refused import RefusedRequests
from broker.oidc.requests import AuthorizationRequest
from broker.oidc.token import MOST_BYTES
from broker.reference import new_reference


@dataclass(frozen=True)
class AuthorizationEndpoint:
    """`/authorize`. begin: takes a validated request over.

    send: brings a response to the client. bad_request: the page for one not to be trusted, with a reference. refused:
    where each refusal is kept.
    """

    op: OpenIDProvider
    begin: Callable[[AuthorizationRequest], Response]
    send: Callable[[str], Response]
    bad_request: Callable[[str], Response]
    refused: RefusedRequests

    def answer(self, request: Request) -> Response:
        """Answer a GET, or a POST with a form (OpenID Connect Core §3.1.2.1).

        Nothing is sent to a redirect URI before it is verified; then every error is, with `iss` and `state`.
        """
        parameters = Parameters.of(request.args.items(multi=True))
        try:
            if request.method == "POST":
                parameters = _with_form(request)
            if pushed.is_ours(parameters.get("request_uri")):
                return self.begin(self._find_pushed(parameters))
            verified = guard.verify_client(parameters, self.op.clients.get)
        except NotVerified as refusal:
            reference = new_reference()
            self._note(str(refusal), parameters, client=refusal.client_id, reference=reference)
            return self.bad_request(reference)
        try:
            authorization = validate(self.op, verified)
        except Refused as refusal:
            self._note(refusal.description, parameters, client=verified.client_id, error=refusal.error)
            response = self.op.error_response(verified, refusal.error, refusal.description)
            return self.send(response) if response else self.bad_request(new_reference())
        return self.begin(authorization)

    def _note(self, reason: str, parameters: Parameters, **facts: str | None) -> None:
        sent = {f"sent_{name}": parameters.get(name) for name in ("client_id", "redirect_uri")}
        self.refused.add(reason, **sent, **facts)

    def _find_pushed(self, parameters: Parameters) -> AuthorizationRequest:
        """The request that was pushed. What else stands in the address is not looked at (RFC 9101 §6.3)."""
        client = guard.find_client(parameters, self.op.clients.get)
        if "request" in parameters.values or not parameters.is_clean("request_uri"):
            raise NotVerified("request_uri must be there once, and no request beside it", client.client_id)
        found = pushed.find(self.op.store, parameters.get("request_uri") or "", client.client_id)
        if found is None or not client.may_lead_to(found.redirect_uri):
            reason = "request_uri is unknown, lapsed, used or another client's: push each request by itself to /par"
            raise NotVerified(reason, client.client_id)
        return found


def validate(op: OpenIDProvider, verified: Verified) -> AuthorizationRequest:
    """Check a request whose client and redirect URI are verified. Raises Refused."""
    guard.check(verified)
    parameters = verified.parameters.as_dict()
    if not verified.client.show_step:
        parameters.pop("step", None)
    scope = op.server.validate_authorization_request(parameters)
    authorization = AuthorizationRequest.from_json(parameters | {"scope": scope})
    if not op.accepted_acr_values(authorization):
        raise Refused(
            "access_denied", "acr_values holds no level that is accepted: see acr_values_supported in our metadata"
        )
    return authorization


def _with_form(request: Request) -> Parameters:
    request.max_content_length = MOST_BYTES
    try:
        return Parameters.of([*request.args.items(multi=True), *request.form.items(multi=True)])
    except HTTPException as error:
        raise NotVerified(
            f"the form cannot be read: send at most {MOST_BYTES} bytes of application/x-www-form-urlencoded"
        ) from error
