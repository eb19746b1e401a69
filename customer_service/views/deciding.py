"""Lists of what waits: cases for customer service, and acts for a second member of staff."""

from __future__ import annotations

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from customer_service.access import staff_only
from customer_service.pages.texts import LISTED_STATES
from customer_service.registration_api import NotFound
from customer_service.service import Service
from customer_service.sign_in.sessions import Session
from customer_service.views.paging import id_parameter


def create_blueprint(service: Service) -> Blueprint:
    """`/service/cases`, `/service/cases/<id>`, `/service/acts`."""
    blueprint = Blueprint("deciding", __name__, url_prefix="/service")
    api, pages = service.registration, service.pages

    @blueprint.get("/cases")
    @staff_only(service)
    def show_cases(session: Session) -> ResponseReturnValue:
        state = request.args.get("state", "open")
        if state not in LISTED_STATES:
            raise NotFound
        found = api.cases(session.staff, state, id_parameter("after"))
        return pages.show("cases.html", found=found, state=state, states=LISTED_STATES)

    @blueprint.get("/cases/<id:case_id>")
    @staff_only(service)
    def show_case(session: Session, case_id: str) -> ResponseReturnValue:
        return pages.show("case.html", case=api.case(session.staff, case_id))

    @blueprint.get("/acts")
    @staff_only(service)
    def show_waiting(session: Session) -> ResponseReturnValue:
        return pages.show("waiting.html", acts=api.waiting(session.staff))

    return blueprint
