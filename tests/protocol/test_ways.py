"""The ways people really go, over HTTP: two brokers in turn answer them, on one Valkey. None is a dead end."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import pytest
import requests

from providers.engine import breaker
from tests.harness.broker import Broker
from tests.harness.broker_pair import (
    CALLBACK,
    SECONDS,
    Pair,
    ask,
    chooser,
    goes_back,
    identified,
    page,
    transaction_of,
)
from tests.harness.browser import Browser


def test_two_brokers_in_turn_identify_a_person(pair: Pair) -> None:
    pair.everybody()
    browser = pair.browser()
    identified(browser, browser.open(chooser(browser.start()).link("/nordea")), "nordea")


def test_back_from_a_bank_another_bank_can_be_chosen(pair: Pair) -> None:
    pair.everybody()
    browser = pair.browser()
    shown = chooser(browser.start())
    browser.open(shown.link("/aktia"), stop_before=pair.system.mock_url)
    again = chooser(browser.open(shown.url))
    identified(browser, browser.open(again.link("/nordea")), "nordea")


def test_forward_again_to_the_first_bank_is_good_too(pair: Pair) -> None:
    pair.everybody()
    browser = pair.browser()
    shown = chooser(browser.start())
    first = browser.open(shown.link("/aktia"), stop_before=CALLBACK)
    browser.open(shown.link("/nordea"), stop_before=pair.system.mock_url)
    identified(browser, browser.open(first.url), "aktia")


def test_a_reload_of_the_callback_has_the_same_outcome(pair: Pair) -> None:
    pair.everybody()
    browser = pair.browser()
    callback = browser.start(idp_hint="op", stop_before=CALLBACK)
    outcomes = {browser.open(callback.url).url for _ in range(3)}
    assert len(outcomes) == 1
    assert pair.tokens_asked() == 1
    identified(browser, browser.open(callback.url), "op")


@pytest.mark.parametrize("finished", [0, 1])
def test_a_double_click_on_a_row_makes_two_attempts_and_either_may_finish(pair: Pair, finished: int) -> None:
    pair.everybody()
    browser = pair.browser()
    row = chooser(browser.start()).link("/pop")
    callbacks = [browser.open(row, stop_before=CALLBACK).url for _ in range(2)]
    assert callbacks[0] != callbacks[1]
    identified(browser, browser.open(callbacks[finished]), "pop")


@pytest.mark.parametrize("finished", [0, 1])
def test_a_second_tap_while_a_slow_bank_is_being_reached_does_no_harm(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, finished: int
) -> None:
    pair.everybody()
    browser = pair.browser()
    row = chooser(browser.start()).link("/op")
    cookies = browser.session.cookies.get_dict()
    both = threading.Barrier(2)
    for broker in pair.brokers:
        _begin_together(monkeypatch, broker, both)
    with ThreadPoolExecutor(2) as threads:
        banks = list(threads.map(lambda port: ask(pair.at(row, port), cookies), pair.ports))
    assert banks[0] != banks[1]
    callbacks = [browser.open(bank, stop_before=CALLBACK).url for bank in banks]
    identified(browser, browser.open(callbacks[finished]), "op")


def _begin_together(monkeypatch: pytest.MonkeyPatch, broker: Broker, both: threading.Barrier) -> None:
    """Let a broker's request to `op` wait until the other broker has begun one too."""
    adapter = broker.parts.flow.adapters["op"]
    begin = adapter.begin

    def slow(*arguments: Any) -> Any:
        both.wait(SECONDS)
        return begin(*arguments)

    monkeypatch.setattr(adapter, "begin", slow)


def test_two_tabs_are_two_transactions_that_do_not_meet(pair: Pair) -> None:
    pair.everybody()
    one = pair.browser()
    two = pair.browser(sharing=one)
    first, second = chooser(one.start()), chooser(two.start())
    assert transaction_of(first) != transaction_of(second)
    identified(two, two.open(second.link("/aktia")), "aktia")
    identified(one, one.open(first.link("/nordea")), "nordea")


def test_who_cancels_at_the_bank_chooses_anew_or_goes_back(pair: Pair) -> None:
    pair.system.mock.next("nordea", outcome="cancel")
    browser = pair.browser()
    shown = chooser(browser.start(idp_hint="nordea"), "Identification was cancelled")
    pair.everybody()
    goes_back(browser, shown)
    identified(browser, browser.open(shown.link("/aktia")), "aktia")


def test_only_who_cancelled_is_told_of_a_cancellation(pair: Pair) -> None:
    pair.system.mock.next("nordea", outcome="fail")
    browser = pair.browser()
    failed = page(browser.start(idp_hint="nordea"), 502, "Identification did not succeed")
    chooser(browser.open(failed.link("/choose/")))


