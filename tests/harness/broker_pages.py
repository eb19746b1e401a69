"""A small company with every kind of row, and pages drawn for it without a store, a bank or keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask import Flask, Response
from joserfc.jwk import ECKey

from broker.chooser import api
from broker.chooser.catalogue import Catalogue
from broker.chooser.live_notices import LiveNotices
from broker.chooser.notices import Notices
from broker.flow.records import Problem
from broker.flow.ways_back import ways_on
from broker.pages.rendering import ChooserView, Pages, ProblemView, TooManyView
from broker.pages.texts import OTHER_METHODS_AS_ROWS, PROBLEMS
from broker.settings import Settings
from kit.pages import assets
from providers.registry import PROVIDERS

ISSUER = "https://id.example.fi"
KEY = ECKey.generate_key("P-256").as_dict(private=False) | {"kid": "portal", "use": "sig"}


def connection(name: str, dialect: str = "telia", **more: Any) -> dict[str, Any]:
    base = f"https://{name}.example.fi"
    return {
        "dialect": dialect,
        "issuer": base,
        "authorization_endpoint": f"{base}/authorize",
        "token_endpoint": f"{base}/token",
        "client_id": "tunnus",
        "unsigned_jwks_uri": f"{base}/jwks",
    } | more


def texts(text: str) -> dict[str, str]:
    return {language: f"{text} {language}" for language in ("fi", "sv", "en")}


SETTINGS: dict[str, Any] = {
    "environment": "test",
    "issuer": ISSUER,
    "store": {"url": "redis://127.0.0.1"},
    "keys": {"dir": "keys"},
    "audit": {"dir": "audit"},
    "brand": {
        "name": {"fi": "Esimerkkienergia", "sv": "Exempelenergi", "en": "Example Energy"},
        "customer_service": {"phone": "+358 9 000 0000", "email": "asiakaspalvelu@example.fi"},
        "home_links": [
            {
                "name": {"fi": "Online-palvelu", "sv": "Onlinetjänsten", "en": "Online service"},
                "uri": "https://online.example.fi/",
            }
        ],
    },
    "relying_party": {
        "entity_id": ISSUER,
        "organization_name": "Esimerkkienergia Oy",
        "service_name": texts("Esimerkkienergia"),
    },
    "assurance": {"accepted": ["http://ftn.ficora.fi/2017/loatest2"]},
    "connections": {"telia": connection("telia"), "isb": connection("isb", "isb")},
    "providers": {
        name: {"connection": "isb" if name in {"op", "nordea"} else "telia", "selector": f"mock-{name}"}
        for name in PROVIDERS
    },
    "clients": {
        "portal": {
            "name": texts("Portal"),
            "redirect_uris": ["https://portal.example.fi/back"],
            "auth_method": "private_key_jwt",
            "jwks": {"keys": [KEY]},
            "sector": "portal",
            "home_uri": "https://portal.example.fi/",
            "scopes": ["openid", "profile"],
        }
    },
}


@dataclass
class StandInAdapter:
    """Of an adapter, the catalogue asks two things."""

    usable: bool = True
    failing: bool = False

    def usable_for(self, provider: str | None) -> bool:
        """As it was set, whichever provider."""
        return self.usable

    def failed_lately(self, provider: str | None) -> bool:
        """As it was set, whichever provider."""
        return self.failing


@dataclass
class Harness:
    """Pages, catalogue and an application around them."""

    settings: Settings
    adapters: dict[str, StandInAdapter]
    catalogue: Catalogue
    pages: Pages
    app: Flask


def build_harness(notices: Path | None = None, live: LiveNotices | None = None, **changes: Any) -> Harness:
    """A harness whose settings differ from SETTINGS in whole top-level tables."""
    settings = Settings.model_validate(deepcopy(SETTINGS) | changes)
    adapters = {name: StandInAdapter() for name in settings.connections}
    catalogue = Catalogue(settings, adapters, Notices(notices, settings.connections), live)  # type: ignore[arg-type]
    pages = Pages(settings, catalogue)
    app = Flask("pages", static_folder=None)
    app.register_blueprint(assets.create_blueprint(pages.assets, pages.not_found))
    app.register_blueprint(api.create_blueprint(catalogue, settings.issuer, settings.languages))
    return Harness(settings, adapters, catalogue, pages, app)


def providers_with(**changes: Mapping[str, Any]) -> dict[str, Any]:
    """The providers' table, with some changed; an underscore in a name stands for a hyphen."""
    providers = deepcopy(SETTINGS["providers"])
    for name, change in changes.items():
        providers[name.replace("_", "-")] |= change
    return providers


