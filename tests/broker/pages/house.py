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

from broker import assets, catalogue_api
from broker.catalogue import Catalogue
from broker.flow.records import Problem
from broker.flow.ways_back import ways_on
from broker.notices import Notices
from broker.page_texts import PROBLEMS
from broker.pages import ChooserView, Pages, ProblemView
from broker.settings import Settings
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
    """Of an adapter, the catalogue asks one thing."""

    usable: bool = True


@dataclass
class House:
    """Pages, catalogue and an application around them."""

    settings: Settings
    adapters: dict[str, StandInAdapter]
    catalogue: Catalogue
    pages: Pages
    app: Flask


def build_house(notices: Path | None = None, **changes: Any) -> House:
    """A house whose settings differ from SETTINGS in whole top-level tables."""
    settings = Settings.model_validate(deepcopy(SETTINGS) | changes)
    adapters = {name: StandInAdapter() for name in settings.connections}
    catalogue = Catalogue(settings, adapters, Notices(notices, settings.connections))  # type: ignore[arg-type]
    pages = Pages(settings, catalogue)
    app = Flask("pages", static_folder=None)
    app.register_blueprint(assets.create_blueprint(pages.assets, pages.not_found))
    app.register_blueprint(catalogue_api.create_blueprint(catalogue, settings.issuer, settings.languages))
    return House(settings, adapters, catalogue, pages, app)


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


def chooser(house: House, locale: str = "fi", **changes: Any) -> Response:
    """The chooser of a plain client."""
    values: dict[str, Any] = {
        "transaction_id": TRANSACTION,
        "locale": locale,
        "client_name": CLIENT_NAMES.get(locale, CLIENT_NAMES["en"]),
        "rows": house.catalogue.rows(locale),
        "notice": None,
        "scopes": ("openid", "profile"),
        "return_url": f"/return/{TRANSACTION}",
        "path": f"/choose/{TRANSACTION}",
    }
    return house.pages.chooser(ChooserView(**(values | changes)))


def problem(house: House, code: str, locale: str = "fi", row: str | None = "nordea", **changes: Any) -> Response:
    """The page of a problem with a row, in a transaction that can go on."""
    rows = house.catalogue.rows(locale)
    values: dict[str, Any] = {
        "code": code,
        "locale": locale,
        "method": next((found.name for found in rows if found.id == row), None),
        "reference": REFERENCE,
        "when": WHEN,
        "actions": ways_on(Problem(code, row, 0), TRANSACTION, "https://online.example.fi/"),
        "return_url": f"/return/{TRANSACTION}",
        "rows": tuple(other for other in rows if other.usable and other.id != row) if code == "unavailable" else (),
        "transaction_id": TRANSACTION,
        "path": f"/problem/{TRANSACTION}",
    }
    return house.pages.problem(ProblemView(**(values | changes)))


Draw = Callable[[House, str], Response]

PAGES: dict[str, tuple[Draw, int]] = {
    "chooser": (lambda house, locale: chooser(house, locale), 200),
    "chooser, cancelled": (lambda house, locale: chooser(house, locale, notice="cancelled"), 200),
    "chooser, hint unusable": (lambda house, locale: chooser(house, locale, notice="hint_unusable"), 200),
    "not found": (lambda house, locale: house.pages.not_found(locale), 404),
    "fault": (lambda house, locale: house.pages.fault(locale), 500),
    "home": (lambda house, locale: house.pages.home(locale), 410),
    "wait": (lambda house, locale: house.pages.wait("/wait/abcdef", locale), 200),
} | {
    f"problem, {code}": ((lambda house, locale, code=code: problem(house, code, locale)), text.status)
    for code, text in PROBLEMS.items()
}
"""Each page by name, with its status. The page of a bad request has no language of its own."""
