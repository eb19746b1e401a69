"""Step 3: the form. What is filled in is kept at once, whatever is wrong with it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from kit.pages.form_pages import retry_later
from kit.pages.languages import N_, PARAMETER, remember
from registration.accounts import passwords, sessions
from registration.accounts.choosing import Later, choose, refuse_many
from registration.accounts.compared import Compared, Forgotten
from registration.accounts.person import CODE
from registration.accounts.sessions import Person
from registration.flow import drafts
from registration.flow.checks import Try
from registration.flow.identified import Identified, identified_only
from registration.pages.forms import NO_PASSWORD, NO_TERMS, NOT_TOGETHER, TAKEN, CompanyForm
from registration.service import Service

DETAILS = ("customer_number", "fo_nummer", "company_name")
"""Of a company, as the customer register is asked about them."""
TICKS = ("terms", "right")
KEPT = N_("Nothing you have filled in is lost.")
STALE = (
    N_("The page has been open for a long time"),
    N_("Nothing you have filled in is lost. Check the details once more."),
)
ELSEWHERE = {"terms": "/terms", "new-identity": "/new-identity"}
"""Where the form's other buttons lead; what was filled in is kept."""


def create_blueprint(service: Service) -> Blueprint:
    """`/form`, `/terms`, `/terms/<version>`."""
    blueprint = Blueprint("form", __name__)
    pages = service.pages

    @blueprint.get("/form")
    @identified_only(service)
    def show_form(found: Identified) -> ResponseReturnValue:
        form = form_of(found.person, MultiDict(_as_fields(service, found.draft)))
        if found.draft.get("problem") == "taken":
            form.user_name.errors = [TAKEN]
        if found.draft.get("problem") == "not_together":
            form.customer_number.errors = [NOT_TOGETHER]
        return page(found, form)

    @blueprint.post("/form")
    @identified_only(service)
    def take_form(found: Identified) -> ResponseReturnValue:
        person, draft, form = found.person, found.draft, form_of(found.person)
        valid = form.validate()
        if form.terms.data and request.form.get("terms_version") != service.terms.version:
            form.terms.data, form.terms.errors, valid = False, [NO_TERMS], False
        if form.csrf_token.errors:
            return page(found, form, 400, unread=STALE)
        tried = Try(service, person.sub, *(form[name].data or "" for name in DETAILS))
        try:
            with service.database.write() as transaction:
                reached = refuse_many(transaction, service, person.sub, tried.counted if valid else {})
                if valid:
                    tried.looked(transaction, reached)
            problem = _take_password(service, person.sub, form, draft)
        except Later as later:
            with service.database.write() as transaction:
                tried.settle(transaction)
            return retry_later(page(found, form, later.status, unread=(later.message, KEPT)), later.seconds)
        if problem:
            form.password.errors = [problem]
        elsewhere = _elsewhere(service)
        checked = tried.ask() if valid and not problem and not elsewhere else None
        _fill(service, form, person, draft)
        if checked and not checked.refused:
            draft["checked"] = True
        with service.database.write() as transaction:
            drafts.save(transaction, service, person.sub, draft)
            tried.settle(transaction)
        if elsewhere:
            return elsewhere
        if checked is None:
            return page(found, form, 422)
        if checked.refused == "not_together":
            form.customer_number.errors = [NOT_TOGETHER]
            return page(found, form, 422)
        return redirect(f"/problem/{checked.refused}" if checked.refused else "/review", 303)

    def page(
        found: Identified, form: CompanyForm, status: int = 200, unread: tuple[str, str] | None = None
    ) -> Response:
        """The form. unread: a heading and a text, as msgids, where nothing of what was sent was looked at."""
        return pages.show(
            "form.html",
            status,
            form_id="company",
            form=form,
            person=found.person if _has_name(found.person) else None,
            password_chosen=bool(found.draft.get("password_hash")),
            unread=unread,
            terms_version=service.terms.version,
            problems=form.problems(),
        )

    @blueprint.get("/new-identity")
    @identified_only(service)
    def show_code(found: Identified) -> ResponseReturnValue:
        """What names this session to customer service, which joins it to an account (`tunnus-registration relink`)."""
        return pages.show("new_identity.html", code=found.session.key[:CODE])

    @blueprint.get("/terms", defaults={"version": None})
    @blueprint.get("/terms/<version>")
    def show_terms(version: str | None) -> Response:
        html = service.terms.html(pages.locale(), version)
        if html is None:
            return pages.problem("not_found")
        session = sessions.current(service)
        back = "/form" if session and session.person and not session.account_id else ""
        return pages.show("terms.html", html=html, version=version or service.terms.version, back=back)

    return blueprint


def form_of(person: Person, data: MultiDict[str, str] | None = None) -> CompanyForm:
    """The form, without the fields of a name that is known; data: instead of what was sent."""
    form = CompanyForm(formdata=data) if data is not None else CompanyForm()
    if _has_name(person):
        form.without_names()
    return form


def _has_name(person: Person) -> bool:
    return bool(person.given_name or person.family_name)


def _as_fields(service: Service, draft: dict[str, Any]) -> dict[str, str]:
    """What was filled in; the tick at terms of use that are no longer in force is not."""
    fields = {name: draft[name] for name in drafts.FIELDS if name in draft}
    ticked = {name: "y" for name in TICKS if draft.get(name)}
    if draft.get("terms_version") != service.terms.version:
        ticked.pop("terms", None)
    return fields | ticked


def _fill(service: Service, form: CompanyForm, person: Person, draft: dict[str, Any]) -> None:
    """Put what was sent into the draft."""
    draft.update({field.name: field.data for field in form if field.name in drafts.FIELDS})
    draft.update({name: bool(form[name].data) for name in TICKS})
    if _has_name(person):
        draft.update(given_name=person.given_name, family_name=person.family_name)
    draft.pop("checked", None)
    draft.pop("problem", None)
    draft["terms_version"] = service.terms.version


def _take_password(service: Service, sub: str, form: CompanyForm, draft: dict[str, Any]) -> str | None:
    """Put the password into the draft, as its hash; return what is wrong with it, or with the one from before.

    Raises Later.
    """
    password, user_name = form.password.data, form.user_name.data or ""
    choice = choose(service, sub, password, user_name)
    if choice.hashed:
        # The version before looks for a hash in `password_key_hash`, and takes any user name where it is None.
        draft.update(password_hash=choice.hashed, password_key_hash=None)
        draft["password_compared"] = asdict(Compared.of(password or "", user_name))
        return None
    if choice.problem:
        return choice.problem
    if not (draft.get("password_hash") and draft.get("password_compared")):
        return NO_PASSWORD
    try:
        compared = Compared(**draft["password_compared"]).with_name(user_name)
    except Forgotten:
        draft.pop("password_hash")
        return NO_PASSWORD
    if compared is None:
        return passwords.IS_USER_NAME
    draft["password_compared"] = asdict(compared)
    return None


def _elsewhere(service: Service) -> ResponseReturnValue | None:
    """Where a button of the form leads that sends nothing: to another language, or to another page and back."""
    if locale := service.settings.languages.first(request.form.get(PARAMETER)):
        response = redirect("/form", 303)
        remember(response, locale, secure=service.settings.secure)
        return response
    place = ELSEWHERE.get(request.form.get("go", ""))
    return redirect(place, 303) if place else None
