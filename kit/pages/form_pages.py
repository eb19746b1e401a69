"""The pages of a service whose people fill in forms: a template and its values in, a complete response out."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Response, current_app, request
from werkzeug.exceptions import RequestEntityTooLarge

from kit.pages.assets import Asset
from kit.pages.languages import PARAMETER
from kit.pages.rendering import Renderer
from kit.pages.texts import TextsOfPages
from kit.settings.service import FormServiceSettings


@dataclass(frozen=True, slots=True)
class Problem:
    """A page that says why a person cannot go on; its words are the template's, by the problem's code.

    actions: label and address, the first is the primary one. retry_after: seconds, for the header.
    """

    status: int
    actions: tuple[tuple[str, str], ...] = ()
    retry_after: int | None = None


class FormPages:
    """Renders the pages.

    folder: of the service's templates, static files and translations. problems: by their code. extra_globals: for
    templates. ours: values for templates. place: parameters by which a page is another one, which its language links
    keep; nothing else of an address. callback: path of the redirect URI; its pages have no language links, since
    without the code and state of their address these would lead nowhere, and with them they would repeat them.
    Raises OSError if a file of ours is missing, ConfigurationError if one of the operator's cannot be used.
    """

    def __init__(
        self,
        folder: Path,
        settings: FormServiceSettings,
        problems: Mapping[str, Problem],
        *,
        extra_globals: Mapping[str, Any],
        ours: Mapping[str, Any],
        place: Collection[str],
        callback: str,
    ) -> None:
        self._renderer = Renderer(
            folder,
            settings.brand,
            settings.texts,
            secure=settings.secure,
            extra_globals=extra_globals,
            extra_values=lambda _locale: ours,
        )
        self._look = self._renderer.look
        self._script = self._look.urls["forms.js"]
        self._languages = settings.languages
        self._problems = problems
        self._place = place
        self._callback = callback
        self.render = self._renderer.render
        """A template's text in a language: a page, or an e-mail."""

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

    def show(self, template: str, status: int = 200, *, form_id: str | None = None, **values: Any) -> Response:
        """A page in the person's language.

        form_id: of the page's form; its language links are then buttons of that form, so that nothing typed is lost.
        """
        locale = self.locale()
        links = [] if request.path == self._callback else self._language_links()
        html = self.render(template, locale, languages=links, form_id=form_id, script=self._script, **values)
        return self._renderer.respond(html, locale, status, chosen=self.only_asks_for_language())

    def _language_links(self) -> list[tuple[str, str, str]]:
        kept = {name: request.args[name] for name in self._place if name in request.args}
        return self._languages.links(_readable_path(), kept)

    def accessibility(self) -> Response:
        """The accessibility statement; not found if there is none."""
        statement = self._look.statement(self.locale())
        if statement is None:
            return self.problem("not_found")
        return self.show("accessibility.html", html=statement.html, lang=statement.lang)

    def problem(self, code: str, status: int | None = None, *, reference: str = "", **values: Any) -> Response:
        """Why a person cannot go on, and every way on. code, status: the problem's own, unless another is given.

        reference: for the log.
        """
        problem = self._problems[code]
        shown = {"code": code, "ways_on": problem.actions, "reference": reference[:8], **values}
        response = self.show("problem.html", status or problem.status, **shown)
        return response if problem.retry_after is None else retry_later(response, problem.retry_after)


def retry_later(response: Response, seconds: int) -> Response:
    """A response that says when to come again (RFC 9110 §10.2.3)."""
    response.headers["Retry-After"] = str(seconds)
    return response


def _readable_path() -> str:
    """The path of this page, or, where that only takes what is sent, of the page above it."""
    path, rule, adapter = request.path, request.url_rule, current_app.create_url_adapter(request)
    if rule is None or adapter is None or "GET" in (rule.methods or ()):
        return path
    above = path.rpartition("/")[0]
    while above and not adapter.test(above, "GET"):
        above = above.rpartition("/")[0]
    return above or "/"


def _form_language() -> str | None:
    """The language that a button of the page's form asks for; none if the form is too large to be read."""
    try:
        return request.form.get(PARAMETER) if request.method == "POST" else None
    except RequestEntityTooLarge:
        return None
