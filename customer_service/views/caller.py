"""Who is on the phone: a check is begun, waited for, and shows a name once.

The name is in one answer and nowhere else: not in the session, not in the log, not in an address.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time

from flask import Blueprint, Response, redirect, request
from flask.typing import ResponseReturnValue
from wtforms import RadioField, StringField

from customer_service.access import staff_only
from customer_service.acts.model import Subject
from customer_service.pages.texts import REFUSALS, WAYS
from customer_service.registration_api import NotFound, Refused
from customer_service.service import Service
from customer_service.sign_in.sessions import Session
from kit import logs
from kit.pages.forms import Form, Takes
from kit.pages.languages import N_
from kit.typed_text import line, number

LOOK_AGAIN = 1
"""Seconds until the page that waits looks again by itself."""
NO_DIGITS = N_("Enter the four digits that the caller reads aloud.")
WRONG = {
    2: N_("These are not the digits. You can try twice more."),
    1: N_("These are not the digits. You can try once more."),
}
"""By how often one may try again."""
BOTH = ["GET", "POST"]


@dataclass(slots=True)
class Check:
    """A check that was begun in a session. id: registration's. shown: its name was shown.

    code, page: to read aloud; no code where a link went by e-mail. path: where a new one is begun. back: to go on.
    """

    id: str
    code: str | None
    page: str
    path: str
    back: str
    shown: bool = False


def _digits(text: str) -> str:
    if not re.fullmatch("[0-9]{4}", found := number(text)):
        raise ValueError("no digits")
    return found


class BeginForm(Form):
    """How the caller is asked."""

    by = RadioField(choices=list(WAYS), default="voice", validate_choice=False)


class DigitsForm(Form):
    """What the caller reads aloud."""

    digits = StringField(filters=[line], validators=[Takes(NO_DIGITS, _digits)])


def create_blueprint(service: Service) -> Blueprint:
    """`/service/caller`, the same below a person and a case, and `/service/caller/<name>` of a check."""
    blueprint = Blueprint("caller", __name__, url_prefix="/service")
    api = service.registration

    @blueprint.route("/caller", methods=BOTH)
    @staff_only(service, "act")
    def ask_anybody(session: Session) -> ResponseReturnValue:
        return _begin(service, session, Subject("/service/caller", "/service"))

    @blueprint.route("/people/<id:account_id>/caller", methods=BOTH)
    @staff_only(service, "act")
    def ask_person(session: Session, account_id: str) -> ResponseReturnValue:
        back = f"/service/people/{account_id}"
        return _begin(service, session, Subject(f"{back}/caller", back, person=api.person(session.staff, account_id)))

    @blueprint.route("/cases/<id:case_id>/caller", methods=BOTH)
    @staff_only(service, "act")
    def ask_about_case(session: Session, case_id: str) -> ResponseReturnValue:
        back = f"/service/cases/{case_id}"
        return _begin(service, session, Subject(f"{back}/caller", back, case=api.case(session.staff, case_id)))

    @blueprint.get("/caller/<id:name>", defaults={"stay": False})
    @blueprint.get("/caller/<id:name>/stay", defaults={"stay": True})
    @staff_only(service, "act")
    def look(session: Session, name: str, stay: bool) -> ResponseReturnValue:
        return _look(service, session, name, stay)

    @blueprint.post("/caller/<id:name>")
    @staff_only(service, "act")
    def enter_digits(session: Session, name: str) -> ResponseReturnValue:
        return _enter(service, session, name)

    return blueprint


def _begin(service: Service, session: Session, subject: Subject) -> ResponseReturnValue:
    form = BeginForm()
    account_id = subject.person.account_id if subject.person else subject.case.account_id if subject.case else None

    def page(status: int = 200) -> Response:
        values = {"subject": subject, "form": form, "has_account": bool(account_id), "problems": form.problems()}
        return service.pages.show("caller/begin.html", status, form_id="caller", **values)

    if request.method != "POST" or service.pages.only_asks_for_language():
        return page()
    asked: dict[str, str] = {"by": "email" if form.by.data == "email" and account_id else "voice"}
    if account_id:
        asked["account_id"] = account_id
    if subject.case:
        asked["case"] = subject.case.id
    try:
        begun = service.registration.ask_caller(session.staff, asked)
    except Refused as refusal:
        if refusal.reason != "address_not_confirmed":
            raise
        form.by.errors = [REFUSALS[refusal.reason]]
        return page(422)
    name = session.checks.add(Check(begun.id, begun.code, begun.page, subject.path, subject.back))
    return redirect(f"/service/caller/{name}", 303)


def _check(session: Session, name: str) -> Check:
    check = session.checks.get(name)
    if not isinstance(check, Check):
        raise NotFound
    return check


def _look(service: Service, session: Session, name: str, stay: bool) -> Response:
    """How a check stands. stay: the page does not look again by itself (WCAG 2.2.2)."""
    check, pages = _check(session, name), service.pages
    if check.shown:
        return pages.show("caller/ended.html", 410, check=check, why="shown")
    try:
        now = service.registration.caller_check(session.staff, check.id)
    except NotFound:
        return _ended(service, check)
    if now.state == "ended":
        return _ended(service, check)
    if now.state == "identified":
        return _digits_page(service, name, check, DigitsForm(formdata=None))
    response = pages.show("caller/wait.html", check=check, name=name, stay=stay, until=now.expires_at)
    if not stay:
        response.headers["Refresh"] = f"{LOOK_AGAIN}; url=/service/caller/{name}"
    return response


def _enter(service: Service, session: Session, name: str) -> Response:
    """Who the caller is, if the digits are right: the answer that has it is shown, and nothing of it is kept."""
    check, form = _check(session, name), DigitsForm()
    if check.shown:
        return service.pages.show("caller/ended.html", 410, check=check, why="shown")
    if service.pages.only_asks_for_language():
        return _digits_page(service, name, check, form)
    if not form.validate():
        return _digits_page(service, name, check, form, 422)
    try:
        caller = service.registration.name_caller(session.staff, check.id, form.digits.data)
    except NotFound:
        return _ended(service, check)
    except Refused as refusal:
        logs.add(code="refused", reason=refusal.reason)
        if refusal.left not in WRONG:
            return _ended(service, check, "wrong")
        form.digits.errors = [WRONG[refusal.left]]
        return _digits_page(service, name, check, form, 422)
    check.shown = True
    born = datetime.combine(caller.birth_date, time(12), UTC).timestamp() if caller.birth_date else None
    return service.pages.show("caller/shown.html", check=check, caller=caller, born=born)


def _digits_page(service: Service, name: str, check: Check, form: DigitsForm, status: int = 200) -> Response:
    values = {"check": check, "name": name, "form": form, "problems": form.problems()}
    return service.pages.show("caller/digits.html", status, form_id="digits-form", **values)


def _ended(service: Service, check: Check, why: str = "late") -> Response:
    """why: `late`, `wrong` digits too often, or `shown`."""
    return service.pages.show("caller/ended.html", 410, check=check, why=why)
