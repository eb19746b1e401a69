"""Pages of registration drawn without a database, a broker or a customer: a template, its values, its status."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from flask import Flask, Response
from markupsafe import Markup

from kit.pages import assets
from registration.caller.pages import NO_CODE, CodeForm
from registration.database.models import CallerCheck
from registration.flow.form import STALE
from registration.mail import outbox
from registration.pages import forms
from registration.pages.rendering import Pages
from registration.pages.texts import PROBLEMS
from registration.settings import Settings

COMPANY_NAME = "Pohjois-Hämeen Sähköurakointi ja Kiinteistöhuolto Virtanen & Pojat Oy"
NOW = 1_795_600_000


def texts(text: str) -> dict[str, str]:
    return {language: f"{text} {language}" for language in ("fi", "sv", "en")}


SETTINGS: dict[str, Any] = {
    "environment": "test",
    "url": "https://register.example.fi",
    "database": {"url": "sqlite:///unused.db"},
    "keys": {"dir": "unused"},
    "brand": {
        "name": texts("Esimerkkienergia"),
        "customer_service": {"phone": "010 123 4567", "email": "palvelu@example.fi"},
    },
    "links": {
        "private_customers": "https://home.example.fi/",
        "online_service": "https://online.example.fi/",
    },
    "broker": {"issuer": "https://id.example.fi", "accepted_acr": ["http://ftn.ficora.fi/2017/loatest2"]},
    "terms": {"dir": "unused", "version": "2026-11-01"},
    "mail": {"host": "localhost", "sender": "palvelu@example.fi"},
}


@dataclass(frozen=True, eq=False)
class PagesHarness:
    """Pages, and an application around them."""

    settings: Settings
    pages: Pages
    app: Flask

    def draw(self, name: str, locale: str) -> Response:
        """A page of PAGES in a language; within a request of its own."""
        page = PAGES[name]
        with self.app.test_request_context(page.path, query_string={"ui_locales": locale}, method=page.method):
            return page.response(self.pages)


def build_pages_harness() -> PagesHarness:
    """A harness of its own, so that a test may change it."""
    settings = Settings.model_validate(SETTINGS)
    pages = Pages(settings)
    app = Flask("registration pages", static_folder=None)
    app.config["SECRET_KEY"] = "for tests only"
    app.register_blueprint(assets.create_blueprint(pages.assets, lambda: pages.problem("not_found")))
    return PagesHarness(settings, pages, app)


@dataclass(frozen=True)
class Page:
    """How a page is drawn. values: called within the request, since forms need one."""

    template: str
    values: Callable[[], dict[str, Any]]
    path: str = "/"
    method: str = "GET"
    status: int = 200
    problem: str = ""

    def response(self, pages: Pages) -> Response:
        if self.problem:
            return pages.problem(self.problem, **self.values())
        return pages.show(self.template, self.status, **self.values())


PERSON = SimpleNamespace(given_name="Hilja Maria", family_name="Korhonen-Lindqvist")
TERMS = Markup("<h2>1. What the terms are about</h2>\n<p>A text.</p>\n<ul>\n<li>One.</li>\n</ul>\n")
DRAFT = {
    "company_name": COMPANY_NAME,
    "fo_nummer": "1234567-1",
    "customer_number": "7001234",
    "given_name": PERSON.given_name,
    "family_name": PERSON.family_name,
    "email": "hilja.korhonen-lindqvist@example.fi",
    "user_name": "hilja",
    "terms_version": "2026-11-01",
}
SESSIONS = [
    SimpleNamespace(key="a" * 22, browser="Firefox, Windows", created_at=NOW, seen_at=NOW + 60),
    SimpleNamespace(key="b" * 22, browser="Safari, iPhone", created_at=NOW - 90_000, seen_at=NOW),
]


def signed_in_at(sessions: list[Any]) -> dict[str, Any]:
    return {"sessions": sessions, "current": SESSIONS[0].key, "form": forms.ConfirmForm()}


def with_errors(form: Any) -> Any:
    """The form, checked as it came: what it wants is missing."""
    form.validate()
    return form


def company_form(*, names: bool = False, wrong: bool = False, **changes: Any) -> dict[str, Any]:
    form = forms.CompanyForm(data={} if wrong else DRAFT)
    if not names:
        form.without_names()
    if wrong:
        with_errors(form).password.errors = ["Use at least 8 characters."]
    person = None if names else PERSON
    values = {
        "form": form,
        "person": person,
        "password_chosen": False,
        "unread": None,
        "terms_version": "2026-11-01",
        "code": "0a1b2c3d",
    }
    return values | {"problems": form.problems(), "form_id": "company"} | changes


def sign_in(error: str = "", minutes: int | None = None) -> dict[str, Any]:
    return {"form": forms.SignInForm(), "error": error, "minutes": minutes}


def new_password(wrong: bool = False) -> dict[str, Any]:
    form = forms.NewPasswordForm()
    if wrong:
        form.password.errors = ["Choose a password."]
    return {"form": form, "user_name": "hilja", "problems": form.problems()}


def new_terms(wrong: bool = False) -> dict[str, Any]:
    form = forms.TermsForm()
    form = with_errors(form) if wrong else form
    return {"form": form, "html": TERMS, "version": "2026-11-01", "problems": form.problems()}


def done(administrator: bool) -> dict[str, Any]:
    return {
        "continue_after": 30 if administrator else 0,
        "email_address": DRAFT["email"],
        "administrator": administrator,
        "company_name": COMPANY_NAME,
        "customer_number": "7001234",
    }


def expired(token: str, changing: bool = False) -> dict[str, Any]:
    return {"form": forms.ConfirmForm(), "token": token, "changing": changing}


def caller(error: str = "") -> dict[str, Any]:
    form = CodeForm(data={"code": "K7QM 2XTA"} if error else {})
    form.code.errors = [error] if error else []
    return {"form": form, "problems": form.problems(), "form_id": "caller"}


def checked(**about: str) -> dict[str, Any]:
    return {"check": CallerCheck(**about)}


PAGES: dict[str, Page] = {
    "start": Page("start.html", lambda: {"error": ""}),
    "start, none chosen": Page(
        "start.html",
        lambda: {"error": "Choose whether you are a corporate or a private customer."},
        "/customer",
        status=422,
    ),
    "private": Page("private.html", dict, "/private"),
    "form": Page("form.html", company_form, "/form"),
    "form, wrong": Page("form.html", lambda: company_form(wrong=True, names=True), "/form", "POST", 422),
    "form, again": Page("form.html", lambda: company_form(password_chosen=True, unread=STALE), "/form"),
    "new identity": Page("new_identity.html", lambda: {"code": "0a1b2c3d"}, "/new-identity"),
    "caller": Page("caller/code.html", caller, "/caller"),
    "caller, wrong": Page("caller/code.html", lambda: caller(NO_CODE), "/caller", "POST", 422),
    "caller, link": Page("caller/link.html", lambda: {"form": forms.ConfirmForm(), "token": "abc"}, "/caller/link/abc"),
    "caller, about an account": Page("caller/check.html", lambda: checked(account_id="a"), "/caller/check"),
    "caller, about a case": Page("caller/check.html", lambda: checked(case_id="c"), "/caller/check"),
    "caller, about nothing": Page("caller/check.html", checked, "/caller/check"),
    "caller, digits": Page("caller/digits.html", lambda: {"digits": "0417"}, "/caller/check"),
    "caller, ended": Page("caller/ended.html", dict, "/caller/check", status=410),
    "terms": Page("terms.html", lambda: {"html": TERMS, "version": "2026-11-01", "back": "/form"}, "/terms"),
    "terms, alone": Page(
        "terms.html", lambda: {"html": TERMS, "version": "2026-11-01", "back": ""}, "/terms/2026-11-01"
    ),
    "review": Page("review.html", lambda: {"draft": DRAFT, "form": forms.ConfirmForm()}, "/review"),
    "done, first": Page("done.html", lambda: done(True), "/done"),
    "done, later": Page("done.html", lambda: done(False), "/done"),
    "confirm": Page(
        "confirm.html", lambda: {"form": forms.ConfirmForm(), "token": "abc", "address": DRAFT["email"]}, "/confirm/abc"
    ),
    "confirmed": Page("confirmed.html", dict, "/confirmed"),
    "link expired": Page("link_expired.html", lambda: expired("abc"), "/confirm/abc", status=410),
    "link unknown": Page("link_expired.html", lambda: expired(""), "/confirm/abc", status=410),
    "link expired, new address": Page("link_expired.html", lambda: expired("", True), "/confirm/abc", status=410),
    "link later": Page("link_later.html", lambda: {"at": NOW}, "/link-sent", status=429),
    "link sent": Page("link_sent.html", dict, "/link-sent"),
    "sign in": Page("sign_in.html", sign_in, "/sign-in"),
    "sign in, wrong": Page("sign_in.html", lambda: sign_in(error=forms.NO_MATCH), "/sign-in", "POST", 422),
    "sign in, too often": Page("sign_in.html", lambda: sign_in(minutes=12), "/sign-in", "POST", 429),
    "sign in, too often, a minute": Page("sign_in.html", lambda: sign_in(minutes=1), "/sign-in", "POST", 429),
    "new password": Page("new_password.html", new_password, "/new-password"),
    "new password, wrong": Page("new_password.html", lambda: new_password(True), "/new-password", "POST", 422),
    "new terms": Page("terms_accept.html", new_terms, "/terms/accept"),
    "new terms, wrong": Page("terms_accept.html", lambda: new_terms(True), "/terms/accept", "POST", 422),
    "sessions": Page("sessions.html", lambda: signed_in_at(SESSIONS), "/sessions"),
    "sessions, one": Page("sessions.html", lambda: signed_in_at(SESSIONS[:1]), "/sessions"),
    "problem with a code": Page("", lambda: {"reference": "ABCDEFGHIJ", "at": NOW}, status=500, problem="fault"),
} | {f"problem, {code}": Page("", dict, status=text.status, problem=code) for code, text in PROBLEMS.items()}
"""Each page by name; the pages of access rights are drawn by their own tests."""

MAIL_WORDS = {
    "company": COMPANY_NAME,
    "fo_nummer": "1234567-1",
    "by": "Onni O'Connor & Co",
    "by_account": "b" * 32,
    "company_key": "c" * 32,
    "case": "d" * 32,
    "case_kind": "joining",
    "outcome": "granted",
    "code": "0123-4567-89AB-CDEF",
    "name": "Hilja <Maria>",
    "link": "https://register.example.fi/confirm/abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz-0123",
    "url": "https://register.example.fi",
    "numbers": "7001234, 7001235",
    "ends_at": "1796000000",
}
MAIL_KINDS = sorted(outbox.KINDS)
"""What the e-mails say of whom; more words than any of them needs."""
OF_NO_COMPANY = {"password_changed", "email_changed", "new_address", "relinked", "caller_check"}
