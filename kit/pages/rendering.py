"""Templates in, pages out: a Jinja environment per language, and the headers that every page has.

Each environment has its own catalogue, so that nothing depends on a language that is set aside for the request, and
a page can hold several.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from gettext import NullTranslations
from pathlib import Path
from typing import Any

from flask import Response, request
from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined, pass_eval_context
from jinja2.bccache import Bucket
from jinja2.nodes import EvalContext
from markupsafe import Markup

from kit.pages.languages import PARAMETER, format_day, format_time, remember
from kit.pages.look import Look, read_look
from kit.pages.settings import LookSettings, TextsSettings
from kit.pages.texts import SHARED
from kit.serving.plain import ON_EVERY_ANSWER, PlainResponse


def content_security_policy(form_action: str = "'self'") -> str:
    """The policy of a page: everything from the service itself, no inline script or style, no frame.

    form_action: where its forms may lead, redirects included (Content Security Policy Level 3 §6.4.2).
    """
    return (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; base-uri 'none'; "
        f"frame-ancestors 'none'; form-action {form_action}"
    )


SECURITY_HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": content_security_policy(),
    "X-Frame-Options": "DENY",
    **ON_EVERY_ANSWER,
}
"""On every page."""


class Renderer:
    """Renders the templates of a service. look: what its pages are made with.

    pages: the folder of the service's templates, static files and translations. secure: whether its cookies are.
    extra_globals: for templates, besides ours. extra_values: for templates too, by language.
    Raises OSError if a file of ours is missing, ConfigurationError if one of the operator's cannot be used.
    """

    def __init__(
        self,
        pages: Path,
        brand: LookSettings,
        texts: TextsSettings,
        *,
        secure: bool,
        extra_globals: Mapping[str, Any],
        extra_values: Callable[[str], Mapping[str, Any]],
    ) -> None:
        self.look = read_look(pages, brand, texts)
        self._secure = secure
        codes = self.look.languages.codes
        self.environments = {code: _environment(pages, code, self.look, extra_globals) for code in codes}
        self._values = {code: {**self.look.for_base(code), "form_id": None, **extra_values(code)} for code in codes}

    def render(self, template: str, locale: str, **values: Any) -> str:
        """A template's text in a language."""
        return self.environments[locale].get_template(template).render(self._values[locale] | values)

    def respond(
        self, html: str | bytes, locale: str, status: int = 200, *, languages: Sequence[str] = (), chosen: bool = False
    ) -> Response:
        """A page as a response. languages: of its parts, if it has several.

        chosen: the person has asked for this language; as has who followed a language link. The browser keeps it.
        """
        response = PlainResponse(html, status, content_type="text/html; charset=utf-8", headers=dict(SECURITY_HEADERS))
        response.headers["Content-Language"] = ", ".join(languages or (locale,))
        if chosen or self.look.languages.first(request.args.get(PARAMETER)) == locale:
            remember(response, locale, secure=self._secure)
        return response


class _CompiledOnce(BytecodeCache):
    """Keeps what templates are compiled to: it is the same in the environment of each language."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], Any] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """For Jinja."""
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """For Jinja."""
        self._codes[bucket.key, bucket.checksum] = bucket.code


_COMPILED = _CompiledOnce()


def _environment(pages: Path, locale: str, look: Look, extra_globals: Mapping[str, Any]) -> Environment:
    environment = Environment(
        loader=FileSystemLoader([pages / "templates", SHARED / "templates"]),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        bytecode_cache=_COMPILED,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    translate = translating(look.texts.translations[locale])
    environment.globals.update(extra_globals, asset=look.urls.__getitem__, _=translate)
    environment.filters["day"] = lambda seconds: format_day(datetime.fromtimestamp(seconds, UTC), locale)
    environment.filters["moment"] = lambda seconds: format_time(datetime.fromtimestamp(seconds, UTC), locale)
    return environment


def translating(texts: NullTranslations) -> Callable[..., str]:
    """What templates call `_`: a text of a catalogue, which is HTML, with values in it, which are escaped.

    As Jinja's own extension has it; but a text without values is looked up once.
    """

    def html(text: str) -> Markup:
        return Markup(texts.gettext(text))  # noqa: S704 - catalogues are ours, or the operator's

    @lru_cache(maxsize=4096)
    def without_values(text: str) -> Markup:
        return html(text) % {}

    @pass_eval_context
    def translate(context: EvalContext, text: str, /, **values: Any) -> str:
        if not context.autoescape:
            return texts.gettext(text) % values
        return html(text) % values if values else without_values(text)

    return translate
