"""The pages of rights: one's own, a company's users, what they may see, and letting another user see it.

A company that is not the person's own and one that does not exist give the same page; so do its users. What a form
may change is its fields, and nothing else that a request holds.
"""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, Response, request

from kit import logs
from registration import cases
from registration.rights import errors
from registration.rights_pages.requests import add_decision, add_dispute, add_own_request
from registration.rights_pages.sharing import add_sharing
from registration.rights_pages.users import add_change, add_lists, add_removal, add_role, add_share
from registration.service import Service

_ID = re.compile("[0-9a-f]{32}")


def create_blueprint(service: Service) -> Blueprint:
    """`/rights`, `/requests`, `/dispute`, and `/companies/<company_key>` with `/users`, `/requests` and `/share`."""
    blueprint = Blueprint("rights", __name__)
    blueprint.url_value_preprocessor(_refuse_strange_ids)
    blueprint.register_error_handler(errors.Forbidden, lambda _error: _forbidden(service))
    blueprint.register_error_handler(cases.AlreadyDecided, lambda _error: service.pages.problem("already_decided"))
    blueprint.register_error_handler(errors.LastAdministrator, lambda _error: _last_administrator(service))
    add_lists(blueprint, service)
    add_change(blueprint, service)
    add_removal(blueprint, service)
    add_role(blueprint, service)
    add_share(blueprint, service)
    add_sharing(blueprint, service)
    add_own_request(blueprint, service)
    add_decision(blueprint, service)
    add_dispute(blueprint, service)
    return blueprint


def _refuse_strange_ids(_endpoint: str | None, values: dict[str, Any] | None) -> None:
    """What is no id of ours is not looked up: PostgreSQL takes no NUL, for one."""
    if not all(_ID.fullmatch(value) for value in (values or {}).values()):
        raise errors.Forbidden


def _forbidden(service: Service) -> Response:
    logs.add(code="forbidden", step="rights")
    return service.pages.problem("forbidden")


def _last_administrator(service: Service) -> Response:
    values = request.view_args or {}
    return service.pages.show("rights/last_administrator.html", 409, users=f"/companies/{values['company_key']}/users")
