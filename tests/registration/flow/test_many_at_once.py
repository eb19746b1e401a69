"""Fifty persons register for the same company at the same moment, over two processes: one of them is administrator."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Event, Semaphore
from typing import Any

import pytest

from demo.runner.registrant import Page
from registration.customer_register import belongs_together
from registration.database.models import (
    Account,
    AuditRecord,
    Company,
    CustomerNumber,
    Draft,
    OutboxEntry,
    Representation,
    Session,
    Tries,
)
from registration.flow import checks
from tests.harness.registration import TESTISAHKO, Harness, Site, know, open_site, to_form
from tests.harness.registration_process.process import RegistrationProcess, Visitor

PERSONS = 50
COLLEAGUES = 4
AT_A_TIME = 8
"""Persons who come to the review at a time, before they all send at once."""


@pytest.fixture
def two(site_on_either: Site, tmp_path: Path) -> Iterator[list[RegistrationProcess]]:
    """Two processes of registration that share a database and keys."""
    made = [RegistrationProcess(site_on_either.config, tmp_path) for _ in range(2)]
    try:
        for process in made:
            process.begin()
        for process in made:
            process.wait_until_ready()
        yield made
    finally:
        for process in made:
            process.end()


def to_review(site: Site, ports: list[int], number: int) -> tuple[Visitor, Page]:
    """A person who has filled in everything; each request went to the other process than the one before."""
    person = Visitor(site.harness.url, site.harness.mock).behind(*ports[number % 2 :], *ports[: number % 2])
    person.persona = site.harness.mock.made_adult()
    form = to_form(person)
    name = f"person{number}"
    review = person.fill(form, TESTISAHKO, user_name=name, email=f"{name}@example.com")
    return person, person.expect("/review", review)


@pytest.mark.drill
def test_of_fifty_at_the_same_moment_over_two_processes_one_is_administrator(
    site_on_either: Site, two: list[RegistrationProcess]
) -> None:
    site, ports = site_on_either, [process.port for process in two]
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        ready = list(pool.map(lambda number: to_review(site, ports, number), range(PERSONS)))
    together = Barrier(PERSONS)

    def send(person: Visitor, review: Page) -> str:
        together.wait(60)
        return person.post("/review", review).path

    with ThreadPoolExecutor(PERSONS) as pool:
        ended = Counter(pool.map(lambda one: send(*one), ready))
    assert ended == {"/done": PERSONS}
    everybody_is_whole(site)


def test_right_ones_at_the_same_moment_are_not_too_many_tries(
    harness: Harness, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = harness.config(sqlite_url)
    config["rules"] = {"tries_per_customer_number": COLLEAGUES - 1}
    site = open_site(harness, config, harness.system.clock)
    know(site, [TESTISAHKO])
    inside, go_on = Semaphore(0), Event()

    def slowly(*asked: Any) -> str | None:
        inside.release()
        assert go_on.wait(30)
        return belongs_together(*asked)

    persons = [site.registrant() for _ in range(COLLEAGUES)]
    forms = [to_form(person) for person in persons]
    monkeypatch.setattr(checks, "belongs_together", slowly)
    with ThreadPoolExecutor(COLLEAGUES) as pool:
        sent = [pool.submit(person.fill, form, TESTISAHKO) for person, form in zip(persons, forms, strict=True)]
        all_asked = [inside.acquire(timeout=5) for _ in persons]
        go_on.set()
        ended = [page.result().path for page in sent]
    site.database.close()
    assert ended == ["/review"] * COLLEAGUES
    assert all(all_asked)


def everybody_is_whole(site: Site) -> None:
    """Fifty accounts, each with its right, customer number, e-mail, audit record and session; one administrator."""
    accounts = {account.id for account in site.rows(Account)}
    assert len(accounts) == PERSONS
    assert [company.fo_nummer for company in site.rows(Company)] == [TESTISAHKO.fo_nummer]
    rights = site.rows(Representation)
    assert sorted(right.administrator for right in rights) == [False] * (PERSONS - 1) + [True]
    assert {right.users for right in rights if not right.administrator} == {"none"}
    registered = [record for record in site.rows(AuditRecord) if record.event == "registered"]
    assert Counter(record.details["administrator"] for record in registered) == {"no": PERSONS - 1, "yes": 1}
    for kept in (
        [right.account_id for right in rights],
        [number.account_id for number in site.rows(CustomerNumber)],
        [entry.account_id for entry in site.rows(OutboxEntry)],
        [record.subject for record in registered],
        [session.account_id for session in site.rows(Session)],
    ):
        assert len(kept) == PERSONS
        assert set(kept) == accounts
    assert site.rows(Draft) == []
    counts = Counter(tries.count for tries in site.rows(Tries))
    assert counts.pop(PERSONS) == 1  # begun, in all; no proxy tells an address here
    assert counts.pop(2) == PERSONS  # each one's two forms
    assert counts.pop(1) == PERSONS  # each one's confirmation
    assert set(counts) == {0}, "no wrong try of anybody"
