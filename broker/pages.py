"""Every page of the broker that a person sees: views in, complete responses out, security headers included.

There is a Jinja environment per language, each with its catalogue, so that nothing depends on a language that
is set aside for the request, and a page can hold several.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from broker import i18n, marks
from broker.catalogue import GROUPS, Catalogue, Row
from broker.page_texts import ACTIONS, NOTICES, PROBLEMS, transferred
from broker.settings import Settings

FOLDER = Path(__file__).parent
SECURITY_HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; base-uri 'none'; "
        "frame-ancestors 'none'; form-action 'self'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""On every page."""
STATIC_TYPES = {".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
REFERENCE_LENGTH = 8


@dataclass(frozen=True, slots=True)
class Action:
    """A way out of a problem. label: a key of page_texts.ACTIONS."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class ChooserView:
    """The chooser. notice: `cancelled`, `hint_unusable` or None. scopes: what the client asked for.

    path: of this page, for its language links.
    """

    transaction_id: str
    locale: str
    client_name: str
    rows: tuple[Row, ...]
    notice: str | None
    scopes: tuple[str, ...]
    return_url: str
    path: str = ""


@dataclass(frozen=True, slots=True)
class ProblemView:
    """Why an identification ended. code: of providers.errors. method: name of the row. when: with a time zone.

    reference: the `txn`, of which its first 8 characters are shown. actions: the first is the primary one.
    return_url: the way back to the client, None if it is lost. rows: others to choose, each started in the
    transaction transaction_id, None if it is gone. path: of this page, for its language links.
    """

    code: str
    locale: str
    method: str | None
    reference: str
    when: datetime
    actions: tuple[Action, ...] = ()
    return_url: str | None = None
    rows: tuple[Row, ...] = ()
    transaction_id: str | None = None
    path: str = ""


class Pages:
    """Renders the pages. Raises OSError if a template folder, catalogue or static file is missing."""

    def __init__(self, settings: Settings, catalogue: Catalogue) -> None:
        self._brand = settings.brand
        self._secure = settings.secure
        self._catalogue = catalogue
        self.assets = _read_assets()
        urls = {asset.source: f"/static/{name}" for name, asset in self.assets.items()}
        self._environments: dict[str, Environment] = {code: _environment(code, urls) for code in i18n.LOCALES}

    def chooser(self, view: ChooserView) -> Response:
        """The rows to choose from, 200."""
        return self._page(
            "chooser.html",
            view.locale,
            path=view.path,
            view=view,
            groups=_by_group(view.rows),
            row_urls=_row_urls(view.transaction_id, view.rows),
            notice=NOTICES[view.notice] if view.notice else None,
            disturbances=self._catalogue.notices(view.locale),
            statements=self._catalogue.statements(view.locale),
            transferred=transferred(view.scopes),
        )

    def problem(self, view: ProblemView) -> Response:
        """Why it ended and every way on, with the status of the problem."""
        text = PROBLEMS[view.code]
        rows = view.rows if view.transaction_id else ()
        response = self._page(
            "problem.html",
            view.locale,
            status=text.status,
            path=view.path,
            view=view,
            text=text,
            reference=view.reference[:REFERENCE_LENGTH],
            when=i18n.format_time(view.when, view.locale),
            labels=ACTIONS,
            groups=_by_group(rows),
            row_urls=_row_urls(view.transaction_id or "", rows),
        )
        if text.retry_after is not None:
            response.headers["Retry-After"] = str(text.retry_after)
        return response

    def bad_request(self) -> Response:
        """A request that makes no sense, 400: in all languages, and nothing of the request in it."""
        first = self._brand.default_locale
        order = (first, *(locale for locale in i18n.LOCALES if locale != first))
        blocks = [
            Markup(self._render("bad_request_block.html", locale, leads=locale == first))  # noqa: S704 - rendered
            for locale in order
        ]
        return self._page("bad_request.html", first, status=400, languages=False, blocks=blocks, order=order)

    def not_found(self, locale: str | None = None) -> Response:
        """No such page, 404."""
        return self._page("not_found.html", locale, status=404)

    def fault(self, locale: str | None = None, *, status: int = 500) -> Response:
        """The last page, when something broke that no other page tells of. status: 500, or 503 without a store."""
        return self._page("fault.html", locale, status=status, languages=False)

    def home(self, locale: str | None = None, *, status: int = 410) -> Response:
        """The services' home links, when even the way back is gone. status: 200 where nothing was lost, at `/`."""
        return self._page("home.html", locale, status=status)

    def wait(self, path: str, locale: str | None = None) -> Response:
        """Another request finishes this attempt, 200; path: of this page, to load it again."""
        return self._page("wait.html", locale, path=path, reload_url=path)

    def _page(
        self,
        template: str,
        locale: str | None,
        *,
        status: int = 200,
        path: str = "",
        languages: bool = True,
        **values: Any,
    ) -> Response:
        chosen = locale or i18n.locale_of(request, default=self._brand.default_locale)
        links = [(code, name, f"{quote(path)}?{i18n.PARAMETER}={code}") for code, name in i18n.LANGUAGE_NAMES.items()]
        html = self._render(template, chosen, languages=links if languages else [], **values)
        response = Response(html, status, content_type="text/html; charset=utf-8", headers=dict(SECURITY_HEADERS))
        response.headers["Content-Language"] = ", ".join(values.get("order", (chosen,)))
        if i18n.first_supported(request.args.get(i18n.PARAMETER)) == chosen:
            i18n.remember(response, chosen, secure=self._secure)
        return response

    def _render(self, template: str, locale: str, **values: Any) -> str:
        brand = self._brand
        return (
            self._environments[locale]
            .get_template(template)
            .render(
                locale=locale,
                brand=brand.name.get(locale),
                phone=brand.customer_service.phone,
                email=brand.customer_service.email,
                home_links=[(link.name.get(locale), link.uri) for link in brand.home_links],
                **values,
            )
        )


@dataclass(frozen=True, slots=True)
class Asset:
    """A static file. source: its name in the folder."""

    source: str
    content_type: str
    content: bytes


def create_blueprint(pages: Pages) -> Blueprint:
    """`/static/<name>.<digest>.<suffix>`: a name changes with its content, so it may be kept for ever."""
    blueprint = Blueprint("pages", __name__)

    @blueprint.get("/static/<name>")
    def show_asset(name: str) -> Response:
        asset = pages.assets.get(name)
        if asset is None:
            return pages.not_found()
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
        glyph={name: Markup(path) for name, path in marks.GLYPHS.items()},  # noqa: S704 - constants of our own
        fills=len(marks.FILLS),
    )
    return environment


def _by_group(rows: tuple[Row, ...]) -> list[tuple[str, list[Row]]]:
    """The groups that have rows; marks are coloured by place on this page, so that neighbours differ."""
    placed = [replace(row, fill=place) for place, row in enumerate(rows)]
    groups = [(group, [row for row in placed if row.group == group]) for group in GROUPS]
    return [(group, listed) for group, listed in groups if listed]


def _row_urls(transaction_id: str, rows: tuple[Row, ...]) -> dict[str, str]:
    return {row.id: f"/identify/{quote(transaction_id, safe='')}/{row.id}" for row in rows if row.usable}
