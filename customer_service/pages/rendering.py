"""Every page that a member of staff sees."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Response, get_flashed_messages, request
from flask_wtf.csrf import generate_csrf

from customer_service.pages import texts
from customer_service.pages.details import facts_of
from customer_service.settings import Settings
from customer_service.sign_in.sessions import Session
from kit.pages.form_pages import FormPages
from kit.rights import IN_TEMPLATES

FOLDER = Path(__file__).parent
_GLOBALS: dict[str, Any] = {
    **IN_TEMPLATES,
    "reason_names": texts.REASONS,
    "role_names": texts.ROLES,
    "event_names": texts.EVENTS,
    "act_names": texts.ACTS,
    "case_kinds": texts.CASE_KINDS,
    "case_states": texts.CASE_STATES,
    "mail_names": texts.MAILS,
    "giver_names": texts.GIVERS,
    "transaction_events": texts.TRANSACTION_EVENTS,
    "flash_kinds": texts.FLASHES,
    "caller_ways": texts.WAYS,
    "facts_of": facts_of,
    "csrf_token": generate_csrf,
}


class Pages(FormPages):
    """Renders the pages; see FormPages. signed_in: the session of the request's browser."""

    def __init__(self, settings: Settings, signed_in: Callable[[], Session | None]) -> None:
        super().__init__(
            FOLDER,
            settings,
            texts.PROBLEMS,
            extra_globals=_GLOBALS,
            ours={},
            place=("state", "after", "before"),
            callback="/service/callback",
        )
        self._signed_in = signed_in

    def show(self, template: str, status: int = 200, *, form_id: str | None = None, **values: Any) -> Response:
        """A page with the ways to the others, and what was done just now."""
        session = self._signed_in()
        staff = session.staff if session is not None else None
        notices = get_flashed_messages() if request.method == "GET" and status == 200 and staff else []
        here = request.path
        return super().show(template, status, form_id=form_id, staff=staff, notices=notices, here=here, **values)
