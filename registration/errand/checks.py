"""Whether company name, FO-nummer and customer number belong together, within the tries that a person has."""

from __future__ import annotations

from typing import Literal

from registration import limits, logs
from registration.customer_register import RegisterUnavailable, belongs_together
from registration.forms import NOT_TOGETHER, CompanyForm
from registration.service import Service

Refused = Literal["not_together", "too_many_tries", "register_unavailable"]


def check_company(service: Service, sub: str, form: CompanyForm) -> Refused | None:
    """Check what the form says; "not_together" puts the error on the form."""
    refused = check_numbers(service, sub, form.customer_number.data, form.fo_nummer.data, form.company_name.data)
    if refused == "not_together":
        form.customer_number.errors = [NOT_TOGETHER]
    return refused


def check_numbers(
    service: Service, sub: str, customer_number: str, fo_nummer: str, company_name: str
) -> Refused | None:
    """None if they belong together. A wrong one of the three is always the same answer, after the same work."""
    rules, now = service.settings.rules, service.now
    person = service.keys.blind("company-tries-person", sub)
    number = service.keys.blind("company-tries-number", customer_number.casefold())
    if limits.is_reached(service.database, number, rules.tries_per_customer_number, now):
        return _note("too_many_tries", "customer_number")
    if limits.take(service.database, person, rules.tries_per_person, limits.DAY, now):
        return _note("too_many_tries", "person")
    try:
        fits = belongs_together(service.register, customer_number, fo_nummer, company_name)
    except RegisterUnavailable:
        limits.give_back(service.database, person)
        return _note("register_unavailable", "customer_register")
    if fits is None:
        limits.take(service.database, number, rules.tries_per_customer_number, limits.DAY, now)
        return _note("not_together", "customer_register")
    limits.give_back(service.database, person)
    return None


def _note(refused: Refused, reason: str) -> Refused:
    logs.note(code=refused, step="company", reason=reason)
    return refused
