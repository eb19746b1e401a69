"""Every page of the broker that a person sees: views in, complete responses out, security headers included.

There is a Jinja environment per language, each with its catalogue, so that nothing depends on a language that
is set aside for the request, and a page can hold several.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from flask import Response, request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from broker import i18n, marks
from broker.assets import Asset
from broker.catalogue import GROUPS, Catalogue, Row, Standing
from broker.look import Look, read_look
from broker.page_texts import ACTIONS, CUSTOMER_SERVICE, NOTICES, PROBLEMS, transferred
from broker.settings import Settings
from broker.texts import TextsOfPages

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
REFERENCE_LENGTH = 8
_ANY = secrets.token_urlsafe(24)
"""Stands for a transaction's id while a chooser is drawn; nothing else on the page can be it."""
_MOST_DRAWN = 500


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


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A chooser as it was drawn, cut where the transaction's id stands; and what it was drawn of."""

    standing: Standing
    rows: tuple[Row, ...]
    parts: tuple[bytes, ...]


class Pages:
    """Renders the pages.

    Raises OSError if a file of ours is missing, ConfigurationError if one of the operator's cannot be used.
    """

    def __init__(self, settings: Settings, catalogue: Catalogue) -> None:
        self._brand = settings.brand
        self._languages = settings.languages
        self._secure = settings.secure
        self._catalogue = catalogue
        self._look = read_look(FOLDER / "static", settings.brand, settings.texts)
        self._environments = {code: _environment(code, self._look) for code in settings.languages.codes}
        self._base = {code: self._base_of(code) for code in settings.languages.codes}
        self._drawn: dict[tuple[object, ...], _Drawn] = {}

    @property
    def assets(self) -> Mapping[str, Asset]:
        """The static files by their name in the address."""
        return self._look.assets

    @property
    def texts(self) -> TextsOfPages:
        """The texts of every language."""
        return self._look.texts

    def chooser(self, view: ChooserView) -> Response:
        """The rows to choose from, 200."""
        return self._answer(self._chooser_html(view), view.locale)

    def _chooser_html(self, view: ChooserView) -> bytes:
        """The chooser, drawn once for all transactions that differ in nothing but their id."""
        standing = self._catalogue.standing(view.locale)
        path, return_url = (url.replace(view.transaction_id, _ANY) for url in (view.path, view.return_url))
        key = (view.locale, view.client_name, view.notice, view.scopes, path, return_url)
        drawn = self._drawn.get(key)
        if drawn is None or drawn.standing is not standing or drawn.rows is not view.rows:
            html = self._render(
                "chooser.html",
                view.locale,
                languages=self._languages.links(path),
                client_name=view.client_name,
                return_url=return_url,
                groups=_by_group(view.rows),
                row_urls=_row_urls(_ANY, view.rows),
                notice=NOTICES[view.notice] if view.notice else None,
                disturbances=standing.notices,
                statements=standing.statements,
                transferred=transferred(view.scopes),
            )
            drawn = _Drawn(standing, view.rows, tuple(html.encode().split(_ANY.encode())))
            if len(self._drawn) >= _MOST_DRAWN:
                self._drawn.clear()
            self._drawn[key] = drawn
        return quote(view.transaction_id, safe="").encode().join(drawn.parts)

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
            ways=[(ACTIONS[action.label], action.url) for action in view.actions],
            groups=_by_group(rows),
            row_urls=_row_urls(view.transaction_id or "", rows),
        )
        if text.retry_after is not None:
            response.headers["Retry-After"] = str(text.retry_after)
        return response

    def bad_request(self) -> Response:
        """A request that makes no sense, 400: in all languages, and nothing of the request in it."""
        first = self._brand.default_locale
        order = (first, *(locale for locale in self._languages.codes if locale != first))
        words = [(locale, self.texts.translations[locale].ugettext(CUSTOMER_SERVICE)) for locale in order]
        blocks = [
            Markup(self._render("bad_request_block.html", locale, leads=locale == first))  # noqa: S704 - rendered
            for locale in order
        ]
        return self._page(
            "bad_request.html", first, status=400, languages=False, blocks=blocks, order=order, customer_service=words
        )

    def accessibility(self) -> Response | None:
        """The accessibility statement, 200; None if there is none."""
        statement = self._look.statement(self._languages.of(request))
        if statement is None:
            return None
        return self._page("accessibility.html", None, path=request.path, html=statement.html, lang=statement.lang)

    def not_found(self, locale: str | None = None) -> Response:
        """No such page, 404."""
        return self._page("not_found.html", locale, status=404)

    def fault(self, locale: str | None = None, *, status: int = 500) -> Response:
        """The last page, when something broke that no other page tells of. status: 500, or 503 without a store."""
        return self._page("fault.html", locale, status=status, languages=False)

    def home(self, locale: str | None = None, *, status: int = 410) -> Response:
        """The services' home links, when even the way back is gone. status: 200 where nothing was lost, at `/`."""
        return self._page("home.html", locale, status=status, lost=status != 200)

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
        chosen = locale or self._languages.of(request)
        links = self._languages.links(path)
        html = self._render(template, chosen, languages=links if languages else [], **values)
        return self._answer(html, chosen, status, values.get("order", (chosen,)))

    def _answer(self, html: str | bytes, chosen: str, status: int = 200, languages: Sequence[str] = ()) -> Response:
        response = Response(html, status, content_type="text/html; charset=utf-8", headers=dict(SECURITY_HEADERS))
        response.headers["Content-Language"] = ", ".join(languages or (chosen,))
        if self._languages.first(request.args.get(i18n.PARAMETER)) == chosen:
            i18n.remember(response, chosen, secure=self._secure)
        return response

    def _render(self, template: str, locale: str, **values: Any) -> str:
        return self._environments[locale].get_template(template).render(self._base[locale] | values)

    def _base_of(self, locale: str) -> dict[str, Any]:
        links = [(link.name.get(locale), link.uri) for link in self._brand.home_links]
        return self._look.for_base(locale) | {"form_id": None, "home_links": links}


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
        glyph={name: Markup(path) for name, path in marks.GLYPHS.items()},  # noqa: S704 - constants of our own
        fills=len(marks.FILLS),
    )
    return environment


def _by_group(rows: tuple[Row, ...]) -> list[tuple[str, list[Row]]]:
    """The groups that have rows."""
    groups = [(group, [row for row in rows if row.group == group]) for group in GROUPS]
    return [(group, listed) for group, listed in groups if listed]


def _row_urls(transaction_id: str, rows: tuple[Row, ...]) -> dict[str, str]:
    return {row.id: f"/identify/{quote(transaction_id, safe='')}/{row.id}" for row in rows if row.usable}
