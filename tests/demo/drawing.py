"""The pages of the demo in each of their states, drawn without anything beside them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from email.message import EmailMessage
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from demo.mailbox import app as mailbox
from demo.online_service import app as online_service
from demo.online_service.api import Company, Person, Refused, Rights, Unavailable
from demo.online_service.sign_ins import Visitor
from demo.online_service.state import OnlineService, Places
from demo.portal import app as portal
from demo.portal.client_keys import ClientKeys

PORTAL, ONLINE, MAILBOX = "http://127.0.0.1:8003", "http://127.0.0.1:8004", "http://127.0.0.1:8025"
ISSUER, REGISTRATION = "http://127.0.0.1:8000", "http://127.0.0.1:8001"
TERMS = f"{REGISTRATION}/terms/accept"
LONG_NAME = "Ålands Östra Övningsgrändens Äppelträdgård samt Såpkokeri Ab"
NOON = 1_800_000_000
ALL = dict.fromkeys((*online_service.SECTIONS, "users"), "write")

COMPANIES = (
    Company("1234567-1", LONG_NAME, tuple(f"10020{number}" for number in range(9)), administrator=True, levels=ALL),
    Company("7654321-2", "Testisähkö Oy", ("100300",), administrator=False, levels={"consumption": "read"}),
    Company("0000001-9", "Ei mitään Oy", (), administrator=False, levels={}),
)


def _text(text: str, lang: str = "fi") -> dict[str, str]:
    return {"text": text, "lang": lang}


def _provider(id: str, name: str, **more: Any) -> dict[str, Any]:
    usual = {"id": id, "name": name, "group": "bank", "logo": f"{ISSUER}/marks/{id}.svg", "status": "open"}
    return usual | {"usable": True, "successor": None, "disturbance": None} | more


NOTICE = {"header": _text("Häiriö"), "text": _text("Tunnistautumisessa on häiriöitä perjantaina.")}
LISTING = {
    "locale": "fi",
    "providers": [
        _provider("mobile-certificate", "Mobiilivarmenne", group="mobile"),
        _provider("nooa", "Nooa Säästöpankki"),
        _provider("nordea", "Nordea", disturbance=NOTICE),
        _provider("op", "Osuuspankki", usable=False, disturbance={"header": None, "text": None}),
        _provider("pop", "POP Pankki", status="closed"),
    ],
    "texts": [
        {
            "providers": ["nordea", "op"],
            "consent": _text("Välitämme nimesi ja henkilötunnuksesi.\r\nVoit perua tämän."),
            "provider_info": _text("Vi förmedlar identifieringen.", "sv"),
            "privacy_text": _text("Dataskyddsbeskrivning", "sv"),
            "privacy_link": "https://broker.example/privacy",
        },
        {
            "providers": ["nooa"],
            "consent": None,
            "provider_info": _text("Pankki tunnistaa sinut."),
            "privacy_text": None,
            "privacy_link": "https://bank.example/privacy",
        },
    ],
}


class Api:
    """Stands in for registration's API.

    found: what a sign-in gives. companies: None if it cannot be reached. terms_url: of new terms to be accepted.
    """

    def __init__(self) -> None:
        self.found: Person | Refused = Refused()
        self.companies: tuple[Company, ...] | None = COMPANIES
        self.terms_url: str | None = None

    def sign_in(self, _user_name: str, _password: str, _address: str) -> Person | Refused:
        return self.found

    def rights(self, sub: str, _id_token: str | None, _known: Rights | None) -> Rights:
        if self.companies is None:
            raise Unavailable
        return Rights(sub, self.companies, self.terms_url)


class Online:
    """A browser at the online service. language: what it asks for at first."""

    def __init__(self, language: str = "fi") -> None:
        self.api = Api()
        self.language = language
        places = Places(ONLINE, ISSUER, REGISTRATION)
        self.service = OnlineService(places, self.api, ClientKeys.generate(), "k" * 40, lambda: NOON)  # type: ignore[arg-type]
        self.client = online_service.create_app(self.service).test_client()

    def get(self, path: str) -> TestResponse:
        return self.client.get(path, base_url=ONLINE, headers={"Accept-Language": self.language})

    def post(self, path: str, **fields: str) -> TestResponse:
        token = re.findall(r'name="csrf_token" value="([^"]+)"', self.get("/").text)[-1]
        headers = {"Accept-Language": self.language}
        return self.client.post(path, base_url=ONLINE, data=fields | {"csrf_token": token}, headers=headers)

    def enter(self, *companies: Company) -> Online:
        """Sign in, as a representative of these."""
        self.api.companies = companies
        name = self.service.visitors.add(Visitor("sub-aino", "Aino Olivia Öberg-Uusivälimerkki"))
        self.put(visitor=name)
        return self

    def put(self, **values: Any) -> Online:
        """Into the session."""
        with self.client.session_transaction(base_url=ONLINE) as kept:
            kept.update(values)
        return self

    def refuse(self, wait: int | None = None) -> Online:
        self.api.found = Refused(wait)
        return self

    def section(self, section: str, company: Company = COMPANIES[0]) -> str:
        return f"/companies/{self.service.key_of(company)}/{section}"


def _changed(online: Online) -> TestResponse:
    online.enter(*COMPANIES)
    online.post(online.section("contracts"))
    return online.get(online.section("contracts"))


def _terms(online: Online) -> TestResponse:
    online.api.found = Person("sub-aino", "Aino", "Öberg", TERMS)
    return online.post("/sign-in", user_name="aino", password="p")


def _terms_identified(online: Online) -> TestResponse:
    online.enter(*COMPANIES).api.terms_url = TERMS
    return online.get("/")


def _unavailable(online: Online, path: str = "/") -> TestResponse:
    online.enter().api.companies = None
    return online.get(path)


def _failed(online: Online, error: str, status: int) -> TestResponse:
    return online.put(failure={"error": error, "status": status}).get("/failed")


ONLINE_STATES: Mapping[str, Callable[[Online], TestResponse]] = {
    "sign-in": lambda o: o.get("/"),
    "sign-in-empty": lambda o: o.post("/sign-in", user_name="", password=""),
    "sign-in-refused": lambda o: o.refuse().post("/sign-in", user_name="aino", password="p"),
    "sign-in-wait": lambda o: o.refuse(125).post("/sign-in", user_name="aino", password="p"),
    "new-terms": _terms,
    "new-terms-identified": _terms_identified,
    "no-company": lambda o: o.enter().get("/"),
    "companies": lambda o: o.enter(*COMPANIES).get("/"),
    "consumption": lambda o: o.enter(*COMPANIES).get(o.section("consumption")),
    "consumption-read-only": lambda o: o.enter(*COMPANIES).get(o.section("consumption", COMPANIES[1])),
    "contracts": lambda o: o.enter(*COMPANIES).get(o.section("contracts")),
    "contracts-changed": _changed,
    "invoices": lambda o: o.enter(*COMPANIES).get(o.section("invoices")),
    "forbidden": lambda o: o.enter(*COMPANIES).get(o.section("invoices", COMPANIES[1])),
    "not-found": lambda o: o.get("/no-such-page"),
    "bad-request": lambda o: o.client.post("/sign-in", base_url=ONLINE, headers={"Accept-Language": o.language}),
    "unavailable": _unavailable,
    "unavailable-section": lambda o: _unavailable(o, o.section("contracts")),
    "left": lambda o: _failed(o, "access_denied", 400),
    "failed": lambda o: _failed(o, "temporarily_unavailable", 502),
}

IDENTITY = {
    "name": "Aino Olivia Öberg-Uusivälimerkki",
    "birthdate": "1992-12-29",
    "amr": ["https://tunnistus.example/loa/test-substantial"],
    "auth_time": NOON,
    "sub": "Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4",
}


class Portal:
    """A browser at the portal. listing: the broker's answer, None if there is none; put in by the test."""

    def __init__(self, language: str = "fi", *, registration: str | None = REGISTRATION) -> None:
        self.language = language
        self.client = portal.create_app(
            PORTAL, ISSUER, ClientKeys.generate(), "k" * 40, registration=registration
        ).test_client()

    def get(self, path: str) -> TestResponse:
        return self.client.get(path, base_url=PORTAL, headers={"Accept-Language": self.language})

    def put(self, **values: Any) -> Portal:
        with self.client.session_transaction(base_url=PORTAL) as kept:
            kept.update(values)
        return self


