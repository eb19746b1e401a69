"""Every page of registration that a person sees: a template and its values in, a complete response out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from kit.pages.assets import Asset
from kit.pages.languages import PARAMETER
from kit.pages.rendering import Renderer, content_security_policy
from kit.pages.texts import TextsOfPages
from registration.database.models import LEVELS, SECTIONS
from registration.pages.texts import FOUNDING, JOINING, LEVEL_NAMES, PROBLEMS, SECTION_NAMES
from registration.settings import Settings

FOLDER = Path(__file__).parent
_NAMES = {"SECTIONS": SECTIONS, "LEVELS": LEVELS, "section_names": SECTION_NAMES, "level_names": LEVEL_NAMES}


class Pages:
    """Renders the pages.

    Raises OSError if a file of ours is missing, ConfigurationError if one of the operator's cannot be used.
    """

    def __init__(self, settings: Settings) -> None:
        ours = {
            "links": settings.links,
            "founding": FOUNDING[settings.rules.founding],
            "joining": JOINING[settings.rules.joining],
            "least_age": settings.rules.least_age,
            "number_keypad": settings.customer_register.keypad,
        }
        self._renderer = Renderer(
            FOLDER,
            settings.brand,
            settings.texts,
            secure=settings.secure,
            extra_globals=_NAMES,
            extra_values=lambda _locale: ours,
        )
        self._look = self._renderer.look
        self._languages = settings.languages
        self.render = self._renderer.render
        """A template's text in a language: a page, or an e-mail."""
        issuer = urlsplit(settings.broker.issuer)
        self._to_broker = content_security_policy(f"'self' {issuer.scheme}://{issuer.netloc}")

    @property
    def assets(self) -> Mapping[str, Asset]:
        """The static files by their name in the address."""
        return self._look.assets

    @property
    def texts(self) -> TextsOfPages:
        """The texts of every language."""
        return self._look.texts

    def locale(self) -> str:
        """The language of the current request's page; a form's language button comes before all else."""
        asked = _form_language()
        return self._languages.of(request, asked)

    def only_asks_for_language(self) -> bool:
        """Whether a form was sent by one of its language buttons: then it is to be shown again, as it was filled in."""
        return request.method == "POST" and self._languages.first(_form_language()) is not None

    def show(
        self, template: str, status: int = 200, *, form_id: str | None = None, to_broker: bool = False, **values: Any
    ) -> Response:
        """A page in the person's language.

        form_id: of the page's form; its language links are then buttons of that form, so that nothing typed is lost.
        to_broker: the answer to the page's form may lead to the broker, so `form-action` names it (browsers apply
        it to redirects too).
        """
        locale = self.locale()
        links = self._languages.links(request.path)
        html = self.render(template, locale, languages=links, form_id=form_id, **values)
        response = self._renderer.respond(html, locale, status, chosen=self.only_asks_for_language())
        if to_broker:
            response.headers["Content-Security-Policy"] = self._to_broker
        return response

    def accessibility(self) -> Response:
        """The accessibility statement; not found if there is none."""
        statement = self._look.statement(self.locale())
        if statement is None:
            return self.problem("not_found")
        return self.show("accessibility.html", html=statement.html, lang=statement.lang)

    def problem(self, code: str, *, reference: str = "", **values: Any) -> Response:
        """Why a person cannot go on, and every way on. code: of texts.PROBLEMS. reference: for the log."""
        text = PROBLEMS[code]
        response = self.show("problem.html", text.status, text=text, code=code, reference=reference[:8], **values)
        return response if text.retry_after is None else retry_later(response, text.retry_after)


def retry_later(response: Response, seconds: int) -> Response:
    """A response that says when to come again (RFC 9110 §10.2.3)."""
    response.headers["Retry-After"] = str(seconds)
    return response


def _form_language() -> str | None:
    """The language that a button of the page's form asks for; none if the form is too large to be read."""
    try:
        return request.form.get(PARAMETER) if request.method == "POST" else None
    except RequestEntityTooLarge:
        return None
