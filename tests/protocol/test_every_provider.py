"""One whole identification through every provider, dialect and shape of contract, over HTTP."""

from __future__ import annotations

import pytest

from demo.runner.configs import ANY_BANK, PROVIDERS
from demo.runner.proof import differences
from tests.harness.broker import CONTRACTS, System
from tests.harness.browser import Browser
from tests.harness.tables import rows

ROWS = [
    (dialect, shape, ANY_BANK if (dialect, shape) == ("ftn", "shared") else provider)
    for dialect, shape in CONTRACTS
    for provider in (PROVIDERS if (dialect, shape) != ("ftn", "shared") else PROVIDERS[:1])
]


def is_usual(place: int, dialect: str, shape: str) -> bool:
    """Every provider once over all contracts, and each contract at least once."""
    return place % len(CONTRACTS) == CONTRACTS.index((dialect, shape)) or (dialect, shape) == ("ftn", "shared")


EVERY_ROW = [
    ("-".join(row), is_usual(PROVIDERS.index(row[2]) if row[2] in PROVIDERS else 0, *row[:2]), row) for row in ROWS
]


@pytest.mark.parametrize(("dialect", "shape", "row"), list(rows(EVERY_ROW)))
def test_a_person_who_identifies_is_who_the_token_says(system: System, dialect: str, shape: str, row: str) -> None:
    broker = system.broker(dialect, shape)
    persona = system.adult()
    system.mock.next("*", persona=persona["id"])
    browser = Browser(broker.client)
    claims = browser.token(browser.start(idp_hint=row))
    assert differences(claims, persona, None if row == ANY_BANK else row) is None


def test_the_same_person_is_the_same_subject_through_every_bank(system: System) -> None:
    subjects = set()
    for dialect, row in (("telia", "aktia"), ("telia", "nordea"), ("isb", "op")):
        persona = system.adult()
        system.mock.next("*", persona=persona["id"])
        browser = Browser(system.broker(dialect, "shared").client)
        subjects.add(browser.token(browser.start(idp_hint=row))["sub"])
    assert len(subjects) == 1


def test_without_a_hint_the_person_chooses_from_a_page(system: System) -> None:
    persona = system.adult()
    system.mock.next("nordea", persona=persona["id"])
    browser = Browser(system.broker().client)
    chooser = browser.start()
    assert chooser.status == 200
    claims = browser.token(browser.open(chooser.link("/nordea")))
    assert claims["idp"] == "nordea"


def test_no_page_has_a_clients_parameters_in_its_address(system: System) -> None:
    browser = Browser(system.broker().client)
    chooser = browser.start()
    assert "?" not in chooser.url
    assert browser.state not in chooser.url
