"""Customer service's pages, in the whole application; what registration and the broker answer is made up."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.wrappers import Response

from customer_service.access import COOKIE_MEMBER
from customer_service.answers import AlreadyDecided
from customer_service.app import create_app
from customer_service.keys import PURPOSES
from customer_service.pages.texts import DONE, REASONS, WAITS
from customer_service.registration_api import DecidedBefore, NotFound, Refused, Unavailable
from customer_service.service import Service
from customer_service.settings import Settings
from customer_service.sign_in.sessions import Staff
from kit.keys.rotation import Rotation
from tests.gallery.state import Draw, State, states

SERVICE = "customer-service"
URL = "http://127.0.0.1:8005"
ISSUER = "http://127.0.0.1:9"
NOW = 1_795_600_000
DAY = 86_400
LONG_COMPANY = "Pohjois-Hämeen Sähköurakointi ja Kiinteistöhuolto Virtanen & Pojat Oy"
KEY, OTHER_KEY = "c" * 32, "d" * 32
HILJA, BERTIL, SNEAKY = "1" * 32, "2" * 32, "3" * 32
CASE, DISPUTE, CLOSED = "ca5e" * 8, "d15b" * 8, "c105" * 8
ACT, OWN_ACT = "ac7" + "0" * 29, "ac8" + "0" * 29
CHECK = "ca11" * 8
TEXTS = {"fi": "Esimerkkienergia", "sv": "Exempelenergi", "en": "Example Energy"}

AGENT = Staff(ISSUER, "maija", "Maija Meikäläinen", frozenset({"agent"}))
SUPERVISOR = Staff(ISSUER, "sven", "Sven Esimerkki", frozenset({"supervisor"}))
AUDITOR = Staff(ISSUER, "aarne", "Aarne Tarkastaja", frozenset({"auditor"}))
NOBODY = Staff(ISSUER, "oili", "Oili Muuala", frozenset())

HELD: dict[str, Any] = {
    "administrator": True,
    "levels": dict.fromkeys(("consumption", "contracts", "invoices", "users"), "write"),
    "customer_numbers": ["7001234", "7001235"],
    "number_count": 412,
    "since": NOW - 90 * DAY,
    "given_by": {"kind": "registration"},
}
READS: dict[str, Any] = {
    "administrator": False,
    "levels": {"consumption": "read", "contracts": "none", "invoices": "read", "users": "none"},
    "customer_numbers": ["7001234"],
    "number_count": 1,
    "since": NOW - 3 * DAY,
    "given_by": {"kind": "user", "name": "Hilja Maria Korhonen-Lindqvist"},
    "ends_at": NOW + 30 * DAY,
    "suspended_at": NOW - DAY,
}
NAMES = {
    "account_id": HILJA,
    "user_name": "hilja.korhonen-lindqvist@example.fi",
    "given_name": "Hilja Maria",
    "family_name": "Korhonen-Lindqvist",
    "email": "hilja.korhonen-lindqvist@example.fi",
}
OTHER = {"account_id": BERTIL, "user_name": "bertil", "given_name": "Bertil", "family_name": "Ek"}
OTHER["email"] = "b@example.fi"
COMPANY = {"key": KEY, "fo_nummer": "1234567-1", "name": LONG_COMPANY}
OPEN_CASE = {
    "id": CASE,
    "kind": "founding",
    "state": "open",
    "opened_at": NOW - 7200,
    "account_id": BERTIL,
    "name": "Bertil Ek",
    "customer_number": "7001234",
    "company": COMPANY,
    "mail_waiting": True,
}
DISPUTED = OPEN_CASE | {"id": DISPUTE, "kind": "disputed", "mail_waiting": False}
DECIDED = OPEN_CASE | {
    "id": CLOSED,
    "kind": "joining",
    "state": "granted",
    "decided_at": NOW - 60,
    "decided_by": "staff:0123456789abcdef",
    "mail_waiting": False,
    "reason": "Called the number in the trade register",
}
PERSON = NAMES | {
    "email_confirmed_at": NOW - 89 * DAY,
    "created_at": NOW - 90 * DAY,
    "sessions": 2,
    "rights": [{"company": KEY, "fo_nummer": "1234567-1", "name": LONG_COMPANY, **HELD},
               {"company": OTHER_KEY, "fo_nummer": "9990001-6", "name": "Oy Ab Å", **READS}],
    "mail": [{"kind": "confirmation", "created_at": NOW - 90 * DAY, "sent_at": NOW - 90 * DAY},
             {"kind": "rights_changed", "created_at": NOW - 600, "tries": 3}],
    "cases": [DECIDED],
}  # fmt: skip
NEW_PERSON = OTHER | {"created_at": NOW - 7200, "sessions": 1, "cases": [OPEN_CASE]}
RECORDS = [
    {"seq": 912, "at": NOW - 60, "event": "granted", "actor": "staff:0123456789abcdef", "subject": BERTIL,
     "subject_name": "Bertil Ek", "company": COMPANY,
     "details": {"customer_numbers": "7001234", "reason": "asked_in_writing", "text": "Power of attorney seen",
                 "administrator": "False", "consumption": "read", "second": "staff:fedcba9876543210"}},
    {"seq": 911, "at": NOW - 90, "event": "listed", "actor": "staff:0123456789abcdef", "company": COMPANY},
    {"seq": 900, "at": NOW - DAY, "event": "signed_in", "actor": HILJA, "actor_name": "Hilja Maria Korhonen-Lindqvist",
     "subject": HILJA, "subject_name": "Hilja Maria Korhonen-Lindqvist", "details": {"by": "identification"}},
    {"seq": 12, "at": NOW - 90 * DAY, "event": "something_newer", "actor": "client:crm", "details": {"new": "value"}},
]  # fmt: skip
WAITING = {
    "id": ACT, "act": "grant", "asked_by": "staff:0123456789abcdef", "asked_at": NOW - 600,
    "reason": "asked_in_writing", "text": "Power of attorney seen", "account_id": BERTIL, "name": "Bertil Ek",
    "company": COMPANY,
    "arguments": {"account_id": BERTIL, "company": KEY, "administrator": True, "customer_numbers": ["7001234"]},
}  # fmt: skip
RELINK = {
    "id": OWN_ACT, "act": "relink", "asked_by": "staff:fedcba9876543210", "asked_at": NOW - 900, "reason": "other",
    "text": "Passport seen", "account_id": HILJA, "name": "Hilja Maria Korhonen-Lindqvist", "company": None,
    "arguments": {"account_id": HILJA, "code": "0a1b2c3d", "name_changed_to": "Hilja Virtanen"}, "own": True,
}  # fmt: skip
FOUND: dict[str, Any] = {
    "companies": [
        COMPANY | {"users": 412},
        {"key": None, "fo_nummer": "0112038-9", "name": "Kaukolämpö ry", "users": 0},
    ],
    "people": [NAMES | {"companies": [COMPANY, {"key": OTHER_KEY, "name": "Oy Ab Å"}]}, OTHER | {"companies": []}],
    "code": {"account_id": None, "name": "Bertil Ek", "identified_at": NOW - 120, "browser": "Firefox, Windows"},
    "more": True,
}
TRANSACTIONS = {
    "transactions": [
        {"txn": "K7QF2M4A" + "A" * 18, "time": "2026-11-25T09:46:40+00:00", "event": "refused", "outcome": "refused",
         "step": "id_token", "code": "integrity_error", "provider": "nordea", "client": "registration"},
        {"txn": "K7QF2M4A" + "A" * 18, "time": NOW - 60, "event": "identified", "provider": "op"},
    ]
}  # fmt: skip
ANSWERS: dict[str, Any] = {
    "/search": FOUND,
    f"/companies/{KEY}": COMPANY | {
        "founded_at": NOW - 90 * DAY, "numbers": 412, "next": BERTIL, "cases": [DISPUTED],
        "users": [NAMES | HELD | {"email_confirmed": True}, OTHER | READS | {"email_confirmed": False}],
    },
    f"/companies/{OTHER_KEY}": {"key": OTHER_KEY, "fo_nummer": "9990001-6", "name": "Oy Ab Å", "numbers": 0},
    f"/people/{HILJA}": PERSON,
    f"/people/{BERTIL}": NEW_PERSON,
    "/trail": {"records": RECORDS, "next": 12},
    "/cases": {"cases": [OPEN_CASE, DISPUTED], "next": CASE},
    f"/cases/{CASE}": OPEN_CASE,
    f"/cases/{DISPUTE}": DISPUTED,
    f"/cases/{CLOSED}": DECIDED,
    "/acts/vocabulary": {"reasons": [*REASONS]},
    "/acts": {"acts": [WAITING, RELINK]},
    "POST /caller-checks": {
        "id": CHECK, "code": "4K7QF2M8", "page": "http://127.0.0.1:8001/caller", "expires_at": NOW + 600,
    },
    f"/caller-checks/{CHECK}": {"state": "waiting", "expires_at": NOW + 540},
    f"POST /caller-checks/{CHECK}/name": NAMES | {
        "birth_date": "1981-02-17", "owner": True, "identified_at": NOW - 20,
    },
}  # fmt: skip


class Pages:
    """The application; what registration answers can be changed for one state."""

    def __init__(self, folder: Path) -> None:
        Rotation(folder, PURPOSES).init(0)
        config = {
            "environment": "test",
            "url": URL,
            "keys": {"dir": str(folder)},
            "brand": {"name": TEXTS, "customer_service": {"phone": "010 123 4567", "email": "palvelu@example.fi"}},
            "sign_in": {"issuer": ISSUER, "roles": {"agent": ["customer-service"]}},
            "registration": {"url": "http://127.0.0.1:8001"},
            "broker": {"operations_urls": ["http://127.0.0.1:9000"]},
        }
        self.app = create_app(Settings.model_validate(config), clock=lambda: NOW)
        self.service: Service = self.app.extensions["customer_service"]
        self.answers: dict[str, Any] = ANSWERS
        self.service.registration._call = self._answer  # type: ignore[assignment,method-assign]
        self.service.broker._calls.get = self._broker  # type: ignore[assignment,method-assign]

    def _answer(self, staff: Staff, path: str, model: Any, value: Any = None, **query: Any) -> Any:
        found = self.answers.get(path if value is None or path == "/search" else f"POST {path}")
        if found is None:
            raise NotFound
        if isinstance(found, Exception):
            raise found
        return model.model_validate(found)

    def _broker(self, url: str, parameters: Any = None, headers: Any = None) -> tuple[int, bytes]:
        found = self.answers.get("broker", TRANSACTIONS)
        return (200, json.dumps(found).encode()) if found else (503, b"")

    def client(self, locale: str, staff: Staff | None, flash: str = "") -> FlaskClient:
        """A browser in a language, in which somebody is signed in."""
        client = self.app.test_client()
        client.set_cookie("tunnus_locale", locale, domain="127.0.0.1")
        with client.session_transaction(base_url=URL) as session:
            if staff:
                session[COOKIE_MEMBER] = self.service.sessions.begin(staff)
            if flash:
                session["_flashes"] = [("message", flash)]
        return client

    def page(self, path: str, staff: Staff | None = SUPERVISOR, *, flash: str = "", **answers: Any) -> Draw:
        """A page; answers: of registration, others than usual."""

        def draw(locale: str) -> Response:
            with_answers(self, answers)
            return self.client(locale, staff, flash).get(path, base_url=URL, follow_redirects=True)

        return draw

    def sent(self, path: str, staff: Staff = SUPERVISOR, *, at: str = "", confirm: bool = False, **fields: Any) -> Draw:
        """What a form is answered with. at: the page of the form. confirm: go on from the page that asks."""
        answers = fields.pop("answers", {})

        def draw(locale: str) -> Response:
            with_answers(self, {})
            client = self.client(locale, staff)
            page: Any = client.get(at or path, base_url=URL)
            if not confirm:
                with_answers(self, answers)
            page = client.post(path, base_url=URL, data=fields | {"csrf_token": token(page)})
            if page.status_code == 303:
                page = client.get(page.headers["Location"], base_url=URL)
            if confirm:
                with_answers(self, answers)
                page = client.post(page.request.path, base_url=URL, data={"csrf_token": token(page)})
            return page  # type: ignore[no-any-return]

        return draw


def with_answers(pages: Pages, changes: dict[str, Any]) -> None:
    pages.answers = ANSWERS | changes


def token(page: Any) -> str:
    return str(re.findall(r'name="csrf_token" value="([^"]+)"', page.text)[0])


def customer_service_states(folder: Path) -> tuple[list[State], Flask]:
    """The states, and the application whose static files they refer to."""
    pages = Pages(folder)
    hilja, bertil = f"/service/people/{HILJA}", f"/service/people/{BERTIL}"
    why = {"reason": "asked_in_writing", "text": "Power of attorney seen"}
    grant = {"fo_nummer": "1234567-1", "customer_numbers": "7001234", "consumption": "read", "contracts": "none",
             "invoices": "write", "users": "none"} | why  # fmt: skip
    numbers = {"customer_numbers": "7001236\n7001237"} | why
    refused = {"POST /acts": Refused("not_together")}
    silent = {path: Unavailable("down") for path in ANSWERS}
    decided = AlreadyDecided(by="staff:fedcba9876543210", at=NOW - 30, outcome="done")
    search = {"at": "/service", "q": "K7QF2M4A"}
    draws: dict[str, Draw] = {
        "sign in": pages.page("/service", None),
        "signed out": pages.page("/service/signed-out", None),
        "no role": pages.page("/service", NOBODY),
        "search": pages.page("/service", AGENT),
        "search, done": pages.page("/service", AGENT, flash=DONE),
        "search, empty": pages.sent("/service/search", at="/service", q=""),
        "search, found": pages.sent("/service/search", **search),
        "search, nothing": searched(pages, {"/search": {}, "broker": {"transactions": []}}),
        "search, broker silent": searched(pages, {"broker": None}),
        "company": pages.page(f"/service/companies/{KEY}"),
        "company, empty": pages.page(f"/service/companies/{OTHER_KEY}"),
        "person": pages.page(hilja),
        "person, by an auditor": pages.page(hilja, AUDITOR),
        "person, without rights": pages.page(bertil, AGENT, flash=WAITS),
        "trail": pages.page(f"{hilja}/trail", AUDITOR),
        "trail, empty": pages.page(f"{hilja}/trail", AUDITOR, **{"/trail": {}}),
        "cases": pages.page("/service/cases"),
        "cases, none": pages.page("/service/cases?state=withdrawn", **{"/cases": {}}),
        "case": pages.page(f"/service/cases/{CASE}", AGENT),
        "case, disputed": pages.page(f"/service/cases/{DISPUTE}", AGENT),
        "case, decided": pages.page(f"/service/cases/{CLOSED}"),
        "decide a case": pages.page(f"/service/cases/{DISPUTE}/decide"),
        "decide a case, empty": pages.sent(f"/service/cases/{DISPUTE}/decide"),
        "decide a case, check": pages.sent(f"/service/cases/{DISPUTE}/decide", decision="grant", ending=HILJA, **why),
        "already decided": pages.page(f"/service/cases/{CLOSED}/decide"),
        "already decided, an act": pages.sent(
            f"/service/acts/{ACT}", decision="confirm", confirm=True,
            answers={f"POST /acts/{ACT}": DecidedBefore(decided)}, **why,
        ),
        "acts that wait": pages.page("/service/acts"),
        "acts that wait, none": pages.page("/service/acts", AUDITOR, **{"/acts": {}}),
        "confirm an act": pages.page(f"/service/acts/{ACT}"),
        "confirm an act, own": pages.page(f"/service/acts/{OWN_ACT}"),
        "confirm an act, check": pages.sent(f"/service/acts/{ACT}", decision="refuse", **why),
        "grant": pages.page(f"{bertil}/grant"),
        "grant, by an agent": pages.page(f"{bertil}/grant", AGENT),
        "grant, empty": pages.sent(f"{bertil}/grant"),
        "grant, check": pages.sent(f"{bertil}/grant", **grant),
        "grant, refused": pages.sent(f"{bertil}/grant", confirm=True, answers=refused, **grant),
        "grant, refused as a whole": pages.sent(
            f"{bertil}/grant", confirm=True, answers={"POST /acts": Refused("nothing_to_do")}, **grant
        ),
        "numbers": pages.page(f"{hilja}/numbers/{KEY}"),
        "numbers, check": pages.sent(f"{hilja}/numbers/{KEY}", **numbers),
        "rights": pages.page(f"{hilja}/rights/{OTHER_KEY}"),
        "revoke": pages.page(f"{hilja}/revoke/{KEY}"),
        "revoke, check": pages.sent(f"{hilja}/revoke/{KEY}", leave_without_administrator="y", **why),
        "confirmation": pages.page(f"{bertil}/confirmation"),
        "sign out a person": pages.page(f"{hilja}/end-sessions"),
        "relink": pages.page(f"{hilja}/relink"),
        "relink, empty": pages.sent(f"{hilja}/relink"),
        "identify a caller": pages.page("/service/caller", AGENT),
        "identify a caller, of an account": pages.page(f"{hilja}/caller", AGENT),
        "identify a caller, of a case": pages.page(f"/service/cases/{CASE}/caller", AGENT),
        "identify a caller, no link": pages.sent(
            f"{hilja}/caller", by="email", answers={"POST /caller-checks": Refused("address_not_confirmed")}
        ),
        "wait for a caller": called(pages, "waiting"),
        "wait for a caller, by link": called(pages, "waiting", code=None),
        "wait for a caller, stopped": called(pages, "waiting", place="/stay"),
        "digits of a caller": called(pages, "identified"),
        "digits of a caller, wrong": called(pages, "identified", digits="1234", name=Refused("wrong_digits", 1)),
        "who a caller is": called(pages, "identified", digits="1234"),
        "who a caller is, another": called(
            pages, "identified", digits="1234",
            name={"given_name": "Bertil", "family_name": "Ek", "owner": False, "identified_at": NOW - 20},
        ),
        "caller's check ended": called(pages, "ended"),
        "caller's check ended, wrong": called(pages, "identified", digits="1234", name=Refused("wrong_digits")),
        "caller's check ended, shown": called(pages, "identified", digits="1234", again=True),
        "forbidden": pages.page(f"{hilja}/relink", AGENT),
        "not found": pages.page("/nowhere"),
        "gone": pages.page("/service/people/" + "9" * 32),
        "unavailable": pages.page(hilja, **silent),
        "unavailable, a form": down_at_form(pages, f"{hilja}/numbers/{KEY}", numbers, silent),
        "unavailable, an act": pages.sent(f"{hilja}/numbers/{KEY}", confirm=True, answers=silent, **numbers),
        "sign-in service silent": pages.page("/service/sign-in", None),
        "sign-in refused": pages.page("/service/problem/not_signed_in", None),
        "sign-in lost": pages.page("/service/callback?state=nobody", None),
        "stale form": stale(pages),
        "signed out meanwhile": signed_out_meanwhile(pages),
    }  # fmt: skip
    return states(SERVICE, draws), pages.app


def searched(pages: Pages, answers: dict[str, Any]) -> Draw:
    def draw(locale: str) -> Response:
        client = pages.client(locale, AGENT)
        data = {"q": "K7QF2M4A", "csrf_token": token(client.get("/service", base_url=URL))}
        sent = client.post("/service/search", base_url=URL, data=data)
        with_answers(pages, answers)
        return client.get(sent.headers["Location"], base_url=URL)

    return draw


def down_at_form(pages: Pages, path: str, fields: dict[str, str], answers: dict[str, Any]) -> Draw:
    def draw(locale: str) -> Response:
        with_answers(pages, {})
        client = pages.client(locale, AGENT)
        data = fields | {"csrf_token": token(client.get(path, base_url=URL))}
        with_answers(pages, answers)
        return client.post(path, base_url=URL, data=data)

    return draw


def called(
    pages: Pages, state: str, *, place: str = "", digits: str = "", name: Any = None, again: bool = False, **begun: Any
) -> Draw:
    """A check of a caller. digits: what is then sent. name: what registration answers that. again: and then reload."""

    def draw(locale: str) -> Response:
        asked, stands = "POST /caller-checks", f"/caller-checks/{CHECK}"
        answers = {asked: ANSWERS[asked] | begun, stands: ANSWERS[stands] | {"state": state}}
        with_answers(pages, answers | ({f"POST {stands}/name": name} if name else {}))
        client = pages.client(locale, AGENT)
        form = client.get(f"/service/people/{HILJA}/caller", base_url=URL)
        sent = client.post(form.request.path, base_url=URL, data={"by": "voice", "csrf_token": token(form)})
        path = sent.headers["Location"]
        page = client.get(path + place, base_url=URL)
        if digits:
            page = client.post(path, base_url=URL, data={"digits": digits, "csrf_token": token(page)})
        return client.get(path, base_url=URL) if again else page

    return draw


def stale(pages: Pages) -> Draw:
    return lambda locale: pages.client(locale, AGENT).post("/service/search", base_url=URL, data={"q": "x"})


def signed_out_meanwhile(pages: Pages) -> Draw:
    return lambda locale: pages.client(locale, None).post("/service/search", base_url=URL, data={"q": "x"})
