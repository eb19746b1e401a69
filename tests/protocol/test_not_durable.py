"""Too few replicas of the store confirm that an answer was taken: the bank is not asked, and the person is told."""

from __future__ import annotations

from typing import Any

import pytest

from broker.store import NotDurable
from tests.harness.broker import Broker, System
from tests.harness.broker_pair import goes_back, identified, page
from tests.harness.browser import Browser

TITLES = {
    "en": "Identification was interrupted",
    "sv": "Identifieringen blev inte klar",
    "fi": "Tunnistautuminen jäi kesken",
}


@pytest.fixture
def broker(system: System, monkeypatch: pytest.MonkeyPatch) -> Broker:
    """A broker whose next claim is confirmed by no replica."""
    broker = system.broker("telia", "shared")
    store = broker.parts.store
    run, refusals = store.run, [1]

    def not_confirmed(*steps: Any) -> Any:
        answers = run(*steps)
        if any(step.what == "new" and step.key.kind == "claim" for step in steps) and refusals:
            refusals.pop()
            raise NotDurable("0 of 1 replicas have confirmed")
        return answers

    monkeypatch.setattr(store, "run", not_confirmed)
    system.mock.next("*", persona=system.adult()["id"], times=0)
    return broker


def codes_posted(system: System) -> int:
    return sum(sent["kind"] == "token" for sent in system.mock.requests())


@pytest.mark.parametrize("locale", TITLES)
def test_a_person_whose_claim_is_not_durable_is_told_and_goes_on(system: System, broker: Broker, locale: str) -> None:
    browser = Browser(broker.client)
    callback = browser.start(idp_hint="nordea", ui_locales=locale, stop_before="/callback/").url
    told = browser.open(callback)
    page(told, 503, TITLES[locale])
    assert codes_posted(system) == 0
    page(browser.open(callback), 503, TITLES[locale])  # a reload: the same, and still nothing is posted
    assert codes_posted(system) == 0
    identified(browser, browser.open(told.link("/identify/")), "nordea")
    assert codes_posted(system) == 1


def test_the_way_back_says_that_it_is_temporary(broker: Broker) -> None:
    browser = Browser(broker.client)
    told = browser.start(idp_hint="nordea")
    goes_back(browser, page(told, 503, TITLES["en"]), "temporarily_unavailable")


def test_it_is_in_the_audit_trail(broker: Broker) -> None:
    seen: list[tuple[str, dict[str, Any]]] = []
    audit = broker.parts.flow.audit
    record = audit.record
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(audit, "record", lambda event, **fields: (seen.append((event, fields)), record(event, **fields)))
        Browser(broker.client).start(idp_hint="nordea")
    assert [(event, fields["code"], fields["step"]) for event, fields in seen] == [
        ("refused", "interrupted", "response")
    ]
