"""What customer service sees and does, for its own application and the company's systems: docs/openapi-staff.yaml.

    authentication  who asks: a system of the company, or a member of staff whom a client has signed in
    search, shown   what there is, bounded: by what staff know of a person or company, and as pages show it
    table           the acts, as data
    caller          who is on the phone
    acts            an act is asked for, done once, and what is weighty confirmed by a second member of staff

Nothing of a person stands in an address: what is typed travels in bodies.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Response, request

from registration.api.answers import (
    RETRY_AFTER,
    ApiError,
    answer,
    decided_before,
    invalid_request,
    json_of,
    not_found,
    refuse,
    refused,
)
from registration.api.client_authentication import ClientAuthenticator
from registration.api.staff import acts, caller, search, shown
from registration.api.staff.authentication import authenticate
from registration.caller.checks import CannotBeSent
from registration.cases import AlreadyDecided, NoSuchCase
from registration.customer_register import RegisterUnavailable
from registration.rights.errors import RightsError
from registration.service import Service

MOST_BYTES = 16_384
View = Callable[..., "dict[str, Any] | tuple[int, dict[str, Any]]"]
ENDPOINTS: tuple[tuple[str, str, View, tuple[str, ...]], ...] = (
    ("POST", "/search", search.find, ()),
    ("GET", "/companies/<key>", shown.show_company, ("after",)),
    ("GET", "/people/<account_id>", shown.show_person, ()),
    ("GET", "/trail", shown.show_trail, ("company", "account", "before")),
    ("GET", "/cases", shown.show_cases, ("state", "after")),
    ("GET", "/cases/<id>", shown.show_case, ()),
    ("POST", "/acts", acts.ask, ()),
    ("GET", "/acts", acts.show_waiting, ("state",)),
    ("GET", "/acts/vocabulary", acts.show_vocabulary, ()),
    ("POST", "/acts/<id>", acts.decide, ()),
    ("POST", "/caller-checks", caller.ask_caller, ()),
    ("GET", "/caller-checks/<id>", caller.show_check, ()),
    ("POST", "/caller-checks/<id>/name", caller.show_caller, ()),
)
"""A view gets the service, who asks, the body of a POST or the parameters of a GET, and what stands in the path.

It returns the answer, with its status unless that is 200. The last column: the parameters that a GET may have.
"""
REFUSALS: Mapping[type[Exception], Callable[[Any], ApiError]] = {
    ApiError: lambda error: error,
    RightsError: lambda error: refused(error.code),
    CannotBeSent: lambda _: refused("address_not_confirmed"),
    NoSuchCase: lambda _: not_found(),
    AlreadyDecided: lambda before: decided_before(before.by, before.at, before.outcome),
    RegisterUnavailable: lambda _: ApiError(
        503, "temporarily_unavailable", "the customer register cannot be asked now", retry_after=RETRY_AFTER
    ),
}
"""What is answered to an error that leaves a view; nothing was written."""


def create_blueprint(service: Service, clients: ClientAuthenticator) -> Blueprint:
    """`/api/staff` and all below it."""
    blueprint = Blueprint("staff", __name__, url_prefix="/api/staff")

    def add(method: str, rule: str, view: View, parameters: tuple[str, ...]) -> None:
        def answered(**path: str) -> Response:
            staff = authenticate(service, clients, request)
            if request.args.keys() - set(parameters) or "\0" in "".join(request.args.values()):
                raise invalid_request("a parameter in the address that is not known, or a NUL")
            asked = json_of(request, MOST_BYTES) if method == "POST" else request.args.to_dict()
            found = view(service, staff, asked, **path)
            return answer(*found) if isinstance(found, tuple) else answer(200, found)

        options: dict[str, Any] = {"methods": [method], "provide_automatic_options": False}
        blueprint.add_url_rule(rule, view.__name__, answered, **options)

    for endpoint in ENDPOINTS:
        add(*endpoint)
    for error, told in REFUSALS.items():
        blueprint.register_error_handler(error, lambda raised, told=told: refuse(told(raised)))
    return blueprint
