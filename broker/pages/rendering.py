"""Every page of the broker that a person sees: views in, complete responses out, security headers included."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from flask import Response, request
from markupsafe import Markup

from broker.chooser import marks
from broker.chooser.catalogue import Catalogue, Listing, Row
from broker.chooser.entries import GROUPS
from broker.pages.texts import (
    ACTIONS,
    CUSTOMER_SERVICE,
    ERROR_CODE,
    NOTICES,
    PROBLEMS,
    TOO_MANY,
    TOO_MANY_IN_ALL,
    transferred,
)
from broker.pages.views import Action, ChooserView, ProblemView, TooManyView
from broker.settings import Settings
from kit.pages.assets import Asset
from kit.pages.languages import format_time
from kit.pages.rendering import Renderer, content_security_policy
from kit.pages.texts import TextsOfPages

__all__ = ["Action", "ChooserView", "Pages", "ProblemView", "TooManyView"]

FOLDER = Path(__file__).parent
_GLYPHS = {name: Markup(path) for name, path in marks.GLYPHS.items()}  # noqa: S704 - constants of our own
REFERENCE_LENGTH = 8
LOOK_AGAIN = 2
"""Seconds between two looks of the waiting page; by a header, so that it works without script."""
_ANY = secrets.token_urlsafe(24)
"""Stands for a transaction's id while a chooser is drawn; nothing else on the page can be it."""
_MOST_DRAWN = 500


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A chooser as it was drawn, cut where the transaction's id stands; and what it was drawn of."""

    listing: Listing
    rows: tuple[Row, ...]
    parts: tuple[bytes, ...]


