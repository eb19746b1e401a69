"""The stand-in online service's pages, in the whole application; registration's answers are made up."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.wrappers import Response

from demo.online_service.api import Company, Person, Refused, Rights, Unavailable
from demo.online_service.app import SECTIONS, create_app
from demo.online_service.sign_ins import Visitor
from demo.online_service.state import OnlineService, Places
from demo.portal.client_keys import ClientKeys
from tests.gallery.state import Draw, State, states

SERVICE = "online"
URL = "http://127.0.0.1:8004"
NOW = 1_795_600_000
SUB = "sub-hilja"
NAME = "Hilja Maria Korhonen-Lindqvist"
LONG_COMPANY = "Pohjois-Hämeen Sähköurakointi ja Kiinteistöhuolto Virtanen & Pojat Oy"
PLACES = Places(URL, "http://127.0.0.1:8000", "http://127.0.0.1:8001")


def company(fo_nummer: str, name: str, *numbers: str, administrator: bool = False, **levels: str) -> Company:
    """A company as registration's API tells of it."""
    held = dict.fromkeys((*SECTIONS, "users"), "none") | levels
    return Company(fo_nummer, name, numbers, administrator, held)


EVERYTHING = dict.fromkeys((*SECTIONS, "users"), "write")
FULL = company("1234567-1", LONG_COMPANY, "7001234", "7001235", administrator=True, **EVERYTHING)
READ = company("9990001-6", "Oy Ab Å", "3001", consumption="read", contracts="read", invoices="read")
NOTHING = company("0112038-9", "Lounaisrannikonkaukolämpölaitostenhuoltopalveluyhdistys ry")


@dataclass
class Answers:
    """Registration's API as it answers in one state. signed_in: to a user name and password.

    terms_url: of new terms that are to be accepted first.
    """

    companies: tuple[Company, ...] = ()
    terms_url: str | None = None
    signed_in: Person | Refused = field(default_factory=Refused)
    answers: bool = True

    def sign_in(self, *_asked: str) -> Person | Refused:
        """The person, or the refusal."""
        return self.signed_in

    def rights(self, sub: str, *_asked: Any) -> Rights:
        """The companies. Raises Unavailable."""
        if not self.answers:
            raise Unavailable
        return Rights(sub, self.companies, self.terms_url)


class Online:
    """The application around one set of answers."""

    def __init__(self, answers: Answers) -> None:
        keys = ClientKeys.generate()
        self.service = OnlineService(PLACES, answers, keys, "k" * 40, lambda: NOW)  # type: ignore[arg-type]
        self.app = create_app(self.service)

    def client(self, locale: str, *, visitor: bool, flash: str = "", **kept: Any) -> FlaskClient:
        """A browser in a language; visitor: somebody is signed in.

        flash: what the page before has left. kept: in the session, too.
        """
        client = self.app.test_client()
        with client.session_transaction(base_url=URL) as session:
            session.update(kept, language=locale)
            if visitor:
                session["visitor"] = self.service.visitors.add(Visitor(SUB, NAME))
            if flash:
                session["_flashes"] = [("message", flash)]
        return client

    def page(self, path: str = "/", *, visitor: bool = True, flash: str = "", **kept: Any) -> Draw:
        """The page at a path."""

        def draw(locale: str) -> Response:
            client = self.client(locale, visitor=visitor, flash=flash, **kept)
            return client.get(path, base_url=URL, follow_redirects=True)

        return draw

    def sent(self, **fields: str) -> Draw:
        """What the sign-in form is answered with."""

        def draw(locale: str) -> Response:
            client = self.client(locale, visitor=False)
            token = re.findall(r'name="csrf_token" value="([^"]+)"', client.get("/", base_url=URL).text)[0]
            return client.post("/sign-in", base_url=URL, data=fields | {"csrf_token": token})

        return draw

    def section(self, company: Company, section: str, *, flash: str = "") -> Draw:
        """A section of a company's data."""
        return self.page(f"/companies/{self.service.key_of(company)}/{section}", flash=flash)


def online_states() -> tuple[list[State], Flask]:
    """The states, and the application whose static files they refer to."""
    full, read, nobody = Online(Answers((FULL,))), Online(Answers((READ,))), Online(Answers())
    several = Online(Answers((FULL, READ, NOTHING)))
    wait = Online(Answers(signed_in=Refused(wait=700)))
    address = f"{PLACES.registration}/terms/accept"
    terms = Online(Answers(signed_in=Person(SUB, "Hilja", "Korhonen", address), terms_url=address))
    silent = Online(Answers(answers=False))
    typed = {"user_name": "hilja.korhonen-lindqvist@example.fi", "password": "wrong"}
    draws: dict[str, Draw] = {
        "sign in": nobody.page(visitor=False),
        "sign in, empty": nobody.sent(user_name="", password=""),
        "sign in, wrong": nobody.sent(**typed),
        "sign in, too often": wait.sent(**typed),
        "new terms": terms.sent(**typed),
        "new terms, identified": terms.page(),
        "home, three companies": several.page(),
        "home, none": nobody.page(),
        "forbidden": read.section(NOTHING, "consumption"),
        "not found": nobody.page("/nowhere"),
        "unavailable": silent.page(),
        "unavailable, a section": silent.section(FULL, "contracts"),
        "failed": nobody.page("/callback", visitor=False),
        "left": nobody.page("/failed", visitor=False, failure={"status": 400, "error": "access_denied"}),
    }
    for section in SECTIONS:
        draws[f"{section}, read only"] = read.section(READ, section)
        draws[f"{section}, read and write"] = full.section(FULL, section)
    draws["invoices, changed"] = full.section(FULL, "invoices", flash="changed")
    return states(SERVICE, draws), nobody.app
