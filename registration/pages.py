"""Every page of registration that a person sees: a template and its values in, a complete response out.

There is a Jinja environment per language, each with its catalogue, as in the broker.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from flask import Blueprint, Response, request
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from registration import i18n
from registration.models import LEVELS, SECTIONS
from registration.page_texts import LEVEL_NAMES, PROBLEMS, SECTION_NAMES
from registration.settings import Settings

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
STATIC_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".js": "text/javascript; charset=utf-8",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """A static file. source: its name in the folder."""

    source: str
    content_type: str
    content: bytes


class Pages:
    """Renders the pages. Raises OSError if a template folder, catalogue or static file is missing."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.assets = _read_assets()
        urls = {asset.source: f"/static/{name}" for name, asset in self.assets.items()}
        self._environments: dict[str, Environment] = {code: _environment(code, urls) for code in i18n.LOCALES}
        issuer = urlsplit(settings.broker.issuer)
        self._to_broker = f"{CSP} {issuer.scheme}://{issuer.netloc}"

    def locale(self) -> i18n.Locale:
        """The language of the current request's page; a form's language button comes before all else."""
        asked = request.form.get(i18n.PARAMETER) if request.method == "POST" else None
        return i18n.locale_of(request, asked, self._settings.brand.default_locale)

    def only_asks_for_language(self) -> bool:
        """Whether a form was sent by one of its language buttons: then it is to be shown again, as it was filled in."""
        return request.method == "POST" and i18n.first_supported(request.form.get(i18n.PARAMETER)) is not None

    def show(
        self, template: str, status: int = 200, *, form_id: str | None = None, to_broker: bool = False, **values: Any
    ) -> Response:
        """A page in the person's language.

        form_id: of the page's form; its language links are then buttons of that form, so that nothing typed is lost.
        to_broker: the answer to the page's form may lead to the broker, so `form-action` names it (browsers apply
        it to redirects too).
        """
        locale = self.locale()
        path = quote(request.path)
        languages = [(code, name, f"{path}?{i18n.PARAMETER}={code}") for code, name in i18n.LANGUAGE_NAMES.items()]
        html = self.render(template, locale, languages=languages, form_id=form_id, **values)
        response = Response(html, status, content_type="text/html; charset=utf-8", headers=dict(SECURITY_HEADERS))
        response.headers["Content-Language"] = locale
        if to_broker:
            response.headers["Content-Security-Policy"] = self._to_broker
        if self.only_asks_for_language() or i18n.first_supported(request.args.get(i18n.PARAMETER)) == locale:
            i18n.remember(response, locale, secure=self._settings.secure)
        return response

    def problem(self, code: str, *, reference: str = "", **values: Any) -> Response:
        """Why a person cannot go on, and every way on. code: of page_texts.PROBLEMS. reference: for the log."""
        text = PROBLEMS[code]
        response = self.show("problem.html", text.status, text=text, code=code, reference=reference[:8], **values)
        if text.retry_after is not None:
            response.headers["Retry-After"] = str(text.retry_after)
        return response

    def render(self, template: str, locale: str, **values: Any) -> str:
        """A template's text in a language: a page, or an e-mail."""
        brand, links = self._settings.brand, self._settings.links
        return (
            self._environments[locale]
            .get_template(template)
            .render(
                locale=locale,
                brand=brand.name.get(locale),
                phone=brand.customer_service.phone,
                email=brand.customer_service.email,
                links=links,
                least_age=self._settings.rules.least_age,
                **values,
            )
        )


def create_blueprint(pages: Pages) -> Blueprint:
    """`/static/<name>.<digest>.<suffix>`: a name changes with its content, so it may be kept for ever."""
    blueprint = Blueprint("pages", __name__)

    @blueprint.get("/static/<name>")
    def show_asset(name: str) -> Response:
        asset = pages.assets.get(name)
        if asset is None:
            return pages.problem("not_found")
        headers = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
        return Response(asset.content, content_type=asset.content_type, headers=headers)

    return blueprint


def _read_assets() -> dict[str, Asset]:
    assets = {}
    for file in sorted((FOLDER / "static").iterdir()):
        if file.suffix in STATIC_TYPES:
            content = file.read_bytes()
            digest = hashlib.sha256(content).hexdigest()[:12]
            assets[f"{file.stem}.{digest}{file.suffix}"] = Asset(file.name, STATIC_TYPES[file.suffix], content)
    return assets


def _environment(locale: str, urls: Mapping[str, str]) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.install_gettext_translations(i18n.translations(locale), newstyle=True)  # type: ignore[attr-defined]
    environment.globals.update(
        asset=urls.__getitem__,
        SECTIONS=SECTIONS,
        LEVELS=LEVELS,
        section_names=SECTION_NAMES,
        level_names=LEVEL_NAMES,
    )
    environment.filters["moment"] = lambda seconds: i18n.format_time(datetime.fromtimestamp(seconds, UTC), locale)
    return environment