class Pages:
    """Renders the pages.

    Raises OSError if a file of ours is missing, ConfigurationError if one of the operator's cannot be used.
    """

    def __init__(self, settings: Settings, catalogue: Catalogue) -> None:
        self._brand = settings.brand
        self._languages = settings.languages
        self._catalogue = catalogue
        self._renderer = Renderer(
            FOLDER,
            settings.brand,
            settings.texts,
            secure=settings.secure,
            extra_globals={"glyph": _GLYPHS, "fills": len(marks.FILLS)},
            extra_values=self._values_of,
        )
        self._look = self._renderer.look
        self._render = self._renderer.render
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
        return self._renderer.respond(self._chooser_html(view), view.locale)

    def _chooser_html(self, view: ChooserView) -> bytes:
        """The chooser, drawn once for all transactions that differ in nothing but their id."""
        listing = self._catalogue.listing(view.locale)
        path, return_url = (url.replace(view.transaction_id, _ANY) for url in (view.path, view.return_url))
        key = (view.locale, view.client_name, view.notice, view.scopes, view.step, path, return_url)
        drawn = self._drawn.get(key)
        if drawn is None or drawn.listing is not listing or drawn.rows is not view.rows:
            html = self._render(
                "chooser.html",
                view.locale,
                languages=self._languages.links(path),
                client_name=view.client_name,
                return_url=return_url,
                step=view.step.split("/") if view.step else None,
                groups=_by_group(view.rows),
                row_urls=_row_urls(_ANY, view.rows),
                notice=NOTICES[view.notice] if view.notice else None,
                disturbances=listing.notices,
                statements=listing.statements,
                transferred=transferred(view.scopes),
            )
            drawn = _Drawn(listing, view.rows, tuple(html.encode().split(_ANY.encode())))
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
            when=format_time(view.when, view.locale),
            ways=[(ACTIONS[action.label], action.url) for action in view.actions],
            groups=_by_group(rows),
            row_urls=_row_urls(view.transaction_id or "", rows),
        )
        if text.retry_after is not None:
            response.headers["Retry-After"] = str(text.retry_after)
        return response

    def bad_request(self, reference: str | None = None) -> Response:
        """A request that makes no sense, 400: in all languages, and nothing of the request in it.

        reference: by which the log has it; None shows no code.
        """
        first = self._brand.default_locale
        order = (first, *(locale for locale in self._languages.codes if locale != first))
        words, codes = (
            [(locale, self.texts.translations[locale].ugettext(text)) for locale in order]
            for text in (CUSTOMER_SERVICE, ERROR_CODE)
        )
        blocks = [
            Markup(self._render("bad_request_block.html", locale, leads=locale == first))  # noqa: S704 - rendered
            for locale in order
        ]
        return self._page(
            "bad_request.html",
            first,
            status=400,
            languages=False,
            blocks=blocks,
            order=order,
            customer_service=words,
            error_code=codes,
            reference=(reference or "")[:REFERENCE_LENGTH],
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

    def fault(self, locale: str | None = None, *, status: int = 500, again: bool = False) -> Response:
        """The last page, when something broke that no other page tells of. status: 500, or 503 without a store.

        again: whether the same address may be asked for again; it stands in the browser, and so not on the page.
        """
        ways = [(ACTIONS["again"], "")] if again else []
        return self._page("fault.html", locale, status=status, languages=False, ways=ways)

    def home(self, locale: str | None = None, *, status: int = 410, service: tuple[str, str] | None = None) -> Response:
        """The services' home links, when even the way back is gone. status: 200 where nothing was lost, at `/`.

        service: name and home page of the one that the person came from, if that is known; it comes first.
        """
        first = [service] if service else []
        return self._page("home.html", locale, status=status, lost=status != 200 and not service, first=first)

    def wait(self, path: str, locale: str | None = None, *, busy: int | None = None) -> Response:
        """Another request finishes this attempt, 200; it looks again by itself. path: of this page.

        busy: seconds until it may look again, where too many look from one address, 429.
        """
        response = self._page("wait.html", locale, status=429 if busy else 200, path=path, reload_url=path)
        if busy:
            response.headers["Retry-After"] = str(busy)
        response.headers["Refresh"] = str(busy or LOOK_AGAIN)
        return response

    def form_post(self, action: str, fields: list[tuple[str, str]], locale: str | None) -> Response:
        """An authorization response that the browser posts (OAuth 2.0 Form Post Response Mode §2), 200.

        A script presses the button. No language links: a reload is no way to another language here.
        """
        script = self._look.urls["form-post.js"]
        failed = any(name == "error" for name, _ in fields)
        response = self._page(
            "form_post.html", locale, languages=False, action=action, fields=fields, failed=failed, script=script
        )
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(action))
        response.headers["Content-Security-Policy"] = content_security_policy(origin)
        return response

    def too_many(self, view: TooManyView) -> Response:
        """Too many identifications were begun, 429. No language links: the address holds the client's parameters."""
        title, reason = TOO_MANY_IN_ALL if view.limit.endswith("_in_all") else TOO_MANY
        minutes = -(-view.seconds // 60)
        response = self._page(
            "too_many.html",
            view.locale,
            status=429,
            languages=False,
            title=title,
            reason=reason,
            minutes=minutes,
            ways=[(ACTIONS["return"], view.home)],
        )
        response.headers["Retry-After"] = str(view.seconds)
        return response

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
        return self._renderer.respond(html, chosen, status, languages=values.get("order", ()))

    def _values_of(self, locale: str) -> dict[str, Any]:
        return {"home_links": [(link.name.get(locale), link.uri) for link in self._brand.home_links]}


def _by_group(rows: tuple[Row, ...]) -> list[tuple[str, list[Row]]]:
    """The groups that have rows."""
    groups = [(group, [row for row in rows if row.group == group]) for group in GROUPS]
    return [(group, listed) for group, listed in groups if listed]


def _row_urls(transaction_id: str, rows: tuple[Row, ...]) -> dict[str, str]:
    return {row.id: f"/identify/{quote(transaction_id, safe='')}/{row.id}" for row in rows if row.usable}
