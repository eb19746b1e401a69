"""What the pages of rights share."""

from __future__ import annotations

from typing import Any

from flask import Response, get_flashed_messages, request

from kit.pages.forms import Form
from kit.pages.languages import N_
from kit.rights import LEVEL_NAMES, LEVELS, SECTIONS
from registration.database.models import Account, Representation
from registration.pages.forms import LevelsForm
from registration.rights.levels import at_least
from registration.service import Service

ABOVE = N_("You cannot give more access than you have yourself.")


def show(service: Service, template: str, account: Account, form: Form, status: int = 200, **values: Any) -> Response:
    """A page with its form; a notice of what was done stands on the first one after it."""
    notices = get_flashed_messages() if request.method == "GET" else []
    shown: dict[str, Any] = {"account": account, "form": form, "problems": form.problems(), "notices": notices}
    return service.pages.show(f"rights/{template}.html", status, **shown, **values)


def was_sent(service: Service) -> bool:
    """Whether the page's form was sent, and not by one of its language buttons."""
    return request.method == "POST" and not service.pages.only_asks_for_language()


def options_of(right: Representation, user: Representation | None = None) -> dict[str, list[tuple[str, str]]]:
    """For each section the levels, and their names, that who has a right may give.

    user: whose level stays where it is above their own.
    """
    options = {}
    for section, own in right.levels.items():
        held = user.levels[section] if user else LEVELS[0]
        levels = [level for level in LEVELS if at_least(own, level)] if at_least(own, held) else [held]
        options[section] = [(level, LEVEL_NAMES[level]) for level in levels]
    return options


def levels_sent(form: LevelsForm) -> dict[str, str]:
    """The level of each section as it was sent."""
    return {section: form[section].data for section in SECTIONS}
