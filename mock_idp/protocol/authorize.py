"""The authorization endpoint: verify the request, then answer from the queue or ask the person."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, request, url_for

from mock_idp.bank import Bank
from mock_idp.pages import rendering
from mock_idp.protocol.http import see_other
from mock_idp.protocol.issuers import Issuer, find_issuer
from mock_idp.protocol.refusal import Refused
from mock_idp.protocol.relying_party import RelyingPartyUnknown
from mock_idp.protocol.request import Received, open_request, verify_request
from mock_idp.protocol.response import answer_scripted, issuer_parameter, redirect_to
from mock_idp.state import INTERACTION_SECONDS, AuthorizationRequest, Interaction


def create_blueprint(bank: Bank) -> Blueprint:
    """`GET <issuer>/authorize`."""
    blueprint = Blueprint("authorize", __name__)

    @blueprint.get("/<realm>/<dialect>/authorize")
    def authorize(realm: str, dialect: str) -> Response:
        issuer = find_issuer(realm, dialect) or abort(404)
        record = _new_record(bank, issuer)
        bank.memory.capture(record)
        try:
            received = open_request(bank, issuer, request.args, record)
        except (Refused, RelyingPartyUnknown) as error:
            refused = (
                error if isinstance(error, Refused) else Refused("relying party", str(error), "unauthorized_client")
            )
            record["violations"].append(refused.record())
            return rendering.refused(refused)
        record["warnings"] = received.warnings
        try:
            verified = verify_request(received)
        except Refused as refused:
            record["violations"].append(refused.record())
            return _refuse_by_redirect(bank, received, refused)
        record["provider"] = verified.face.id if verified.face else None
        return _go_on(bank, verified)

    return blueprint


def _new_record(bank: Bank, issuer: Issuer) -> dict[str, Any]:
    return {
        "kind": "authorization",
        "time": bank.now(),
        "issuer": issuer.url(bank.config),
        "provider": None,
        "dialect": issuer.dialect_name,
        "query": {name: values if len(values) > 1 else values[0] for name, values in request.args.lists()},
        "header": None,
        "request_object": None,
        "violations": [],
        "warnings": [],
    }


def _refuse_by_redirect(bank: Bank, received: Received, refused: Refused) -> Response:
    parameters = [("error", refused.error), ("error_description", refused.description)]
    if isinstance(state := received.claims.get("state"), str):
        parameters.append(("state", state))
    parameters += issuer_parameter(bank, received.issuer)
    return redirect_to(str(received.claims["redirect_uri"]), parameters)


def _go_on(bank: Bank, verified: AuthorizationRequest) -> Response:
    """From the queue if something fits, else to the person's page, at an address that may be reloaded."""
    with bank.memory.guard:
        bank.memory.jwks_faults.pop(verified.issuer, None)
    scripted = bank.memory.take_scripted(verified.issuer, verified.face)
    if scripted is not None:
        return answer_scripted(bank, verified, scripted)
    interaction = Interaction(verified, verified.face, bank.now() + INTERACTION_SECONDS)
    handle = bank.memory.start_interaction(interaction)
    issuer = verified.issuer
    page = url_for("person.page", realm=issuer.realm, dialect=issuer.dialect_name, handle=handle)
    return see_other(page)
