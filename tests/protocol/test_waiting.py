"""While one request finishes an attempt, equal ones wait on a page that holds no thread and goes on by itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

import pytest
import requests

from broker.pages.rendering import LOOK_AGAIN
from providers.errors import ProviderFailed, Step
from tests.harness.broker import Broker
from tests.harness.broker_pair import CALLBACK, MINUTE, SECONDS, Pair, ask, chooser, goes_back, identified, page
from tests.harness.browser import Arrival, Browser

WAIT = "Your identification is being completed"


@dataclass
class Held:
    """A callback whose bank has not answered yet. first: where its request will be sent on to."""

    browser: Browser
    callback: str
    cookies: dict[str, str]
    first: Any
    go_on: threading.Event

    def finish(self) -> str:
        """Let the bank answer; where the first request was sent on to."""
        self.go_on.set()
        return str(self.first.result(SECONDS))


@pytest.fixture
def held(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    pair.everybody()
    browser = pair.browser()
    callback = browser.start(idp_hint="op", stop_before=CALLBACK).url
    cookies, go_on = browser.session.cookies.get_dict(), threading.Event()
    entered = _hold(monkeypatch, pair.brokers[0], go_on)
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(ask, pair.at(callback, pair.ports[0]), cookies)
        assert entered.wait(SECONDS)
        yield Held(browser, callback, cookies, first, go_on)
        go_on.set()


def _hold(monkeypatch: pytest.MonkeyPatch, broker: Broker, until: threading.Event) -> threading.Event:
    """Let a broker's answer from `op` wait; the event returned is set when it does."""
    adapter = broker.parts.flow.adapters["op"]
    finish, entered = adapter.finish, threading.Event()

    def slow(*arguments: Any) -> Any:
        entered.set()
        assert until.wait(SECONDS)
        return finish(*arguments)

    monkeypatch.setattr(adapter, "finish", slow)
    return entered


def test_eight_equal_callbacks_at_once_post_the_code_once_and_have_one_outcome(pair: Pair, held: Held) -> None:
    with ThreadPoolExecutor(8) as threads:
        urls = [pair.at(held.callback, pair.ports[number % 2]) for number in range(8)]
        places = set(threads.map(lambda url: ask(url, held.cookies), urls))
    (place,) = places
    assert place.startswith("/wait/")
    wait = page(held.browser.open(urljoin(pair.issuer, place)), 200, WAIT)
    outcome = held.finish()
    assert ask(pair.at(wait.url, pair.ports[1]), held.cookies) == outcome
    assert ask(pair.at(held.callback, pair.ports[1]), held.cookies) == outcome
    assert pair.tokens_asked() == 1
    identified(held.browser, held.browser.open(held.callback), "op")


def test_the_waiting_page_looks_again_by_itself_and_can_be_asked_to(pair: Pair, held: Held) -> None:
    wait = page(held.browser.open(held.callback), 200, WAIT)
    assert wait.page is not None
    assert wait.page.headers["Refresh"] == str(LOOK_AGAIN) == "2"
    assert wait.url in wait.links()
    assert "code=" not in wait.url
    assert "http-equiv" not in wait.text


def test_a_late_refusal_takes_no_time_from_an_attempt_that_has_begun_meanwhile(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair.everybody()
    browser = pair.browser()
    shown = chooser(browser.start())
    callback = browser.open(shown.link("/op"), stop_before=CALLBACK).url

    def late(*arguments: Any) -> Any:
        pair.system.later(14 * MINUTE)
        browser.open(shown.link("/nordea"), stop_before=pair.system.mock_url)
        raise ProviderFailed(Step.RESPONSE, "the bank gave up after a while")

    for broker in pair.brokers:
        monkeypatch.setattr(broker.parts.flow.adapters["op"], "finish", late)
    page(browser.open(callback), 502, "did not succeed")
    pair.system.later(18 * MINUTE)
    chooser(browser.open(shown.url))


def test_an_equal_callback_is_answered_at_once_and_a_look_is_one_question_to_the_store(pair: Pair, held: Held) -> None:
    begun = time.monotonic()
    place = held.browser.open(held.callback).url
    assert time.monotonic() - begun < 5  # the bank would be waited for ten seconds
    registry = pair.brokers[1].parts.metrics.registry
    before = registry.get_sample_value("tunnus_store_round_trips_total")
    with requests.Session() as stranger:
        stranger.trust_env = False
        assert stranger.get(pair.at(place, pair.ports[1]), timeout=SECONDS).status_code == 410
    assert registry.get_sample_value("tunnus_store_round_trips_total") == before


@pytest.mark.parametrize("where", ["callback", "wait"])
def test_an_outcome_that_does_not_come_ends_in_an_interruption_from_which_one_can_start_again(
    pair: Pair, held: Held, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    browser = held.browser
    browser.rewrite = lambda url: pair.at(url, pair.ports[1])
    place = page(browser.open(held.callback), 200, WAIT).url
    address = {"callback": held.callback, "wait": place}[where]
    pair.system.clock.offset += 28
    page(browser.open(address), 200, WAIT)
    pair.system.clock.offset += 3
    broken = page(browser.open(address), 503, "Identification was interrupted")
    assert "code=" in held.finish()
    goes_back(browser, broken, "temporarily_unavailable")
    chooser(browser.open(broken.link("/choose/")))
    monkeypatch.undo()
    assert "code" in browser.open(broken.link("/identify/")).answer


def test_waiting_for_another_browsers_outcome_shows_nothing_of_it(pair: Pair, held: Held) -> None:
    other = pair.browser()
    chooser(other.start())
    place = page(held.browser.open(held.callback), 200, WAIT).url
    _is_home(other.open(place))


def _is_home(arrival: Arrival) -> None:
    page(arrival, 410, "Start identification in the service")
