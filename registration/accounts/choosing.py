"""Choosing a password: on the form and on the page for a new one. Each choice costs work, so there are not many."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kit import logs
from kit.pages.languages import N_
from registration.accounts import limits, passwords
from registration.accounts.names import user_name_key

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
    """What came of it. problem: why it is not taken, a msgid. hashed: else; None if none was typed.

    key_hashed: the hash of the password as a user name, by which one that is chosen later is compared with it.
    """

    problem: str | None = None
    hashed: str | None = None
    key_hashed: str | None = None


def refuse_many(service: Service, sub: str) -> None:
    """Count a form of a person, by their `sub`. Raises Later if they have sent too many."""
    counted = service.keys.keyed_digest("choose", sub)
    seconds = limits.take(service.database, counted, MOST, WINDOW, service.now)
    if seconds is not None:
        logs.add(code="too_many_tries", step="password", limit="forms_per_person")
        raise Later(TOO_OFTEN, seconds, 429)


def choose(service: Service, sub: str, password: str | None, user_name: str, *, with_key: bool = False) -> Choice:
    """Look at a password that a person wants and hash it, if one was typed. Raises Later.

    sub: the person's. with_key: the user name may still be changed.
    """
    if not password:
        return Choice()
    with _place(service, sub):
        if problem := passwords.problem_of(password, user_name):
            return Choice(problem)
        key = service.passwords.hash(user_name_key(password)) if with_key else None
        return Choice(None, service.passwords.hash(password), key)


def is_user_name(service: Service, sub: str, user_name: str, key_hashed: str) -> bool:
    """Whether a user name is the password that was chosen before, of which there are hashes only. Raises Later."""
    with _place(service, sub):
        return service.passwords.verify(user_name_key(user_name), key_hashed)


@contextmanager
def _place(service: Service, sub: str) -> Iterator[None]:
    try:
        with service.passwords.admitted(sub):
            yield
    except passwords.Busy:
        logs.add(code="busy", step="password")
        raise Later(passwords.BUSY, passwords.RETRY_AFTER, 503) from None
