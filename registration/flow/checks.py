"""Whether company name, FO-nummer and customer number belong together, within the tries that a person has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kit import logs
from registration import audit
from registration.accounts import limits
from registration.customer_register import Customer, RegisterUnavailable, belongs_together
from registration.pages.forms import NOT_TOGETHER, CompanyForm
from registration.service import Service

Refused = Literal["not_together", "too_many_tries", "register_unavailable"]


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of a check. refused: None if they belong together. customer: then, as the register has it."""

    refused: Refused | None
    customer: Customer | None = None


def check_company(service: Service, sub: str, form: CompanyForm) -> Refused | None:
    """Check what the form says; "not_together" puts the error on the form."""
    numbers = form.customer_number.data, form.fo_nummer.data
    refused = check_numbers(service, sub, *numbers, form.company_name.data).refused
    if refused == "not_together":
        form.customer_number.errors = [NOT_TOGETHER]
    return refused


def check_numbers(service: Service, sub: str, customer_number: str, fo_nummer: str, company_name: str) -> Checked:
    """Whether they belong together. A wrong one of the three is always the same answer, after the same work."""
    rules, now = service.settings.rules, service.now
    person = service.keys.keyed_digest("company-tries-person", sub)
    number = service.keys.keyed_digest("company-tries-number", customer_number.casefold())
    if limits.is_reached(service.database, number, rules.tries_per_customer_number, now):
        return _too_many(service, "customer_number", limit="tries_per_customer_number")
    if limits.take(service.database, person, rules.tries_per_person, limits.DAY, now):
        return _too_many(service, "person", limit="tries_per_person")
    try:
        fits = belongs_together(service.register, customer_number, fo_nummer, company_name)
    except RegisterUnavailable:
        limits.give_back(service.database, person)
        return _log_refusal("register_unavailable", "customer_register")
    if fits is None:
        limits.take(service.database, number, rules.tries_per_customer_number, limits.DAY, now)
        return _log_refusal("not_together", "customer_register")
    limits.give_back(service.database, person)
    return Checked(None, fits)


def _too_many(service: Service, reason: str, limit: str) -> Checked:
    logs.add(limit=limit)
    with service.database.write() as transaction:
        audit.record(transaction, "refused", now=service.now, actor="nobody", reason="too_many_tries", of=reason)
    return _log_refusal("too_many_tries", reason)


def _log_refusal(refused: Refused, reason: str) -> Checked:
    logs.add(code=refused, step="company", reason=reason)
    return Checked(refused)
