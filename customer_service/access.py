"""Who may see a page: every view asks for a session and a role."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Literal

from flask import Response, request, session
from flask.typing import ResponseReturnValue

from customer_service.service import Service
from customer_service.sign_in.sessions import Session, Sessions, Staff
from kit import logs

COOKIE_MEMBER = "staff"
"""The member of Flask's session that holds the name of ours."""
Needs = Literal["read", "act", "supervise"]
View = Callable[..., ResponseReturnValue]

_MAY: dict[Needs, Callable[[Staff], bool]] = {
    "read": lambda staff: bool(staff.roles),
    "act": lambda staff: staff.acts,
    "supervise": lambda staff: staff.supervises,
}


def may(staff: Staff, needs: Needs) -> bool:
    """Whether a member of staff has a role that is enough."""
    return _MAY[needs](staff)


def current_session(sessions: Sessions) -> Session | None:
    """The session of this browser, if it has not ended."""
    return sessions.get(session.get(COOKIE_MEMBER))


def staff_only(service: Service, needs: Needs = "read") -> Callable[[View], View]:
    """A view for staff whose role is enough; it gets their session first.

    Who is not signed in gets the page to sign in, which leads back here; who has not the role a page that says so.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(**values: Any) -> ResponseReturnValue:
            found = current_session(service.sessions)
            if found is None:
                return ask_to_sign_in(service)
            logs.add(staff=found.staff.id)
            if not found.staff.roles:
                return no_role(service, found.staff)
            if not may(found.staff, needs):
                return forbidden(service)
            return view(found, **values)

        return guarded

    return decorate


def ask_to_sign_in(service: Service) -> Response:
    """The page to sign in, at the address that was asked for. What was sent with a POST is not done."""
    to = request.path if request.method == "GET" else "/service"
    return service.pages.show("sign_in.html", 401, to=to, sent=request.method == "POST")


def no_role(service: Service, staff: Staff) -> Response:
    """For whom the employer's provider knows, and who has no role here."""
    logs.add(code="no_role", step="access", staff=staff.id)
    return service.pages.show("no_role.html", 403)


def forbidden(service: Service) -> Response:
    """For whose role is not enough."""
    logs.add(code="forbidden", step="access")
    return service.pages.problem("forbidden")
