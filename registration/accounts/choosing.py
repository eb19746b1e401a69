"""Choosing a password: on the form and on the page for a new one. Each choice costs work, so there are not many."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session as Transaction

from kit import logs
from kit.pages.languages import N_
from registration.accounts import limits, passwords

if TYPE_CHECKING:
    from registration.service import Service

MOST, WINDOW = 60, 900
"""Forms, and reviews of one, that a person may send, and the seconds in which."""
TOO_OFTEN = N_("You have sent this form too many times. Try again in a quarter of an hour.")


class Later(Exception):
    """Nothing was looked at; it may be sent again. message: a msgid. seconds: until then. status: of the answer."""

    def __init__(self, message: str, seconds: int, status: int) -> None:
        super().__init__(message)
        self.message, self.seconds, self.status = message, seconds, status


@dataclass(frozen=True, slots=True)
class Choice:
    """What came of it. problem: why it is not taken, a msgid. hashed: else; None if none was typed."""

    problem: str | None = None
    hashed: str | None = None


def refuse_many(tx: Transaction, service: Service, sub: str, besides: Mapping[str, limits.Limit]) -> dict[str, int]:
    """Count a form of a person, by their `sub`, and what else is counted with it; returns what is reached, as `take`.

    Raises Later if they have sent too many, and then nothing is counted: the transaction is rolled back by it.
    """
    counted = service.keys.keyed_digest("choose", sub)
    reached = limits.take(tx, {counted: limits.Limit(MOST, WINDOW), **besides}, service.now)
    if counted in reached:
        logs.add(code="too_many_tries", step="password", limit="forms_per_person")
        raise Later(TOO_OFTEN, reached[counted], 429)
    return reached


def choose(service: Service, sub: str, password: str | None, user_name: str) -> Choice:
    """Look at a password that a person wants and hash it, if one was typed. sub: the person's. Raises Later."""
    if not password:
        return Choice()
    try:
        with service.passwords.admitted(sub):
            if problem := passwords.problem_of(password, user_name):
                return Choice(problem)
            return Choice(None, service.passwords.hash(password))
    except passwords.Busy:
        logs.add(code="busy", step="password")
        raise Later(passwords.BUSY, passwords.RETRY_AFTER, 503) from None
