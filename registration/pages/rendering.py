"""Every page of registration that a person sees: a template and its values in, a complete response out."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Response, g, request

from kit.pages.form_pages import FormPages
from kit.pages.rendering import content_security_policy
from kit.rights import IN_TEMPLATES
from registration.accounts.choosing import TOO_OFTEN
from registration.pages.texts import PROBLEMS, TRY_AGAIN
from registration.settings import Settings

FOLDER = Path(__file__).parent


class Pages(FormPages):
    """Renders the pages; see FormPages."""

    def __init__(self, settings: Settings) -> None:
        ours = {
            "links": settings.links,
            "founding": settings.rules.founding,
            "joining": settings.rules.joining,
            "least_age": settings.rules.least_age,
            "number_keypad": settings.customer_register.keypad,
        }
        super().__init__(
            FOLDER,
            settings,
            PROBLEMS,
            extra_globals={**IN_TEMPLATES, "TOO_OFTEN": TOO_OFTEN},
            ours=ours,
            place=("after", "before", "from", "purpose"),
            callback="/callback",
        )
        issuer = urlsplit(settings.broker.issuer)
        self._to_broker = content_security_policy(f"'self' {issuer.scheme}://{issuer.netloc}")

    def show(
        self, template: str, status: int = 200, *, form_id: str | None = None, to_broker: bool = False, **values: Any
    ) -> Response:
        """A page in the person's language; see FormPages.

        to_broker: the answer to the page's form may lead to the broker, so `form-action` names it (browsers apply
        it to redirects too).
        """
        again = g.get("identify_again", False)  # accounts/fresh.py: the page says so, and its form leads to the broker
        response = super().show(template, status, form_id=form_id, identify_again=again, **values)
        if to_broker or again:
            response.headers["Content-Security-Policy"] = self._to_broker
        return response

    def not_now(self, code: str) -> Response:
        """A problem that may be over in a moment: what was only asked for is asked for again by a link.

        The address stands in the browser, and not on the page: it may hold a code, or the token of a link.
        """
        problem = PROBLEMS[code]
        again = ((TRY_AGAIN[0], ""),) if request.method == "GET" else ()
        others = tuple(way for way in problem.actions if way != TRY_AGAIN)
        return self.problem(code, ways_on=again + others)
