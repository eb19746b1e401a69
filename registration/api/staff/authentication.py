"""Who asks: a system of the company as itself, or the member of staff for whom a client acts."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Request

from kit import logs
from kit.client_authentication import ClientRefused
from kit.client_authentication.acting import actor_of
from registration.api.answers import ApiError
from registration.api.client_authentication import HEADER, ClientAuthenticator
from registration.database.models import Account
from registration.service import Service

AGENT, SUPERVISOR = "agent", "supervisor"


@dataclass(frozen=True, slots=True)
class Staff:
    """Who asks. actor: as the audit trail names them. email: theirs, if it is known."""

    actor: str
    roles: frozenset[str]
    email: str | None = None

    def refuse_without(self, role: str) -> None:
        """Refuse who does not have a role; a supervisor is an agent too. Raises ApiError."""
        if not self.roles & {role, SUPERVISOR}:
            raise ApiError(403, "access_denied", f"it needs the role {role}")

    def is_concerned(self, account: Account) -> bool:
        """Whether it is their own account, as far as the e-mail addresses tell."""
        return self.email is not None and self.email.casefold() == account.email_key


def authenticate(service: Service, clients: ClientAuthenticator, request: Request) -> Staff:
    """Who asks; they have a role. Raises ApiError."""
    try:
        if "Authorization" in request.headers or HEADER not in request.headers:
            raise ClientRefused("staff and systems prove themselves by the header Client-Assertion alone")
        assertion = clients.assertion(request.headers[HEADER], request.path)
        client, actor = service.settings.api.clients[assertion.client_id], actor_of(assertion.claims)
        if client.roles and client.acts_for_staff != (actor is not None):
            raise ClientRefused("act must be there for a client that acts for staff, and for no other")
    except ClientRefused as refusal:
        raise ApiError(401, "invalid_client", "client authentication failed", reason=str(refusal)) from None
    logs.add(client=assertion.client_id)
    roles = frozenset(client.roles) & (actor.roles if actor else frozenset(client.roles))
    if not roles:
        raise ApiError(403, "access_denied", "it needs a role")
    if actor is None:
        return Staff(f"client:{assertion.client_id}", roles)
    return Staff(f"staff:{actor.id}", roles, actor.email)
