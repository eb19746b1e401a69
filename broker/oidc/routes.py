"""The routes of the OpenID Provider."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response

from broker.oidc.authorize import AuthorizationEndpoint
from broker.oidc.discovery import answer_jwks, answer_metadata
from broker.oidc.fapi.par import PushedAuthorizationEndpoint
from broker.oidc.provider import OpenIDProvider
from broker.oidc.refused import RefusedRequests
from broker.oidc.requests import AuthorizationRequest
from broker.oidc.token import answer_token_request
from broker.oidc.userinfo import answer_userinfo_request
from kit.serving.plain import this_request

CALLED_BY_CLIENTS = frozenset({"/par", "/token", "/userinfo"})
"""The paths that no browser goes to: every answer there is JSON."""


def create_blueprint(
    op: OpenIDProvider,
    begin: Callable[[AuthorizationRequest], Response],
    send: Callable[[str], Response],
    bad_request: Callable[[str], Response],
    refused: RefusedRequests,
) -> Blueprint:
    """Discovery, `/jwks`, `/authorize`, `/par`, `/token` and `/userinfo`.

    begin: answers the browser once its client's request is validated. send: brings an authorization response to the
    client. bad_request: the page, with a reference, for a
    request whose client or redirect URI cannot be trusted. refused: where refusals are kept. StoreUnavailable from
    `begin` is the application's to answer.
    """
    blueprint = Blueprint("oidc", __name__)
    endpoint = AuthorizationEndpoint(op, begin, send, bad_request, refused)
    pushed = PushedAuthorizationEndpoint(op, refused)

    @blueprint.get("/.well-known/openid-configuration")
    def openid_configuration() -> Response:
        return answer_metadata(op.metadata, this_request())

    @blueprint.get("/jwks")
    def jwks() -> Response:
        return answer_jwks(op.keys, this_request())

    @blueprint.route("/authorize", methods=["GET", "POST"])
    def authorize() -> Response:
        return endpoint.answer(this_request())

    @blueprint.route("/par", methods=["GET", "POST"])
    def par() -> Response:
        return pushed.answer(this_request())

    @blueprint.route("/token", methods=["GET", "POST"])
    def token() -> Response:
        return answer_token_request(op.server, this_request())

    @blueprint.route("/userinfo", methods=["GET", "POST"])
    def userinfo() -> Response:
        return answer_userinfo_request(op, this_request())

    return blueprint
