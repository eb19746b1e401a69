"""The trail of refusals: logins that were refused before a claim are in the audit trail, why and from which client."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from broker.audit import Refusal, count_refusals, verify
from tests.harness.broker import Broker, System
from tests.harness.browser import Browser

Seen = Callable[[], Counter[Refusal]]
AT = "response"


@pytest.fixture
def broker(system: System) -> Broker:
    return system.broker("telia", "shared")


@pytest.fixture
def seen(broker: Broker) -> Seen:
    """What the trail got since the beginning of the test."""
    trail, folder = broker.parts.audit, broker.parts.settings.audit.dir

    def counted() -> Counter[Refusal]:
        trail.write_refusals(all=True)
        return count_refusals(folder, "0") if folder.is_dir() else Counter()

    before = counted()
    return lambda: counted() - before


def at_the_bank(system: System, broker: Broker) -> tuple[Browser, str]:
    """A browser whose person has confirmed, and the callback that it has not followed yet."""
    system.mock.next("nordea", dialect="telia", persona=system.adult()["id"])
    browser = Browser(broker.client)
    return browser, browser.start(idp_hint="nordea", stop_before="/callback/").url


def test_an_answer_in_another_browser_leaves_a_record(system: System, broker: Broker, seen: Seen) -> None:
    _, callback = at_the_bank(system, broker)
    for _ in range(3):
        assert Browser(broker.client).open(callback).status == 400
    assert seen() == {Refusal("lost_cookie", AT, "the attempt was started by another browser", "portal"): 3}


def test_a_page_of_another_browser_leaves_a_record(system: System, broker: Broker, seen: Seen) -> None:
    chooser = Browser(broker.client).start().url
    assert Browser(broker.client).open(chooser).status == 400
    other = Browser(broker.client)
    assert other.open(chooser.replace("/choose/", "/identify/") + "/nordea").status == 400
    kind = Refusal("lost_cookie", "request", "the transaction belongs to another browser", "portal")
    assert seen() == {kind: 2}


def test_a_state_that_was_used_leaves_a_record(system: System, broker: Broker, seen: Seen) -> None:
    browser, callback = at_the_bank(system, broker)
    browser.token(browser.open(callback))
    code = parse_qs(urlsplit(callback).query)["code"][0]
    assert browser.open(callback.replace(code, "another")).status == 410
    assert seen() == {Refusal("replay", AT, "another answer for a state that was used", "portal"): 1}
    system.later(61)
    assert browser.open(callback).status == 410
    assert Refusal("replay", AT, "the state was used and its outcome has lapsed", "portal") in seen()


def test_a_state_that_is_not_ours_missing_or_repeated_leaves_a_record(broker: Broker, seen: Seen) -> None:
    callback = f"{broker.client.issuer}/callback/{next(iter(broker.parts.flow.adapters))}"
    state = "0" * 64
    for query in (f"?code=x&state={state}", "?code=x", f"?code=x&state={state}&state={state}"):
        requests.get(callback + query, timeout=30)
    found = seen()
    assert found.pop(Refusal("expired", AT, "the state is not known")) == 1
    assert {(kind.code, kind.step, kind.client) for kind in found} == {("bad_request", AT, None)}
    assert sum(found.values()) == 2


def test_a_refused_authorization_request_leaves_a_record(broker: Broker, seen: Seen) -> None:
    browser = Browser(broker.client)
    browser.start(redirect_uri="https://elsewhere.example/")
    browser.start(client_id="stranger")
    browser.start(nonce=None)
    assert seen() == {
        Refusal("bad_request", "authorization_request", None, "portal"): 1,
        Refusal("bad_request", "authorization_request"): 1,
        Refusal("invalid_request", "authorization_request", None, "portal"): 1,
    }


def test_what_was_claimed_has_a_record_of_its_own_and_is_not_counted(
    system: System, broker: Broker, seen: Seen
) -> None:
    system.mock.next("nordea", dialect="telia", persona=system.adult()["id"], faults=[{"name": "invalid-iss"}])
    assert Browser(broker.client).start(idp_hint="nordea").status == 502
    assert not seen()


def test_the_records_hold_nothing_of_anybody_and_the_chain_holds(system: System, broker: Broker, seen: Seen) -> None:
    browser, callback = at_the_bank(system, broker)
    secrets = [value for values in parse_qs(urlsplit(callback).query).values() for value in values if len(value) > 20]
    assert len(secrets) >= 2
    assert Browser(broker.client).open(callback).status == 400
    assert seen()
    folder: Path = broker.parts.settings.audit.dir
    text = "".join(path.read_text() for path in folder.iterdir())
    assert not any(secret in text for secret in [*secrets, browser.state, browser.nonce, "127.0.0.1"])
    assert verify(folder).findings == []


def test_a_full_disk_changes_no_answer(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    from broker.audit import AuditUnavailable

    def fail(*_: object, **__: object) -> None:
        raise AuditUnavailable("No space left on device")

    monkeypatch.setattr(broker.parts.audit, "record", fail)
    callback = f"{broker.client.issuer}/callback/{next(iter(broker.parts.flow.adapters))}"
    assert requests.get(f"{callback}?code=x", timeout=30).status_code == 400
