"""Search: what was typed stays in the session, so that no name and no number stands in an address."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, redirect
from flask.typing import ResponseReturnValue
from wtforms import StringField

from customer_service.access import staff_only
from customer_service.registration_api import NotFound, Refused
from customer_service.service import Service
from customer_service.sign_in.sessions import Session
from kit.logs.withheld import withhold
from kit.pages.forms import Form
from kit.pages.languages import N_
from kit.typed_text import line

MOST = 200
NOTHING = N_("Enter what to search for.")
TOO_LONG = N_("Enter at most 200 characters.")
IDENTITY_CODE = N_("People cannot be found by their personal identity code.")


class SearchForm(Form):
    """One field for everything."""

    q = StringField(filters=[line])

    def refuse(self) -> str | None:
        """Why it cannot be searched for; None if it can."""
        text = self.q.data or ""
        if withhold(text) != text:
            self.q.data = ""  # it is not to be anywhere, not even on the page again
            return IDENTITY_CODE
        return NOTHING if not text else TOO_LONG if len(text) > MOST else None


def create_blueprint(service: Service) -> Blueprint:
    """`/service`, `/service/search`, `/service/search/<name>`."""
    blueprint = Blueprint("search", __name__, url_prefix="/service")

    @blueprint.get("")
    @staff_only(service)
    def home(session: Session) -> ResponseReturnValue:
        return page(SearchForm())

    @blueprint.get("/search")
    @staff_only(service)
    def show_home(session: Session) -> ResponseReturnValue:
        return redirect("/service", 303)  # the language links of a page that answers the form lead here

    @blueprint.post("/search")
    @staff_only(service)
    def search(session: Session) -> ResponseReturnValue:
        form = SearchForm()
        if service.pages.only_asks_for_language():
            return page(form)
        if not form.validate():
            return service.pages.problem("stale_form")
        if wrong := form.refuse():
            form.q.errors = [wrong]
            return page(form, 422)
        return redirect(f"/service/search/{session.searches.add(form.q.data)}", 303)

    @blueprint.get("/search/<id:name>")
    @staff_only(service)
    def show_found(session: Session, name: str) -> ResponseReturnValue:
        text = session.searches.get(name)
        if text is None:
            raise NotFound
        form = SearchForm(formdata=None, data={"q": text})
        try:
            found = service.registration.search(session.staff, text)
        except Refused:
            form.q.errors = [NOTHING]
            return page(form, 422)
        return page(form, found=found, transactions=service.broker.find(text))

    def page(form: SearchForm, status: int = 200, **found: Any) -> Response:
        values = {"found": None, "transactions": (), **found}
        return service.pages.show(
            "search.html", status, form=form, problems=form.problems(), form_id="search", **values
        )

    return blueprint
