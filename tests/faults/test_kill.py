"""kill -9 of the broker at each step of a login costs at most the request in flight."""

from __future__ import annotations

import os

import pytest
import requests
from authlib.integrations.base_client import OAuthError

from tests.harness.broker_process.process import BrokerProcess
from tests.harness.browser import Browser

CALLBACK = "/callback/"


def tokens_asked(broker: BrokerProcess) -> int:
    """How often a code was posted to a bank."""
    return sum(sent["kind"] == "token" for sent in broker.system.mock.requests())


def identified_records(broker: BrokerProcess) -> int:
    """How many identifications the audit trail holds."""
    return sum(file.read_text().count('"identified"') for file in broker.audit.glob("*"))


def everybody(broker: BrokerProcess) -> None:
    """The bank identifies one person, as often as asked."""
    broker.system.mock.next("*", persona=broker.system.adult()["id"], times=0)


@pytest.mark.drill
@pytest.mark.parametrize("point", ["before the transaction is stored", "after the transaction was stored"])
def test_killed_while_a_login_begins_a_reload_begins_it(broker: BrokerProcess, point: str) -> None:
    everybody(broker)
    broker.start(point)
    browser = broker.browser()
    address = browser.authorize_url()
    with pytest.raises(requests.ConnectionError):
        browser.open(address)
    assert broker.was_killed()
    broker.start()
    chooser = browser.open(address)
    assert browser.token(browser.open(chooser.link("/op")))["idp"] == "op"


@pytest.mark.drill
def test_a_start_removes_what_a_broker_that_was_killed_in_a_look_at_the_disk_left(broker: BrokerProcess) -> None:
    left = broker.audit / ".probe-1-0123abcd"
    broker.audit.mkdir(mode=0o700, exist_ok=True)
    left.write_bytes(b"")
    os.utime(left, (1, 1))
    broker.start()
    assert not left.exists()


@pytest.mark.drill
@pytest.mark.parametrize("point", ["before the attempt is stored", "after the attempt was stored"])
def test_killed_on_the_way_to_a_bank_the_person_chooses_again(broker: BrokerProcess, point: str) -> None:
    everybody(broker)
    broker.start(point)
    browser = broker.browser()
    chooser = browser.start()
    with pytest.raises(requests.ConnectionError):
        browser.open(chooser.link("/op"))
    assert broker.was_killed()
    broker.start()
    assert browser.token(browser.open(chooser.link("/op")))["idp"] == "op"


@pytest.mark.drill
@pytest.mark.parametrize(
    ("point", "way", "provider"),
    [
        ("after the claim", "/identify/", "op"),
        ("after the bank answered", "/choose/", "nordea"),
        ("after the audit record", "/identify/", "op"),
        ("before the code is stored", "/choose/", "nordea"),
    ],
)
def test_killed_before_the_outcome_the_person_chooses_again_and_succeeds(
    broker: BrokerProcess, point: str, way: str, provider: str
) -> None:
    everybody(broker)
    browser, callback = killed_at_the_callback(broker, point)
    asked, recorded = tokens_asked(broker), identified_records(broker)
    broken = browser.wait_through(browser.open(callback))
    assert (broken.status, "Identification was interrupted" in broken.title) == (503, True)
    assert tokens_asked(broker) == asked <= 1
    assert broken.link("/return/")
    on = browser.open(broken.link(way), stop_before=CALLBACK)
    done = browser.open(on.url if on.page is None else on.link(f"/{provider}"))
    assert browser.token(done)["idp"] == provider
    assert identified_records(broker) == recorded + 1


@pytest.mark.drill
@pytest.mark.parametrize(("point", "asked"), [("before the claim", 0), ("after the code was stored", 1)])
def test_killed_before_the_claim_or_after_the_outcome_a_reload_finishes(
    broker: BrokerProcess, point: str, asked: int
) -> None:
    everybody(broker)
    browser, callback = killed_at_the_callback(broker, point)
    assert tokens_asked(broker) == asked
    assert browser.token(browser.open(callback))["idp"] == "op"
    assert tokens_asked(broker) == 1


def test_an_audit_record_is_on_the_disk_before_there_is_a_code(broker: BrokerProcess) -> None:
    everybody(broker)
    broker.start("after the audit record")
    before = identified_records(broker)
    browser = broker.browser()
    with pytest.raises(requests.ConnectionError):
        browser.start(idp_hint="op")
    assert broker.was_killed()
    assert identified_records(broker) == before + 1


@pytest.mark.drill
def test_a_token_response_that_was_lost_costs_one_identification(broker: BrokerProcess) -> None:
    everybody(broker)
    broker.start("after the token was handed over")
    browser = broker.browser()
    arrival = browser.start(idp_hint="op")
    with pytest.raises(requests.ConnectionError):
        browser.token(arrival)
    assert broker.was_killed()
    broker.start()
    with pytest.raises(OAuthError, match="invalid_grant"):
        browser.token(arrival)
    assert browser.token(browser.start(idp_hint="op"))["idp"] == "op"


def killed_at_the_callback(broker: BrokerProcess, point: str) -> tuple[Browser, str]:
    """A person comes back from the bank, the broker dies at the point, and is started again."""
    broker.start(point)
    browser = broker.browser()
    callback = browser.start(idp_hint="op", stop_before=CALLBACK).url
    with pytest.raises(requests.ConnectionError):
        browser.open(callback)
    assert broker.was_killed()
    broker.start()
    return browser, callback
