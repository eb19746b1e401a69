"""A company's page, a person's page, and the trail of each."""

from __future__ import annotations

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from customer_service.access import staff_only
from customer_service.acts.table import OF_PERSON
from customer_service.registration_api import NotFound
from customer_service.service import Service
from customer_service.sign_in.sessions import Session
from customer_service.views.paging import id_parameter, number_parameter


def create_blueprint(service: Service) -> Blueprint:
    """`/service/companies/<key>`, `/service/people/<id>`, and `/trail` below each."""
    blueprint = Blueprint("looking", __name__, url_prefix="/service")
    api, pages = service.registration, service.pages

    @blueprint.get("/companies/<id:key>")
    @staff_only(service)
    def show_company(session: Session, key: str) -> ResponseReturnValue:
        after = id_parameter("after")
        return pages.show("company.html", company=api.company(session.staff, key, after), after=after)

    @blueprint.get("/people/<id:account_id>")
    @staff_only(service)
    def show_person(session: Session, account_id: str) -> ResponseReturnValue:
        person = api.person(session.staff, account_id)
        return pages.show("person.html", person=person, acts=OF_PERSON, staff_role=session.staff)

    @blueprint.get("/companies/<id:key>/trail")
    @staff_only(service)
    def show_trail_of_company(session: Session, key: str) -> ResponseReturnValue:
        trail = api.trail(session.staff, number_parameter("before"), company=key)
        name = next((one.company.name for one in trail.records if one.company and one.company.key == key), None)
        return pages.show("trail.html", trail=trail, name=name, back=f"/service/companies/{key}", path=request.path)

    @blueprint.get("/people/<id:account_id>/trail")
    @staff_only(service)
    def show_trail_of_person(session: Session, account_id: str) -> ResponseReturnValue:
        trail = api.trail(session.staff, number_parameter("before"), account=account_id)
        name = next((one.subject_name for one in trail.records if one.subject == account_id), None)
        return pages.show("trail.html", trail=trail, name=name, back=f"/service/people/{account_id}", path=request.path)

    @blueprint.errorhandler(NotFound)
    def nobody(_error: NotFound) -> ResponseReturnValue:
        return pages.problem("gone")

    return blueprint
