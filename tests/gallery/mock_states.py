"""The mock banks' pages, in the whole application: the person on the way is put into its memory."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from werkzeug.wrappers import Response

from mock_idp.app import create_app
from mock_idp.bank import Bank
from mock_idp.config import Config
from mock_idp.pages.routes import PHONE_SECONDS
from mock_idp.people.faces import FACES, MOBILE
from mock_idp.people.personas import personas
from mock_idp.protocol.issuers import SHARED, Issuer
from mock_idp.state import AuthorizationRequest, Interaction
from tests.gallery.state import Draw, State, states

SERVICE = "mock"
NOW = 1_795_600_000
SERVICE_NAMES = {"fi": "Esimerkkienergia", "sv": "Exempelenergi", "en": "Example Energy"}
REQUEST = AuthorizationRequest(
    issuer=Issuer(SHARED, "telia"),
    face=FACES["nordea"],
    redirect_uri="https://id.example.fi/callback/telia",
    state="state",
    nonce="nonce",
    acr="http://ftn.ficora.fi/2017/loatest2",
    profile=True,
    code_challenge=None,
    ui_locale="fi",
    service_name="Esimerkkienergia",
)


def mock_states(folder: Path, url: str) -> tuple[list[State], Any]:
    """The states, and the application whose static files they refer to. folder: for keys."""
    app = create_app(Config(url, folder / "mock", clock=lambda: NOW))
    bank: Bank = app.extensions["mock_idp"]

    def person(*, fields: dict[str, str] | None = None, phone: bool = False, **request: Any) -> Draw:
        def draw(locale: str) -> Response:
            wanted = replace(REQUEST, ui_locale=locale, service_name=SERVICE_NAMES[locale], **request)
            interaction = Interaction(wanted, wanted.face, NOW + 900)
            if phone:
                interaction.persona = _patient()
                interaction.event_code, interaction.started = "KHBWR", NOW - 20
            handle = bank.memory.start_interaction(interaction)
            path = f"/{wanted.issuer.realm}/{wanted.issuer.dialect_name}/person/{handle}"
            client = app.test_client()
            return client.post(path, data=fields) if fields else client.get(path)

        return draw

    def page(path: str) -> Draw:
        return lambda locale: app.test_client().get(path, headers={"Accept-Language": locale})

    draws = {
        "person, shared": person(),
        "person, isb": person(issuer=Issuer(SHARED, "isb"), face=FACES["op"]),
        "person, ftn of its own": person(issuer=Issuer("nooa", "ftn"), face=FACES["nooa"]),
        "person, mobile": person(face=FACES[MOBILE]),
        "person, wrong birth date": person(fields={"do": "born", "birthdate": "2020-01-01"}),
        "faces": person(issuer=Issuer(SHARED, "ftn"), face=None),
        "waiting": person(face=FACES[MOBILE], phone=True),
        "gone": page("/shared/telia/person/nobody"),
        "not found": page("/nowhere"),
    }
    english = {
        "refused": page("/shared/telia/authorize"),
        "home": page("/"),
    }
    return states(SERVICE, draws) + states(SERVICE, english, locales=("en",)), app


def _patient() -> Any:
    """Somebody whose phone does nothing by itself."""
    assert PHONE_SECONDS > 20
    return next(persona for persona in personas(NOW).values() if persona.phone is None)
