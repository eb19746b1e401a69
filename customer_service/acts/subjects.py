"""Whom an act's form is about: asked from registration anew for each page."""

from __future__ import annotations

from customer_service.acts.model import Act, Subject
from customer_service.answers import AlreadyDecided
from customer_service.registration_api import DecidedBefore, NotFound, RegistrationApi
from customer_service.sign_in.sessions import Staff


def of_person(api: RegistrationApi, staff: Staff, act: Act, account_id: str, company_key: str | None) -> Subject:
    """A person, and their right in a company if the act is about one. Raises ApiError."""
    person = api.person(staff, account_id)
    right = person.right(company_key) if company_key else None
    if act.of_company != (company_key is not None) or (act.of_company and right is None):
        raise NotFound
    back = f"/service/people/{account_id}"
    path = f"{back}/{act.name}" + (f"/{company_key}" if company_key else "")
    return Subject(path, back, person=person, right=right)


def of_case(api: RegistrationApi, staff: Staff, id: str) -> Subject:
    """A case that is open; of a disputed one, who could cease to be administrator. Raises ApiError."""
    case = api.case(staff, id)
    if case.state != "open":
        raise DecidedBefore(AlreadyDecided(by=case.decided_by, at=case.decided_at, outcome=case.state))
    key = case.company.key
    users = api.company(staff, key).users if case.kind == "disputed" and key else ()
    administrators = tuple(user for user in users if user.administrator and user.account_id != case.account_id)
    place = f"/service/cases/{id}"
    return Subject(f"{place}/decide", place, case=case, administrators=administrators)


def of_waiting(api: RegistrationApi, staff: Staff, id: str) -> Subject:
    """An act that waits for a second member of staff. Raises ApiError."""
    found = next((act for act in api.waiting(staff) if act.id == id), None)
    if found is None:
        raise NotFound
    return Subject(f"/service/acts/{id}", "/service/acts", waiting=found)
