"""The commands about people: their rights, and what is held on them."""

from __future__ import annotations

from registration.cli.persons import export, forget, relink
from registration.cli.rights import grant, list_people, revoke

__all__ = ["export", "forget", "grant", "list_people", "relink", "revoke"]
