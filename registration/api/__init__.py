"""The two endpoints for the online service, described in docs/openapi-registration.yaml; staff's are in `staff`.

    POST /api/sign-in      user name, password and the person's address; who they are, or one and the same refusal
    GET  /api/rights?sub=  companies, customer numbers, sections and levels; also for who has an identity token

No cookie counts here, so there is no CSRF to protect from, and no other origin is let in. Answers are JSON only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, request

from kit import logs
from kit.client_authentication import ClientRefused
from registration.api.answers import ApiError, problem, refuse
from registration.api.client_authentication import HEADER
from registration.api.rights import BEARER_CHALLENGE, answer_rights, sub_of_token
from registration.api.sign_in import answer_sign_in

if TYPE_CHECKING:
    from registration.api.client_authentication import ClientAuthenticator
    from registration.service import Service
    from tunnus_verifier import Verifier

__all__ = ["create_blueprint", "problem"]

CLIENT_CHALLENGE = 'Basic realm="registration"'


def create_blueprint(service: Service, clients: ClientAuthenticator, verifier: Verifier) -> Blueprint:
    """The API. verifier: of identity tokens of the broker whose audiences include registration."""
    blueprint = Blueprint("api", __name__, url_prefix="/api")
    blueprint.register_error_handler(ApiError, refuse)

    def authenticated(*challenges: str) -> str:
        try:
            client_id = clients.authenticate(
                request.headers.get("Authorization"), request.headers.get(HEADER), request.path
            )
        except ClientRefused as refusal:
            raise ApiError(
                401, "invalid_client", "client authentication failed", reason=str(refusal), challenges=challenges
            ) from None
        logs.add(client=client_id)
        return client_id

    @blueprint.post("/sign-in", provide_automatic_options=False)
    def sign_in() -> Response:
        return answer_sign_in(service, request, authenticated(CLIENT_CHALLENGE))

    @blueprint.get("/rights", provide_automatic_options=False)
    def rights() -> Response:
        authorization = request.headers.get("Authorization", "")
        is_bearer = authorization.partition(" ")[0].lower() == "bearer"  # RFC 6750 §2.1
        if not is_bearer or HEADER in request.headers:
            authenticated(CLIENT_CHALLENGE, BEARER_CHALLENGE)
            return answer_rights(service, request, None)
        return answer_rights(service, request, sub_of_token(service, verifier, authorization))

    return blueprint