TRANSACTION = "abcdef01TRANSACTION"
CLIENT_NAMES = {"fi": "Online-palvelu", "sv": "Onlinetjänsten", "en": "Online service"}
WHEN = datetime(2026, 11, 24, 10, 4, 59, tzinfo=UTC)
REFERENCE = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def chooser(harness: Harness, locale: str = "fi", **changes: Any) -> Response:
    """The chooser of a plain client."""
    values: dict[str, Any] = {
        "transaction_id": TRANSACTION,
        "locale": locale,
        "client_name": CLIENT_NAMES.get(locale, CLIENT_NAMES["en"]),
        "rows": harness.catalogue.rows(locale),
        "notice": None,
        "scopes": ("openid", "profile"),
        "return_url": f"/return/{TRANSACTION}",
        "path": f"/choose/{TRANSACTION}",
    }
    return harness.pages.chooser(ChooserView(**(values | changes)))


def problem(harness: Harness, code: str, locale: str = "fi", row: str | None = "nordea", **changes: Any) -> Response:
    """The page of a problem with a row, in a transaction that can go on."""
    rows = harness.catalogue.rows(locale)
    values: dict[str, Any] = {
        "code": code,
        "locale": locale,
        "method": next((found.name for found in rows if found.id == row), None),
        "reference": REFERENCE,
        "when": WHEN,
        "actions": ways_on(Problem(code, row, 0), TRANSACTION, "https://online.example.fi/"),
        "return_url": f"/return/{TRANSACTION}",
        "rows": tuple(other for other in rows if other.usable and other.id != row)
        if code in OTHER_METHODS_AS_ROWS
        else (),
        "transaction_id": TRANSACTION,
        "path": f"/problem/{TRANSACTION}",
    }
    return harness.pages.problem(ProblemView(**(values | changes)))


def too_many(harness: Harness, locale: str, limit: str = "open_per_address", seconds: int = 500) -> Response:
    """Where a limit is reached."""
    return harness.pages.too_many(TooManyView(limit, seconds, locale, "https://online.example.fi/"))


Draw = Callable[[Harness, str], Response]

PAGES: dict[str, tuple[Draw, int]] = {
    "chooser": (lambda harness, locale: chooser(harness, locale), 200),
    "chooser, cancelled": (lambda harness, locale: chooser(harness, locale, notice="cancelled"), 200),
    "chooser, hint unusable": (lambda harness, locale: chooser(harness, locale, notice="hint_unusable"), 200),
    "not found": (lambda harness, locale: harness.pages.not_found(locale), 404),
    "fault": (lambda harness, locale: harness.pages.fault(locale), 500),
    "home": (lambda harness, locale: harness.pages.home(locale), 410),
    "too many from an address": (lambda harness, locale: too_many(harness, locale), 429),
    "too many in all": (lambda harness, locale: too_many(harness, locale, "starts_in_all", 30), 429),
    "wait": (lambda harness, locale: harness.pages.wait("/wait/abcdef", locale), 200),
} | {
    f"problem, {code}": ((lambda harness, locale, code=code: problem(harness, code, locale)), text.status)
    for code, text in PROBLEMS.items()
}
"""Each page by name, with its status. The page of a bad request has no language of its own."""
