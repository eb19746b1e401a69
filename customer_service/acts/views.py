"""An act's form, the page that asks whether to do it, and what became of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, flash, redirect, request
from flask.typing import ResponseReturnValue

from customer_service.access import forbidden, may, staff_only
from customer_service.acts import subjects, table
from customer_service.acts.forms import ActForm
from customer_service.acts.model import Act, Draft, Subject, draft_of
from customer_service.pages.texts import DONE, REFUSALS, REFUSED, WAITS
from customer_service.registration_api import DecidedBefore, NotFound, Refused
from customer_service.service import Service
from customer_service.sign_in.sessions import Session
from kit import logs
from kit.pages.forms import Form

Find = Callable[[], Subject]


def create_blueprint(service: Service) -> Blueprint:
    """`/service/people/<id>/<act>`, `/service/cases/<id>/decide`, `/service/acts/<id>` and `/service/drafts/<id>`."""
    blueprint = Blueprint("acts", __name__, url_prefix="/service")
    api = service.registration
    both = {"methods": ["GET", "POST"]}

    @blueprint.route("/people/<id:account_id>/<act_name>", **both, defaults={"company_key": None})
    @blueprint.route("/people/<id:account_id>/<act_name>/<id:company_key>", **both)
    @staff_only(service)
    def act_for_person(session: Session, account_id: str, act_name: str, company_key: str | None) -> Response:
        act = table.OF_PERSON.get(act_name)
        if act is None:
            raise NotFound
        return fill_in(session, act, lambda: subjects.of_person(api, session.staff, act, account_id, company_key))

    @blueprint.route("/cases/<id:case_id>/decide", **both)
    @staff_only(service)
    def decide_case(session: Session, case_id: str) -> Response:
        return fill_in(session, table.DECIDE_CASE, lambda: subjects.of_case(api, session.staff, case_id))

    @blueprint.route("/acts/<id:act_id>", **both)
    @staff_only(service)
    def decide_act(session: Session, act_id: str) -> Response:
        return fill_in(session, table.DECIDE_ACT, lambda: subjects.of_waiting(api, session.staff, act_id))

    def fill_in(session: Session, act: Act, find: Find) -> Response:
        if not may(session.staff, act.needs):
            return forbidden(service)
        try:
            subject = find()
        except DecidedBefore as error:
            return decided(error, request.path.rpartition("/")[0])
        form = _form(service, session, act, subject, _kept(session, act, subject))
        if request.method != "POST" or service.pages.only_asks_for_language():
            return _show_form(service, session, act, subject, form)
        if not form.validate():
            return _show_form(service, session, act, subject, form, 422)
        name = session.drafts.add(draft_of(act, form, subject, session.staff))
        return redirect(f"/service/drafts/{name}", 303)  # type: ignore[return-value]

    @blueprint.get("/drafts/<id:name>")
    @staff_only(service, "act")
    def ask(session: Session, name: str) -> ResponseReturnValue:
        draft = _draft(session, name)
        return service.pages.show("acts/confirm.html", draft=draft, name=name, form=Form())

    @blueprint.post("/drafts/<id:name>")
    @staff_only(service, "act")
    def do(session: Session, name: str) -> ResponseReturnValue:
        draft = _draft(session, name)
        logs.add(act=draft.act.name)
        try:
            said = _do(service, session, draft)
        except Refused as refusal:
            logs.add(code="refused", reason=refusal.reason)
            return _refused(service, session, draft, refusal.reason)
        except DecidedBefore as error:
            return decided(error, draft.subject.back)
        flash(said)
        return redirect(draft.subject.back, 303)

    def decided(error: DecidedBefore, back: str) -> Response:
        logs.add(code="already_decided")
        return service.pages.show("decided.html", 409, decided=error.decided, back=back)

    return blueprint


def _do(service: Service, session: Session, draft: Draft) -> str:
    """Have it done; what to tell. The draft stays: what is sent a second time is done once. Raises ApiError."""
    api, waiting = service.registration, draft.subject.waiting
    if waiting is not None:
        decision = {name: draft.asked[name] for name in ("decision", "reason", "text")}
        outcome = api.decide(session.staff, waiting.id, decision)
    else:
        outcome = api.act(session.staff, draft.asked)
    return {"done": DONE, "waiting": WAITS, "refused": REFUSED}[outcome.state]


def _draft(session: Session, name: str) -> Draft:
    draft = session.drafts.get(name)
    if not isinstance(draft, Draft):
        raise NotFound
    return draft


def _kept(session: Session, act: Act, subject: Subject) -> dict[str, Any]:
    """What was typed before, if a draft's page leads back here; else what the form starts with."""
    draft = session.drafts.get(request.args.get("draft", ""))
    if isinstance(draft, Draft) and (draft.act.name, draft.subject.path) == (act.name, subject.path):
        return draft.typed
    return act.initial(subject)


def _form(service: Service, session: Session, act: Act, subject: Subject, data: dict[str, Any]) -> Any:
    form: Any = act.form(data=data)
    assert isinstance(form, ActForm)  # noqa: S101 - the table's forms are
    form.offer(service.registration.reasons(session.staff))
    if "ending" in form:
        form.ending.choices = [user.account_id for user in subject.administrators]
        form.ending.process(request.form if request.method == "POST" else None, data.get("ending"))
    return form


def _show_form(
    service: Service, session: Session, act: Act, subject: Subject, form: Any, status: int = 200, refused: str = ""
) -> Response:
    values = {"act": act, "subject": subject, "form": form, "problems": form.problems(), "refused": refused}
    return service.pages.show("acts/act.html", status, form_id="act", supervises=session.staff.supervises, **values)


def _refused(service: Service, session: Session, draft: Draft, reason: str) -> Response:
    """The form again, as it was filled in, with what registration says of it: at its field, or above."""
    act, subject = draft.act, draft.subject
    form = act.form(formdata=None, data=draft.typed)
    form.offer(service.registration.reasons(session.staff))
    if "ending" in form:
        form.ending.choices = [user.account_id for user in subject.administrators]
    said = REFUSALS.get(reason, REFUSALS["invalid"])
    field = act.errors.get(reason)
    if field is not None and field in form:
        form[field].errors = [said]
        return _show_form(service, session, act, subject, form, 422)
    return _show_form(service, session, act, subject, form, 422, refused=said)
