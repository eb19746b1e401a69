"""Levels of access, section by section: how they compare."""

from __future__ import annotations

from collections.abc import Mapping

from kit.rights import LEVELS, SECTIONS
from registration.database.models import Representation, Sections

Levels = Mapping[str, str]
"""A level of LEVELS for each of SECTIONS."""
ALL: Levels = dict.fromkeys(SECTIONS, LEVELS[-1])
"""What an administrator has."""
JOINING: Levels = dict.fromkeys(SECTIONS, LEVELS[0]) | {"consumption": "read"}
"""What one who registers gets, unless they are the company's first."""


def checked(levels: Levels) -> dict[str, str]:
    """The levels of all sections and of nothing else. Raises ValueError if one is missing or is no level."""
    if any(levels.get(section) not in LEVELS for section in SECTIONS):
        raise ValueError("a level is missing or unknown")
    return {section: levels[section] for section in SECTIONS}


def set_levels(representation: Representation, levels: Levels) -> None:
    """Write the levels of some sections into a representation; what others gave on top is at most as much.

    Raises ValueError for what is no level.
    """
    for section, level in levels.items():
        setattr(representation, section, LEVELS[rank(level)])
        for share in representation.shares:
            setattr(share, section, min(level, getattr(share, section), key=rank))


def raise_levels(row: Sections, levels: Levels) -> None:
    """Write levels into a representation or a share where they are more than it has."""
    for section, level in levels.items():
        setattr(row, section, higher(getattr(row, section), level))


def rank(level: str) -> int:
    """Greater is more."""
    return LEVELS.index(level)


def at_least(level: str, wanted: str) -> bool:
    """Whether a level allows what another one does."""
    return rank(level) >= rank(wanted)


def higher(one: str, other: str) -> str:
    """The greater of two levels."""
    return max(one, other, key=rank)
