"""kill -9 of Valkey: nothing acknowledged over 3 seconds before is lost, and what is lost ends in a page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis

from broker.settings.store import StoreSettings
from broker.store import Entry, Key, RedisStore, connect
from kit.pages.rendering import SECURITY_HEADERS
from tests.harness.broker import Broker, System
from tests.harness.browser import Arrival, Browser
from tests.harness.valkey import Valkey

CALLBACK = "/callback/"
HOME = "https://example.com/"
PROMISED = 3000
"""Milliseconds after which what was acknowledged must not be lost any more."""
ENTRIES = 2000


@dataclass
class Tab:
    """A person at the bank: every address of the broker that the browser could come back to."""

    broker: Broker
    browser: Browser
    callback: str
    chooser: Arrival

    @property
    def addresses(self) -> dict[str, str]:
        issuer, transaction = self.broker.client.issuer, urlsplit(self.chooser.url).path.split("/")[2]
        return {
            "authorize": self.browser.authorize_url(),
            "choose": self.chooser.url,
            "identify": self.chooser.link("/op"),
            "callback": self.callback,
            "wait": f"{issuer}/wait/{transaction}",
            "problem": f"{issuer}/problem/{transaction}",
            "return": f"{issuer}/return/{transaction}",
        }

    def visit(self) -> dict[str, Arrival]:
        """Open each address."""
        return {name: self.browser.open(url) for name, url in self.addresses.items()}

    def identifies(self, provider: str = "op") -> None:
        """From the very start, all the way."""
        assert self.browser.token(self.browser.start(idp_hint=provider))["idp"] == provider


@pytest.fixture
def tab(system: System) -> Tab:
    system.mock.next("*", persona=system.adult()["id"], times=0)
    broker = system.broker("telia", "shared")
    browser = Browser(broker.client)
    browser.token(browser.start(idp_hint="op"))  # so that it has the bank's keys
    chooser = browser.start()
    callback = browser.open(chooser.link("/op"), stop_before=CALLBACK).url
    return Tab(broker, browser, callback, chooser)


@pytest.fixture
def client(valkey: Valkey) -> Iterator[redis.Redis]:
    valkey.start()
    with connect(StoreSettings(url=valkey.url, timeout=10)) as made:
        yield made


def is_page(arrival: Arrival) -> None:
    """A page of ours, with its headers."""
    assert arrival.page is not None, f"no page, but {arrival.url}"
    headers = arrival.page.headers
    assert {name: headers.get(name) for name in SECURITY_HEADERS} == SECURITY_HEADERS
    assert headers["Content-Type"] == "text/html; charset=utf-8"


def test_nothing_acknowledged_over_three_seconds_before_a_kill_is_lost(
    system: System, valkey: Valkey, client: redis.Redis
) -> None:
    store = RedisStore(client, system.ring)
    keys = [Key("problem", "", f"number {number}") for number in range(ENTRIES)]
    for key in keys:
        store.put(Entry(key, {"kept": key.secret}, 600))
    # The one wait that cannot be avoided, for an fsync once a second: WAITAOF comes back when it was done.
    local, _ = client.execute_command("WAITAOF", 1, 0, PROMISED)
    assert local == 1
    valkey.kill()
    valkey.start()
    assert [store.get(key)[0] for key in keys] == [{"kept": key.secret} for key in keys]


def test_a_login_goes_on_after_a_kill_of_the_store(tab: Tab, valkey: Valkey, client: redis.Redis) -> None:
    assert client.execute_command("WAITAOF", 1, 0, PROMISED)[0] == 1
    valkey.kill()
    valkey.start()
    answer = tab.browser.open(tab.callback).answer
    assert "code" in answer


def test_without_a_store_there_is_a_page_and_afterwards_all_goes_on(tab: Tab, valkey: Valkey) -> None:
    valkey.kill()
    for name, arrival in tab.visit().items():
        is_page(arrival)
        assert (name, arrival.status) == (name, 503)
        assert arrival.url in arrival.links()  # to try again
        assert arrival.page is not None
        assert arrival.page.headers["Retry-After"] == "10"
    valkey.start()
    tab.identifies()


def test_a_store_that_dies_while_the_bank_answers_ends_in_an_interruption(
    tab: Tab, valkey: Valkey, client: redis.Redis, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = tab.broker.parts.flow.adapters["shared-telia"]
    finish = adapter.finish

    def last_words(*arguments: Any) -> Any:
        assert client.execute_command("WAITAOF", 1, 0, PROMISED)[0] == 1
        valkey.kill()
        return finish(*arguments)

    monkeypatch.setattr(adapter, "finish", last_words)
    down = tab.browser.open(tab.callback)
    is_page(down)
    assert down.status == 503
    monkeypatch.undo()
    valkey.start()
    system.clock.offset += 31
    broken = tab.browser.open(tab.callback)
    is_page(broken)
    assert (broken.status, "Identification was interrupted" in broken.title) == (503, True)
    assert sum(sent["kind"] == "token" for sent in system.mock.requests()) == 2  # the one of `tab`, and this
    assert "code" in tab.browser.open(broken.link("/identify/")).answer


def ends_well(arrival: Arrival) -> None:
    """At the client, or on a page that is no fault and has a way on."""
    if arrival.page is None:
        assert set(arrival.answer) & {"code", "error"}
        return
    is_page(arrival)
    assert arrival.status < 500, f"{arrival.status} {arrival.title}"
    ways = [link for link in arrival.links() if any(way in link for way in ("/identify/", "/choose/", "/return/"))]
    assert ways or HOME in arrival.links()


def test_a_store_that_lost_everything_ends_in_pages_that_lead_to_the_services(tab: Tab, valkey: Valkey) -> None:
    valkey.lose_everything()
    arrivals = tab.visit()
    for name, arrival in arrivals.items():
        ends_well(arrival)
        if name != "authorize":
            assert (name, arrival.status) == (name, 410)
            assert HOME in arrival.links()
    tab.identifies()


@pytest.mark.parametrize("finished", [False, True])
@pytest.mark.parametrize(
    "kind", ["transaction", "attempt", "attempts", "claim", "outcome", "return", "return-state", "limit"]
)
def test_a_lost_key_ends_in_a_page_with_a_way_on(
    tab: Tab, client: redis.Redis, system: System, kind: str, finished: bool
) -> None:
    if finished:
        assert "code" in tab.browser.open(tab.callback).answer
    names = [name for name in client.scan_iter(count=1000) if f":{kind}:".encode() in name]
    if names:
        client.delete(*names)
    assert names or (kind in ("claim", "outcome") and not finished)
    system.clock.offset += 31  # whoever waits for an outcome that was lost has waited long enough
    for url in (tab.callback, *tab.addresses.values()):
        arrival = tab.browser.open(url, stop_before=system.mock_url)
        if not arrival.url.startswith(system.mock_url):
            _unless_interrupted(arrival)


def _unless_interrupted(arrival: Arrival) -> None:
    """The page of an interruption is a 503 by design, and has its ways on; nothing else may be a 5xx."""
    if arrival.page is not None and "Identification was interrupted" in arrival.title:
        assert arrival.link("/choose/")
        return
    ends_well(arrival)
