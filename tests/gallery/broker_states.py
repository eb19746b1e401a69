"""The broker's pages: the chooser as it may stand, every problem, and the pages without a transaction."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Response

from tests.gallery.brand import NAMES, whole_brand
from tests.gallery.state import State, states
from tests.harness.broker_pages import (
    PAGES,
    SETTINGS,
    Harness,
    build_harness,
    chooser,
    problem,
    providers_with,
)

SERVICE = "broker"
LONG_CLIENT = "Pohjois-Hämeen Sähköurakointi ja Kiinteistöhuolto Virtanen & Pojat Oy:n asiakaspalvelu"
LONG_NAMES = {
    "fi": "Lounais-Suomen Kaukolämpö- ja Sähköntuotantoyhtiö",
    "sv": "Sydvästra Finlands Fjärrvärme- och Elproduktionsbolag",
    "en": "Southwest Finland District Heating and Power Production",
}
NOTICES = """
[telia]
provider_info = { fi = "Tunnistuksen välittää Esimerkkivälittäjä.", sv = "Identifieringen förmedlas av Exempelförmedlaren.", en = "The identification is brokered by Example Broker." }
[isb]
provider_info = { fi = "Tunnistuksen välittää Toinen välittäjä.", sv = "Identifieringen förmedlas av Andra förmedlaren.", en = "The identification is brokered by Second Broker." }
consent = { fi = "Henkilötunnus ja nimi välitetään palveluun.\\r\\nVälittäjä säilyttää tapahtuman tiedot.", sv = "Personbeteckning och namn förmedlas till tjänsten.\\r\\nFörmedlaren sparar uppgifter om händelsen.", en = "Personal identity code and name are passed on to the service.\\r\\nThe broker keeps a record of the event." }
privacy_text = { fi = "Tietosuojaseloste", sv = "Dataskyddsbeskrivning", en = "Privacy notice" }
privacy_link = { fi = "https://broker.example/fi/privacy", sv = "https://broker.example/sv/privacy", en = "https://broker.example/en/privacy" }
"""  # noqa: E501 - a line is a table in TOML
DISTURBANCES = (
    NOTICES
    + """
[telia.disturbance]
header = { fi = "Huoltokatko 25.11.2026 klo 2–4", sv = "Serviceavbrott 25.11.2026 kl. 2–4", en = "Maintenance on 25 November 2026, 02:00–04:00" }
text = { fi = "Näillä tavoilla ei voi tunnistautua huollon aikana.", sv = "De här sätten kan inte användas under servicen.", en = "These methods cannot be used during the maintenance." }
[isb.disturbance]
header = { fi = "Häiriö" }
text = { fi = "Pankin tunnistuspalvelussa on häiriö.\\nSelvitämme asiaa." }
"""  # noqa: E501
)
LOGO = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 208 80"><rect width="208" height="80" fill="#234"/>'
    '<circle cx="40" cy="40" r="24" fill="#fc3"/><rect x="80" y="28" width="108" height="24" fill="#fff"/></svg>'
)


def broker_states(folder: Path, issuer: str) -> tuple[list[State], dict[str, Harness]]:
    """The states; and by name the houses whose static files and pictures they refer to: `plain`, `disturbed` and more.

    folder: for files of settings.
    """
    harnesses: dict[str, Harness] = {}

    def built(name: str, notices: str = "", **changes: Any) -> Harness:
        file = None
        if notices:
            file = folder / f"{name}.toml"
            file.write_text(notices, encoding="utf-8")
        usual = {"issuer": issuer, "brand": SETTINGS["brand"] | {"name": NAMES}}
        harnesses[name] = build_harness(file, **(usual | changes))
        return harnesses[name]

    plain = built("plain")
    draws: dict[str, Callable[[str], Response]] = {
        _name(name): _drawn(plain, draw) for name, (draw, _) in PAGES.items()
    }
    branded = built("branded", NOTICES, brand=SETTINGS["brand"] | {"name": NAMES} | whole_brand(folder))
    draws |= _choosers(built, folder) | _problems(plain) | _branded(branded)
    draws["home, nothing lost"] = _drawn(plain, lambda harness, locale: harness.pages.home(locale, status=200))
    no_store = {"status": 503, "again": True}
    draws["fault, no store"] = _drawn(plain, lambda harness, locale: harness.pages.fault(locale, **no_store))
    trilingual = {"bad request": _drawn(plain, lambda harness, _: harness.pages.bad_request("K7QF2M4A"))}
    return states(SERVICE, draws, printed=("problem",)) + states(SERVICE, trilingual, locales=("fi",)), harnesses


def _name(name: str) -> str:
    """Every problem is a page of its own to the person."""
    return name.replace("problem, ", "problem ")


def _choosers(built: Callable[..., Harness], folder: Path) -> dict[str, Callable[[str], Response]]:
    required, disturbed = built("required", NOTICES), built("disturbed", DISTURBANCES)
    closed = built(
        "closed",
        providers=providers_with(pop={"status": "closed", "successor": "s-banken"}, alandsbanken={"status": "closed"}),
    )
    unusable = built("unusable")
    unusable.adapters["telia"].usable = False
    long = built("long", brand=SETTINGS["brand"] | {"name": LONG_NAMES})
    logos = folder / "logos"
    logos.mkdir()
    for row in ("nordea", "op", "mobile-certificate"):
        (logos / f"{row}.svg").write_text(LOGO, encoding="utf-8")
    with_logos = built("logos", brand=SETTINGS["brand"] | {"name": NAMES, "logo_dir": str(logos)})
    return {
        "chooser, required texts": _drawn(required, chooser),
        "chooser, disturbances": _drawn(disturbed, chooser),
        "chooser, cancelled during disturbances": _drawn(disturbed, chooser, notice="cancelled"),
        "chooser, closed rows": _drawn(closed, chooser),
        "chooser, unusable rows": _drawn(unusable, chooser),
        "chooser, long names": _drawn(long, chooser, client_name=LONG_CLIENT),
        "chooser, real logos": _drawn(with_logos, chooser),
        "chooser, identity code": _drawn(required, chooser, scopes=("openid", "profile", "personal_identity_code")),
        "chooser, a step": _drawn(required, chooser, step="2/4"),
        "chooser, no names": _drawn(required, chooser, scopes=("openid",)),
    }


def _branded(harness: Harness) -> dict[str, Callable[[str], Response]]:
    return {
        "chooser, of a brand": _drawn(harness, chooser),
        "problem idp_failed, of a brand": _drawn(harness, problem, "idp_failed"),
        "accessibility": _drawn(harness, lambda harness, _: harness.pages.accessibility()),
    }


def _problems(harness: Harness) -> dict[str, Callable[[str], Response]]:
    gone = {"actions": (), "return_url": None, "transaction_id": None}
    return {
        "problem expired, nothing left": _drawn(harness, problem, "expired", row=None, **gone),
        "problem replay, nothing left": _drawn(harness, problem, "replay", row=None, **gone),
        "problem idp_failed, no way back": _drawn(harness, problem, "idp_failed", return_url=None),
        "problem unavailable, mobile": _drawn(harness, problem, "unavailable", row="mobile-certificate"),
    }


def _drawn(harness: Harness, draw: Callable[..., Any], *code: str, **changes: Any) -> Callable[[str], Response]:
    """A state's own draw function: within a request of the harness's application."""

    def page(locale: str) -> Response:
        with harness.app.test_request_context("/choose/abcdef", query_string={"ui_locales": locale}):
            drawn: Response = draw(harness, *code, locale, **changes)
            return drawn

    return page