PORTAL_STATES: Mapping[str, Callable[[Portal], TestResponse]] = {
    "home": lambda p: p.get("/"),
    "identity": lambda p: p.put(identity=IDENTITY).get("/identity"),
    "left": lambda p: p.put(failure={"error": "access_denied", "status": 400}).get("/failed"),
    "failed": lambda p: p.put(failure={"error": "invalid_response", "status": 400}).get("/failed"),
    "not-found": lambda p: p.get("/no-such-page"),
}


def full_mailbox() -> FlaskClient:
    """Three e-mails: a usual one, one with everything long, one with nothing."""
    box = mailbox.Mailbox(lambda: NOON)
    box.add("", (), b"")
    for subject, to, text in (
        (f"Oikeuksiasi on muutettu: {LONG_NAME}", "a" * 60 + "@people.example", "x" * 300),
        (
            "Vahvistus rekisteröitymisestä Online-palveluun",
            "aino@people.example",
            f"Hei Aino,\n\nvahvista osoitteesi:\n{REGISTRATION}/confirm/{'abc-_' * 12}\n\nTesti Energia",
        ),
    ):
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = "noreply@power.example", to, subject
        message["Message-ID"], message["Content-Language"] = "<1@register.example>", "fi"
        message.set_content(text)
        box.add("noreply@power.example", (to,), message.as_bytes())
    return mailbox.create_app(box).test_client()


def empty_mailbox() -> FlaskClient:
    return mailbox.create_app(mailbox.Mailbox(lambda: NOON)).test_client()
