"""Groups of the employer's provider to roles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

from customer_service.settings.models import RolesSettings

Role = Literal["agent", "supervisor", "auditor"]
ROLES: tuple[Role, ...] = get_args(Role)
MOST_GROUPS = 1000
"""Of a person, that are looked at."""


def groups_in(claims: Mapping[str, Any], path: str) -> frozenset[str] | None:
    """A person's groups; None if the claims have none of that name. path: `groups`, or `realm_access.roles`.

    A claim of that very name counts first: a name may hold dots itself, as one that is a URL does.
    """
    found: Any = claims.get(path)
    if found is None:
        found = claims
        for name in path.split("."):
            found = found.get(name) if isinstance(found, Mapping) else None
    if isinstance(found, str):
        return frozenset({found})
    if isinstance(found, list):
        return frozenset(group for group in found[:MOST_GROUPS] if isinstance(group, str))
    return None


def roles_of(groups: frozenset[str], settings: RolesSettings) -> frozenset[Role]:
    """The roles that somebody has by their groups. A group's name counts letter by letter."""
    return frozenset(role for role in ROLES if groups & frozenset(getattr(settings, role)))
