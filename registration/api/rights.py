"""`GET /api/rights`: what a person may see and do, for which companies."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from flask import Request, Response
from sqlalchemy import select

from registration.api.answers import RETRY_AFTER, ApiError, answer, invalid_request
from registration.database.models import Account, Representation
from registration.rights.lookup import rights_of
from tunnus_verifier import KeysUnavailable, VerificationError, Verifier

if TYPE_CHECKING:
    from registration.service import Service

BEARER_CHALLENGE = 'Bearer realm="registration"'
LONGEST_SUB = 255


def sub_of_token(service: Service, verifier: Verifier, authorization: str) -> str:
    """The person whom an identity token is about. Raises ApiError.

    The token must have been made for one of `api.authorized_parties`, and say so: registration's own tokens, which
    name no other party, are for registration's own pages.
    """
    try:
        claims = verifier.verify(authorization.partition(" ")[2].strip())
    except KeysUnavailable:
        raise ApiError(
            503, "temporarily_unavailable", "the broker's keys cannot be had now", retry_after=RETRY_AFTER
        ) from None
    except VerificationError as error:
        raise _invalid_token(f"the identity token is refused: {error.code}") from None
    if claims.azp not in service.settings.api.authorized_parties:
        raise _invalid_token("the identity token was not made for an authorized party")
    return claims.sub


def answer_rights(service: Service, request: Request, token_sub: str | None) -> Response:
    """Answer a request that is authenticated. token_sub: of its identity token; None if a client asks. Raises ApiError.

    Nobody's rights look like those of a person who has none.
    """
    asked = _sub_parameter(request)
    if token_sub is not None and asked not in (None, token_sub):
        raise ApiError(403, "access_denied", "sub is not the person of the identity token")
    sub = token_sub or asked
    if sub is None:
        raise invalid_request("sub is missing")
    response = answer(200, {"sub": sub, **_of_person(service, sub)})
    response.headers["Cache-Control"] = "private, no-cache"
    response.vary.update(("Authorization", "Client-Assertion"))
    response.set_etag(hashlib.sha256(response.get_data()).hexdigest())
    response.make_conditional(request)
    return response


def _of_person(service: Service, sub: str) -> dict[str, Any]:
    """Companies, in an order that is always the same, as the ETag tells whether anything has changed; and the terms."""
    with service.database.read() as transaction:
        account = transaction.scalar(select(Account).where(Account.sub == sub))
        rights = rights_of(transaction, account.id) if account else []
    accepted = account is None or account.terms_version == service.terms.version
    terms = {"terms_accepted": accepted, "terms_url": f"{service.settings.url}/terms/accept"}
    return {"companies": _companies(rights), **terms}


def _companies(rights: list[Representation]) -> list[dict[str, Any]]:
    return [
        {
            "fo_nummer": right.fo_nummer,
            "name": right.company.name,
            "customer_numbers": sorted(right.customer_numbers),
            "administrator": right.administrator,
            "sections": right.levels,
        }
        for right in sorted(rights, key=lambda right: right.fo_nummer)
        if right.suspended_at is None
    ]


def _sub_parameter(request: Request) -> str | None:
    if request.args.keys() - {"sub"} or len(values := request.args.getlist("sub")) > 1:
        raise invalid_request("sub is the only parameter, and stands once")
    if values and not (1 <= len(values[0]) <= LONGEST_SUB and values[0].isprintable()):
        raise invalid_request("sub must be 1 to 255 printable characters")
    return values[0] if values else None


def _invalid_token(reason: str) -> ApiError:
    challenge = f'{BEARER_CHALLENGE}, error="invalid_token"'
    return ApiError(401, "invalid_token", "the identity token is not accepted", reason=reason, challenges=(challenge,))
