"""`POST /api/sign-in`: whose user name and password these are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Request, Response

from kit import logs
from kit.serving import networks
from registration.accounts import sign_in
from registration.accounts.passwords import RETRY_AFTER, Busy
from registration.api.answers import ApiError, answer, invalid_request, json_of
from registration.database.models import Account

if TYPE_CHECKING:
    from registration.service import Service

MOST_BYTES = 8192
LONGEST = {"user_name": 512, "password": 1024, "address": 64}
"""The members of a request, and their characters at most: more than an account's have in any Unicode form."""


def answer_sign_in(service: Service, request: Request, client_id: str) -> Response:
    """Answer a request of a client that is authenticated. Raises ApiError.

    An unknown user name, a wrong password and what else there may be are one and the same refusal.
    """
    body = _read(request)
    try:
        found = sign_in.check(
            service, body["user_name"], body["password"], body["address"], by=f"online_service:{client_id}"
        )
    except Busy:
        raise ApiError(
            503, "temporarily_unavailable", "too many sign-ins at this moment", retry_after=RETRY_AFTER
        ) from None
    if isinstance(found, sign_in.TooMany):
        raise ApiError(429, "slow_down", "too many wrong tries; see Retry-After", retry_after=found.seconds)
    if isinstance(found, sign_in.Refused):
        raise ApiError(403, "access_denied", "the user name and the password do not match")
    logs.add(account=found.id)
    return answer(200, _person(service, found))


def _person(service: Service, account: Account) -> dict[str, Any]:
    return {
        "sub": account.sub,
        "given_name": account.given_name,
        "family_name": account.family_name,
        "terms_accepted": account.terms_version == service.terms.version,
        "terms_url": f"{service.settings.url}/terms/accept",
    }


def _read(request: Request) -> dict[str, str]:
    """The members of the body, each there once, a string, and no longer than it may be."""
    body = json_of(request, MOST_BYTES)
    if not isinstance(body, dict) or body.keys() != LONGEST.keys():
        raise invalid_request(f"the body must be an object of {', '.join(LONGEST)}")
    for name, longest in LONGEST.items():
        if not isinstance(body[name], str) or len(body[name]) > longest:
            raise invalid_request(f"{name} must be a string of at most {longest} characters")
    if networks.parse(body["address"]) is None:
        raise invalid_request("address must be the person's IP address")
    return body
