"""What registering asks of the database, counted: transactions, those that write, and statements of each request.

Exact numbers, so that one more is seen. What asks PRH or an HTTP customer register is not in them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import request
from sqlalchemy import event

from demo.runner.registrant import PASSWORD, Registrant
from registration.database.connection import Database
from tests.harness.calls import Calls
from tests.harness.registration import TESTISAHKO, Harness, Site, know, open_site, registered, sign_in, to_form

WRONG = "Another Name Oy"
MOST_CALLS = {"sqlite": 24_000, "postgresql": 27_500}
"""Calls of functions, of Python and of C, in the application, on Python 3.11."""


class Counts(dict[str, tuple[int, int, int]]):
    """Transactions, those of them that write, and statements, by request."""

    @property
    def in_all(self) -> tuple[int, ...]:
        """The sums."""
        return tuple(map(sum, zip(*self.values(), strict=True)))


@contextmanager
def counted(database: Database) -> Iterator[Counts]:
    """What each request asks of the database: known at the end of the block."""
    begun, writing, statements, counts = Counter[str](), Counter[str](), Counter[str](), Counts()

    def of_request() -> str:
        return f"{request.method} {request.path}"

    def begin(_connection: Any) -> None:
        begun[of_request()] += 1

    def commit(_connection: Any) -> None:
        writing[of_request()] += 1

    def execute(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements[of_request()] += not statement.startswith("BEGIN")  # as it is said to SQLite

    listeners: dict[str, Callable[..., None]] = {"begin": begin, "commit": commit, "before_cursor_execute": execute}
    for name, listener in listeners.items():
        event.listen(database.engine, name, listener)
    try:
        yield counts
    finally:
        for name, listener in listeners.items():
            event.remove(database.engine, name, listener)
    counts.update({which: (begun[which], writing[which], statements[which]) for which in begun})


def audit_lock(site: Site) -> int:
    """One statement more on PostgreSQL: the end of the audit trail is held."""
    return 0 if site.database.is_sqlite else 1


@pytest.fixture
def at_form(site_on_either: Site) -> Registrant:
    """Somebody at the form, of a company that another has founded."""
    registered(site_on_either, "founder")
    person = site_on_either.registrant()
    to_form(person)
    return person


def test_a_registration_takes_so_many_transactions_and_statements(site_on_either: Site, at_form: Registrant) -> None:
    with counted(site_on_either.database) as counts:
        review = at_form.fill(at_form.get("/form"), TESTISAHKO)
        assert at_form.post("/review", review).path == "/done"
    lock = audit_lock(site_on_either)
    assert counts == {
        "GET /form": (1, 0, 1),
        "POST /form": (4, 2, 7),
        "GET /review": (1, 0, 1),
        "POST /review": (4, 2, 19 + lock),
        "GET /done": (1, 0, 1),
    }
    assert counts.in_all == (11, 4, 29 + lock)


def test_a_form_that_is_not_right_takes_no_more(site_on_either: Site, at_form: Registrant) -> None:
    with counted(site_on_either.database) as counts:
        assert at_form.fill(at_form.get("/form"), TESTISAHKO, email="nobody").status == 422
    assert counts["POST /form"] == (3, 2, 3)
    with counted(site_on_either.database) as counts:
        assert at_form.fill(at_form.get("/form"), TESTISAHKO, company_name=WRONG).status == 422
    assert counts["POST /form"] == (4, 2, 7)


def test_a_sign_in_takes_so_many_transactions(site_on_either: Site) -> None:
    registered(site_on_either, "person")
    person = site_on_either.registrant()
    with counted(site_on_either.database) as counts:
        assert sign_in(person, "person", "not the password").path == "/sign-in"
    assert counts["POST /sign-in"] == (1, 1, 4)
    with counted(site_on_either.database) as counts:
        assert sign_in(person, "person", PASSWORD).path == "/rights"
    assert counts["POST /sign-in"] == (3, 3, 10 + audit_lock(site_on_either))


def test_a_registration_is_so_many_calls_of_functions(
    harness: Harness, empty_tables: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The least of three, as some fall together with what is done once a minute.

    Its site is its own: an engine that something has listened to calls more for as long as it lives.
    """
    harness.system.reset()
    site = open_site(harness, harness.config(empty_tables), harness.system.clock)
    know(site, [TESTISAHKO])
    calls = Calls(site.app, monkeypatch)
    registered(site, "founder")
    counted = []
    for number in range(4):
        person, name = site.registrant(), f"person{number}"
        to_form(person)
        calls.told()
        review = person.fill(person.get("/form"), TESTISAHKO, user_name=name, email=f"{name}@example.com")
        assert person.post("/review", review).path == "/done"
        counted.append(calls.told())
    most, least = MOST_CALLS["sqlite" if site.database.is_sqlite else "postgresql"], min(counted[1:])
    site.database.close()
    assert least <= most, counted  # the first one is not counted: statements are compiled
    assert least > most * 0.85, "then the bound can be lower"