@pytest.mark.parametrize("hint", ["no-such-bank", "handelsbanken", "op", "<b>", "../x"])
def test_a_hint_that_cannot_be_followed_gives_the_chooser_with_a_notice(
    pair: Pair, hint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(breaker, "FIRST_OPEN", breaker.LONGEST_OPEN)
    for broker in pair.brokers:
        for _ in range(breaker.FAILURES_TO_OPEN):
            broker.parts.flow.adapters["op"]._http.breakers.failed(None)
    browser = pair.browser()
    shown = chooser(browser.start(idp_hint=hint), "The chosen method cannot be used right now")
    pair.everybody()
    identified(browser, browser.open(shown.link("/nordea")), "nordea")


def test_a_row_that_was_closed_since_gives_the_chooser_with_a_notice(pair: Pair) -> None:
    browser = pair.browser()
    row = chooser(browser.start()).link("/op")
    chooser(browser.open(row.replace("/op", "/handelsbanken")), "The chosen method cannot be used right now")


def test_a_row_that_never_was_is_not_found(pair: Pair) -> None:
    browser = pair.browser()
    row = chooser(browser.start()).link("/op")
    assert browser.open(row.replace("/op", "/no-such-bank")).status == 404


@pytest.mark.parametrize(("language", "title"), [("fi", "Valitse tunnistustapa"), ("sv", "Välj")])
def test_a_language_link_keeps_the_page_and_the_pages_after_it(pair: Pair, language: str, title: str) -> None:
    browser = pair.browser()
    shown = chooser(browser.start())
    other = page(browser.open(shown.link(f"ui_locales={language}")), 200, title)
    assert urlsplit(other.url).path == urlsplit(shown.url).path
    assert f'<html lang="{language}">' in browser.open(shown.url).text
    pair.system.mock.next("nordea", outcome="fail")
    failed = browser.open(other.link("/nordea"))
    assert f'<html lang="{language}">' in failed.text
    page(browser.open(failed.link("ui_locales=en")), 502, "Identification did not succeed")


def contents(store: Any) -> dict[bytes, tuple[bytes, int]]:
    """What the store holds, by name: the content, and for how many more milliseconds."""
    names = list(store.scan_iter(count=1000))
    trip = store.pipeline(transaction=False)
    for name in names:
        trip.dump(name).pttl(name)
    answers = trip.execute()
    return {name: (dump, ttl) for name, dump, ttl in zip(names, answers[::2], answers[1::2], strict=True) if dump}


LOOKING_AHEAD = [
    ("GET", {"Sec-Purpose": "prefetch;prerender"}),
    ("GET", {"Sec-Purpose": "Prefetch"}),
    ("GET", {"Purpose": "prefetch"}),
    ("GET", {"X-Moz": "prefetch"}),
    ("HEAD", {}),
]


@pytest.mark.parametrize(("method", "header"), LOOKING_AHEAD)
@pytest.mark.parametrize("where", ["authorize", "identify", "callback"])
def test_a_prefetch_or_a_head_begins_nothing(pair: Pair, where: str, method: str, header: dict[str, str]) -> None:
    pair.everybody()
    browser = pair.browser()
    shown = chooser(browser.start())
    callback = browser.open(shown.link("/op"), stop_before=CALLBACK).url
    url = {"authorize": browser.authorize_url(), "identify": shown.link("/op"), "callback": callback}[where]
    store = pair.brokers[0].parts.store.client
    before = contents(store)
    answer = browser.session.request(method, url, headers=header, allow_redirects=False, timeout=SECONDS)
    assert (answer.status_code, answer.content, answer.headers["Cache-Control"]) == (204, b"", "no-store")
    after = contents(store)
    assert all(name in before and before[name][0] == dump for name, (dump, _) in after.items())
    assert all(name in after for name, (_, ttl) in before.items() if ttl > 100_000)  # others may have lapsed
    if where == "callback":
        assert "code" in browser.open(callback).answer


def test_leaving_at_the_chooser_tells_the_client(pair: Pair) -> None:
    browser = pair.browser()
    goes_back(browser, chooser(browser.start()))


def posted(browser: Browser) -> requests.Response:
    """A form of another site posts the request: no SameSite=Lax cookie comes along."""
    url, _, query = browser.authorize_url().partition("?")
    with requests.Session() as session:
        session.trust_env = False
        return session.post(browser.rewrite(url), parse_qsl(query), allow_redirects=False, timeout=SECONDS)


def test_a_posted_request_keeps_the_other_tabs_of_the_browser(pair: Pair) -> None:
    pair.everybody()
    one = pair.browser()
    first = chooser(one.start())
    two = pair.browser(sharing=one)
    answer = posted(two)
    assert answer.status_code == 303
    second = chooser(two.open(urljoin(pair.issuer, answer.headers["Location"])))
    identified(one, one.open(first.link("/nordea")), "nordea")
    identified(two, two.open(second.link("/op")), "op")


def test_a_posted_request_of_a_browser_without_cookie_works(pair: Pair) -> None:
    pair.everybody()
    browser = pair.browser()
    answer = posted(browser)
    shown = chooser(browser.open(urljoin(pair.issuer, answer.headers["Location"])))
    identified(browser, browser.open(shown.link("/op")), "op")


def test_a_redirect_is_not_kept_and_tells_nobody_where_it_came_from(pair: Pair) -> None:
    browser = pair.browser()
    answer = browser.session.get(browser.authorize_url(), allow_redirects=False, timeout=SECONDS)
    assert answer.status_code == 303
    assert (answer.headers["Cache-Control"], answer.headers["Referrer-Policy"]) == ("no-store", "no-referrer")
