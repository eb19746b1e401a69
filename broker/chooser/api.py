"""The list of providers for portals that draw their own buttons, and the pictures for them.

Open to any origin: nothing here depends on a cookie, and none is set.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request

from broker.chooser.catalogue import Catalogue, Row, Statement
from broker.chooser.notices import LocalText
from kit.pages.languages import PARAMETER, Languages
from kit.pages.pictures import PICTURE_POLICY

API_MAX_AGE = 30
"""Seconds a portal may keep the list: a breaker opens and closes within a minute."""


def create_blueprint(catalogue: Catalogue, issuer: str, languages: Languages) -> Blueprint:
    """`/api/providers`, `/logos/<file>` and `/marks/<id>.svg`; for other sites to read, without cookies."""
    blueprint = Blueprint("catalogue", __name__)

    @blueprint.get("/api/providers")
    def list_providers() -> Response:
        asked = languages.first(request.args.get(PARAMETER))
        locale = asked or request.accept_languages.best_match(languages.codes) or languages.default
        response = jsonify(_listing(catalogue, issuer, locale))
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Cache-Control"] = f"public, max-age={API_MAX_AGE}"
        response.headers["Content-Language"] = locale
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.vary.add("Accept-Language")
        return response

    @blueprint.get("/logos/<file>")
    def show_logo(file: str) -> Response:
        logo = next((logo for logo in catalogue.logos.values() if logo.file == file), None)
        return _picture(logo.content, logo.content_type) if logo else _no_picture()

    @blueprint.get("/marks/<row_id>.svg")
    def show_mark(row_id: str) -> Response:
        mark = catalogue.mark_of(row_id)
        return _picture(mark.encode(), "image/svg+xml") if mark else _no_picture()

    return blueprint


def _picture(content: bytes, content_type: str) -> Response:
    headers = {
        "Cache-Control": "public, max-age=86400",
        "Content-Security-Policy": PICTURE_POLICY,
        "Cross-Origin-Resource-Policy": "cross-origin",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(content, content_type=content_type, headers=headers)


def _no_picture() -> Response:
    return Response("no such picture\n", 404, content_type="text/plain", headers={"X-Content-Type-Options": "nosniff"})


def _listing(catalogue: Catalogue, issuer: str, locale: str) -> dict[str, Any]:
    return {
        "locale": locale,
        "providers": [_provider(row, issuer) for row in catalogue.rows(locale)],
        "texts": [_texts(statement) for statement in catalogue.statements(locale)],
    }


def _provider(row: Row, issuer: str) -> dict[str, Any]:
    notice = row.notice
    return {
        "id": row.id,
        "name": row.name,
        "group": row.group,
        "logo": issuer + (row.logo_url or f"/marks/{row.id}.svg"),
        "status": row.status,
        "usable": row.usable,
        "successor": row.successor,
        "disturbance": {"header": _text(notice.header), "text": _text(notice.text)} if notice else None,
    }


def _texts(statement: Statement) -> dict[str, Any]:
    link = statement.privacy_link
    return {
        "providers": list(statement.rows),
        "consent": _text(statement.consent),
        "provider_info": _text(statement.provider_info),
        "privacy_text": _text(statement.privacy_text),
        "privacy_link": link.text if link else None,
    }


def _text(text: LocalText | None) -> dict[str, str] | None:
    return {"text": text.text, "lang": text.lang} if text else None
