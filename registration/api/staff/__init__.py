"""What customer service sees and does, for its own application and the company's systems: docs/openapi-staff.yaml.

    authentication  who asks: a system of the company, or a member of staff whom a client has signed in
    search, shown   what there is, bounded: by what staff know of a person or company, and as pages show it
    table           the acts, as data
    caller          who is on the phone
    acts            an act is asked for, done once, and what is weighty confirmed by a second member of staff

Nothing of a person stands in an address: what is typed travels in bodies.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, request

from registration import audit
from registration.api.answers import ApiError, answer, invalid_request, refuse
from registration.api.body import json_of
from registration.api.client_authentication import ClientAuthenticator
from registration.api.staff import acts, caller, search, shown, table
from registration.api.staff.authentication import Staff, authenticate

if TYPE_CHECKING:
    from registration.service import Service

MOST_BYTES = 16_384
View = Callable[..., "dict[str, Any] | tuple[int, dict[str, Any]]"]


def create_blueprint(service: Service, clients: ClientAuthenticator) -> Blueprint:
    """`/api/staff` and all below it."""
    blueprint = Blueprint("staff", __name__, url_prefix="/api/staff")
    blueprint.register_error_handler(ApiError, refuse)

    def endpoint(method: str, rule: str, *parameters: str) -> Callable[[View], View]:
        """A view gets who asks, what stands in the path, and the body of a POST or the parameters of a GET."""

        def decorate(view: View) -> View:
            def answered(**path: str) -> Response:
                staff = authenticate(service, clients, request)
                if request.args.keys() - set(parameters) or "\0" in "".join(request.args.values()):
                    raise invalid_request("a parameter in the address that is not known, or a NUL")
                asked = json_of(request, MOST_BYTES) if method == "POST" else request.args.to_dict()
                found = view(staff, asked, **path)
                return answer(*found) if isinstance(found, tuple) else answer(200, found)

            options = {"methods": [method], "provide_automatic_options": False}
            blueprint.add_url_rule(rule, view.__name__, answered, **options)  # type: ignore[arg-type]
            return view

        return decorate

    def looked(staff: Staff, **at: str | None) -> None:
        """That a member of staff has looked at a person or a company stands in the trail, as for `list`."""
        with service.database.write() as tx:
            audit.record(tx, "listed", now=service.now, actor=staff.actor, **at)  # type: ignore[arg-type]

    @endpoint("POST", "/search")
    def find(_: Staff, asked: dict[str, Any]) -> dict[str, Any]:
        return search.find(service, asked)

    @endpoint("GET", "/companies/<key>", "after")
    def show_company(staff: Staff, asked: dict[str, str], key: str) -> dict[str, Any]:
        with service.database.read() as tx:
            found = shown.company(tx, key, asked.get("after"))
        if "after" not in asked:
            looked(staff, fo_nummer=found["fo_nummer"])
        return found

    @endpoint("GET", "/people/<account_id>")
    def show_person(staff: Staff, _: dict[str, str], account_id: str) -> dict[str, Any]:
        with service.database.read() as tx:
            found = shown.person(tx, account_id, service.now)
        looked(staff, subject=account_id)
        return found

    @endpoint("GET", "/trail", "company", "account", "before")
    def show_trail(_: Staff, asked: dict[str, str]) -> dict[str, Any]:
        with service.database.read() as tx:
            return shown.trail(tx, **asked)

    @endpoint("GET", "/cases", "state", "after")
    def show_cases(_: Staff, asked: dict[str, str]) -> dict[str, Any]:
        with service.database.read() as tx:
            return shown.open_cases(tx, **asked)

    @endpoint("GET", "/cases/<id>")
    def show_case(_: Staff, __: dict[str, str], id: str) -> dict[str, Any]:
        with service.database.read() as tx:
            return shown.one_case(tx, id)

    @endpoint("POST", "/acts")
    def ask(staff: Staff, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        return acts.ask(service, staff, asked)

    @endpoint("GET", "/acts", "state")
    def show_waiting(staff: Staff, _: dict[str, str]) -> dict[str, Any]:
        with service.database.read() as tx:
            return {"acts": acts.waiting(tx, staff, service.now)}

    @endpoint("GET", "/acts/vocabulary")
    def show_vocabulary(_: Staff, __: dict[str, str]) -> dict[str, Any]:
        return {"reasons": list(table.REASONS)}

    @endpoint("POST", "/acts/<id>")
    def decide(staff: Staff, asked: dict[str, Any], id: str) -> dict[str, Any]:
        return acts.decide(service, staff, id, asked)

    @endpoint("POST", "/caller-checks")
    def ask_caller(staff: Staff, asked: dict[str, Any]) -> dict[str, Any]:
        return caller.begin(service, staff, asked)

    @endpoint("GET", "/caller-checks/<id>")
    def show_check(staff: Staff, _: dict[str, Any], id: str) -> dict[str, Any]:
        return caller.state(service, staff, id)

    @endpoint("POST", "/caller-checks/<id>/name")
    def show_caller(staff: Staff, asked: dict[str, Any], id: str) -> dict[str, Any]:
        return caller.name(service, staff, id, asked)

    return blueprint
