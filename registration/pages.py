"""Every page of registration that a person sees: a template and its values in, a complete response out.

There is a Jinja environment per language, each with its catalogue, as in the broker.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from babel.dates import format_date
from flask import Response, request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from werkzeug.exceptions import RequestEntityTooLarge

from registration import i18n
from registration.assets import Asset
from registration.look import Look, read_look
from registration.models import LEVELS, SECTIONS
from registration.page_texts import LEVEL_NAMES, PROBLEMS, SECTION_NAMES
from registration.settings import Settings
from registration.texts import TextsOfPages

FOLDER = Path(__file__).parent
CSP = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; base-uri 'none'; "
    "frame-ancestors 'none'; form-action 'self'"
)
SECURITY_HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": CSP,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""On every page."""
_DAYS: Mapping[str, str] = {"fi": "d.M.y", "sv": "d.M.y", "en": "d MMMM y"}
"""How a day is written; in a language that an operator adds, as Babel does."""


class Pages:
    """Renders the pages.

    Raises OSError if a file of ours is missing, ConfigurationError if one of the operator's cannot be used.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._languages = settings.languages
        self._look = read_look(FOLDER / "static", settings.brand, settings.texts)
        self._environments = {code: _environment(code, self._look) for code in settings.languages.codes}
        ours = {"links": settings.links, "least_age": settings.rules.least_age, "form_id": None}
        self._base = {code: self._look.for_base(code) | ours for code in settings.languages.codes}
        issuer = urlsplit(settings.broker.issuer)
        self._to_broker = f"{CSP} {issuer.scheme}://{issuer.netloc}"

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
        languages = self._languages.links(request.path)
        html = self.render(template, locale, languages=languages, form_id=form_id, **values)
        response = Response(html, status, content_type="text/html; charset=utf-8", headers=dict(SECURITY_HEADERS))
        response.headers["Content-Language"] = locale
        if to_broker:
            response.headers["Content-Security-Policy"] = self._to_broker
        if self.only_asks_for_language() or self._languages.first(request.args.get(i18n.PARAMETER)) == locale:
            i18n.remember(response, locale, secure=self._settings.secure)
        return response

    def accessibility(self) -> Response:
        """The accessibility statement; not found if there is none."""
        statement = self._look.statement(self.locale())
        if statement is None:
            return self.problem("not_found")
        return self.show("accessibility.html", html=statement.html, lang=statement.lang)

    def problem(self, code: str, *, reference: str = "", **values: Any) -> Response:
        """Why a person cannot go on, and every way on. code: of page_texts.PROBLEMS. reference: for the log."""
        text = PROBLEMS[code]
        response = self.show("problem.html", text.status, text=text, code=code, reference=reference[:8], **values)
        if text.retry_after is not None:
            response.headers["Retry-After"] = str(text.retry_after)
        return response

    def render(self, template: str, locale: str, **values: Any) -> str:
        """A template's text in a language: a page, or an e-mail."""
        return self._environments[locale].get_template(template).render(self._base[locale] | values)


def _form_language() -> str | None:
    """The language that a button of the page's form asks for; none if the form is too large to be read."""
    try:
        return request.form.get(i18n.PARAMETER) if request.method == "POST" else None
    except RequestEntityTooLarge:
        return None


def _environment(locale: str, look: Look) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.install_gettext_translations(look.texts.translations[locale], newstyle=True)  # type: ignore[attr-defined]
    environment.globals.update(
        asset=look.urls.__getitem__,
        SECTIONS=SECTIONS,
        LEVELS=LEVELS,
        section_names=SECTION_NAMES,
        level_names=LEVEL_NAMES,
    )
    environment.filters["day"] = lambda seconds: format_date(
        datetime.fromtimestamp(seconds, i18n.HELSINKI), _DAYS.get(locale, "long"), locale=locale
    )
    environment.filters["moment"] = lambda seconds: i18n.format_time(datetime.fromtimestamp(seconds, UTC), locale)
    return environment
