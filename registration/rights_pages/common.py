"""What the pages of rights share."""

from __future__ import annotations

from typing import Any

from flask import Response, get_flashed_messages, request

from kit.pages.languages import N_
from kit.rights import LEVEL_NAMES, LEVELS, SECTIONS
from registration import rights
from registration.pages.forms import LevelsForm
from registration.rights.levels import at_least
from registration.service import Service

ABOVE = N_("You cannot give more access than you have yourself.")


def show(service: Service, template: str, status: int = 200, **values: Any) -> Response:
    """A page; a notice of what was done stands on the first one after it."""
    notices = get_flashed_messages() if request.method == "GET" else []
    return service.pages.show(f"rights/{template}.html", status, notices=notices, **values)


def options_of(right: rights.Right, user: rights.CompanyUser | None = None) -> dict[str, list[tuple[str, str]]]:
    """For each section the levels, and their names, that who has a right may give.

    user: whose level stays where it is above their own.
    """
    options = {}
    for section in SECTIONS:
        held = user.levels[section] if user else LEVELS[0]
        own = right.levels[section]
        levels = [level for level in LEVELS if at_least(own, level)] if at_least(own, held) else [held]
        options[section] = [(level, LEVEL_NAMES[level]) for level in levels]
    return options


def levels_sent(form: LevelsForm) -> dict[str, str]:
    """The level of each section as it was sent."""
    return {section: form[section].data for section in SECTIONS}
