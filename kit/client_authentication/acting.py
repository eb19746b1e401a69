"""Whom a client acts for: the claim `act` (RFC 8693 §4.1) of its client assertion, so under its own signature."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kit.client_authentication.errors import ClientRefused

_LONGEST = {"iss": 512, "sub": 255, "email": 254}
_MOST_ROLES = 16


@dataclass(frozen=True, slots=True)
class Actor:
    """A person whom the client has signed in itself. email: theirs, if the client says it."""

    issuer: str
    subject: str
    roles: frozenset[str]
    email: str | None

    @property
    def id(self) -> str:
        """64 bits of a digest: who it was can be looked up by whoever knows issuer and subject, and by nobody else."""
        return hashlib.sha256(f"{self.issuer}\n{self.subject}".encode()).hexdigest()[:16]


def actor_of(claims: Mapping[str, Any]) -> Actor | None:
    """The actor that an assertion names; None if it names none. Raises ClientRefused for a claim that is not whole.

    claims: of an assertion whose signature holds. Members besides `iss`, `sub`, `roles` and `email` are not looked at.
    """
    act = claims.get("act")
    if act is None:
        return None
    if not isinstance(act, dict) or not all(_is_text(act.get(name), name) for name in ("iss", "sub")):
        raise ClientRefused("act must be an object of iss and sub, each a printable string")
    roles, email = act.get("roles"), act.get("email")
    if not isinstance(roles, list) or len(roles) > _MOST_ROLES or not all(isinstance(role, str) for role in roles):
        raise ClientRefused("act.roles must be a list of strings")
    if email is not None and not _is_text(email, "email"):
        raise ClientRefused("act.email must be a printable string")
    return Actor(act["iss"], act["sub"], frozenset(roles), email)


def _is_text(value: Any, name: str) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= _LONGEST[name] and value.isprintable()
