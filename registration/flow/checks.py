"""Whether company name, FO-nummer and customer number belong together, within the tries that a person has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sqlalchemy.orm import Session as Transaction

from kit import logs
from registration import audit
from registration.accounts import limits
from registration.accounts.limits import DAY, Limit
from registration.customer_register import Customer, RegisterUnavailable, belongs_together
from registration.service import Service

Refused = Literal["not_together", "too_many_tries", "register_unavailable"]


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of a check. refused: None if they belong together. customer: then, as the register has it."""

    refused: Refused | None
    customer: Customer | None = None


class Try:
    """A person's try at a company's three details: `counted` is taken, then `looked`, then `ask`, then `settle`.

    A wrong one stays counted, whatever becomes of the request; a right one, and one that nobody has asked about, is
    given back by `settle`.
    """

    def __init__(self, service: Service, sub: str, customer_number: str, fo_nummer: str, company_name: str) -> None:
        self._service = service
        self._details = customer_number, fo_nummer, company_name
        self._person = service.keys.keyed_digest("company-tries-person", sub)
        self._number = service.keys.keyed_digest("company-tries-number", customer_number.casefold())
        self._reached: Literal["customer_number", "person"] | None = None
        self._is_taken = False
        self._checked: Checked | None = None

    @property
    def counted(self) -> Mapping[str, Limit]:
        """What is taken before the outcome is known, in the transaction of what else the request counts."""
        return {self._person: Limit(self._service.settings.rules.tries_per_person, DAY)}

    def looked(self, tx: Transaction, reached: Mapping[str, int]) -> None:
        """Look at what others have tried of the number. reached: what `limits.take` has said of `counted`."""
        self._is_taken = self._person not in reached
        tries = limits.taken(tx, self._number, self._service.now)
        if tries >= self._service.settings.rules.tries_per_customer_number:
            self._reached = "customer_number"
        elif self._person in reached:
            self._reached = "person"

    def ask(self) -> Checked:
        """Ask the register. A wrong one of the three is always the same answer, after the same work."""
        self._checked = self._answer()
        return self._checked

    def settle(self, tx: Transaction) -> None:
        """Count what was wrong, and give back what was not; as the last thing but one in a transaction (limits.py)."""
        refused, now = self._checked and self._checked.refused, self._service.now
        if refused == "too_many_tries":
            audit.record(tx, "refused", now=now, actor="nobody", reason=refused, of=str(self._reached))
        if refused == "not_together":
            limits.take(tx, {self._number: Limit(self._service.settings.rules.tries_per_customer_number, DAY)}, now)
        elif self._is_taken:
            limits.give_back(tx, self._person)

    def _answer(self) -> Checked:
        if self._reached:
            of_number = self._reached == "customer_number"
            logs.add(limit="tries_per_customer_number" if of_number else "tries_per_person")
            return _log_refusal("too_many_tries", self._reached)
        try:
            fits = belongs_together(self._service.register, *self._details)
        except RegisterUnavailable:
            return _log_refusal("register_unavailable", "customer_register")
        return Checked(None, fits) if fits is not None else _log_refusal("not_together", "customer_register")


def check_numbers(service: Service, sub: str, customer_number: str, fo_nummer: str, company_name: str) -> Checked:
    """Whether they belong together, counted by itself."""
    tried = Try(service, sub, customer_number, fo_nummer, company_name)
    with service.database.write() as tx:
        tried.looked(tx, limits.take(tx, tried.counted, service.now))
    checked = tried.ask()
    with service.database.write() as tx:
        tried.settle(tx)
    return checked


def _log_refusal(refused: Refused, reason: str) -> Checked:
    logs.add(code=refused, step="company", reason=reason)
    return Checked(refused)
