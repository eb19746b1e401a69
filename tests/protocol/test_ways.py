"""The ways people really go, over HTTP: two brokers in turn answer them, on one Valkey. None is a dead end."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from copy import deepcopy
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import pytest
import requests

from broker.app import create_app
from broker.flow.records import MOST_ATTEMPTS, MOST_TRANSACTIONS
from broker.settings import Settings
from broker.store import slotted
from demo.runner.client import Client
from demo.runner.processes import free_port
from kit.pages.rendering import SECURITY_HEADERS
from providers.engine import breaker
from tests.harness.broker import PORTAL, Broker, System
from tests.harness.browser import Arrival, Browser

MINUTE, HOUR = 60, 3600
CALLBACK = "/callback/"
WAITING_AT_ONCE = 2
"""One waiter per attempt and process; there are two processes' worth of brokers here."""
SECONDS = 30.0


@dataclass
class Pair:
    """Two brokers with the same settings. Each request of a browser goes to the one that did not get the last."""

    system: System
    brokers: tuple[Broker, Broker]
    ports: tuple[int, int]

    @property
    def issuer(self) -> str:
        return self.brokers[0].client.issuer

    def browser(self, *, sharing: Browser | None = None) -> Browser:
        """A browser of its own; sharing: another tab of that one."""
        browser = Browser(self.brokers[0].client)
        if sharing is not None:
            browser.session = sharing.session
        turns = itertools.cycle(self.ports)
        browser.rewrite = lambda url: self.at(url, next(turns))
        return browser

    def at(self, url: str, port: int) -> str:
        """The same address at one of the two."""
        return url.replace(self.issuer, f"http://127.0.0.1:{port}", 1) if url.startswith(self.issuer) else url

    def everybody(self, faces: str = "*") -> None:
        """The bank identifies one person, as often as asked."""
        self.system.mock.next(faces, persona=self.system.adult()["id"], times=0)

    def tokens_asked(self) -> int:
        """How often a code was posted to a bank."""
        return sum(sent["kind"] == "token" for sent in self.system.mock.requests())


@pytest.fixture(scope="module")
def both(system: System) -> Iterator[Pair]:
    ports = (free_port(), free_port())
    issuer = f"http://127.0.0.1:{ports[0]}"
    config = system.config("telia", "own") | {"issuer": issuer}
    config["providers"]["handelsbanken"]["status"] = "closed"
    published = (issuer, config)
    system.more_issuers.append(published)
    client = Client(issuer, "portal", f"{PORTAL}/callback", system.client_keys)
    apps = [create_app(Settings.model_validate(config), clock=system.clock) for _ in ports]
    for app, port in zip(apps, ports, strict=True):
        system.serve(app, port)
    first, second = (Broker(app, client, config) for app in apps)
    yield Pair(system, (first, second), ports)
    system.more_issuers.remove(published)


@pytest.fixture
def pair(both: Pair) -> Pair:
    """The two brokers, all banks taken for well."""
    for broker in both.brokers:
        for adapter in broker.parts.flow.adapters.values():
            adapter._http.breakers.reset()
    return both


def page(arrival: Arrival, status: int, title: str) -> Arrival:
    """What every page must be: of that status, with the headers, and nothing of the client in its address."""
    assert arrival.page is not None, f"no page, but {arrival.url}"
    assert (arrival.status, title in arrival.title) == (status, True), f"{arrival.status} {arrival.title}"
    headers = arrival.page.headers
    assert {name: headers.get(name) for name in SECURITY_HEADERS} == SECURITY_HEADERS
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert urlsplit(arrival.url).query in ("", "ui_locales=fi", "ui_locales=sv", "ui_locales=en")
    return arrival


def chooser(arrival: Arrival, notice: str = "Choose how to identify yourself") -> Arrival:
    shown = page(arrival, 200, notice)
    assert notice != "Choose how to identify yourself" or 'class="notice"' not in shown.text
    return shown


def goes_back(browser: Browser, arrival: Arrival, error: str = "access_denied") -> None:
    """The page has a way back, and it tells the client, with its state and our issuer (RFC 9207)."""
    back = browser.open(arrival.link("/return/"))
    assert back.answer == {"error": error, "state": browser.state, "iss": browser.client.issuer}


def identified(browser: Browser, arrival: Arrival, provider: str) -> None:
    assert browser.token(arrival)["idp"] == provider


def transaction_of(arrival: Arrival) -> str:
    return urlsplit(arrival.url).path.split("/")[2]


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
        banks = list(threads.map(lambda port: _ask(pair.at(row, port), cookies), pair.ports))
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


def test_a_restored_tab_is_told_that_time_ran_out_and_can_go_back(pair: Pair) -> None:
    browser = pair.browser()
    shown = chooser(browser.start())
    row = shown.link("/op")
    pair.system.later(31 * MINUTE)
    for restored in (shown.url, row):
        expired = page(browser.open(restored), 410, "The time for identification ended")
        assert PORTAL in expired.links()
        goes_back(browser, expired)


def test_a_tab_restored_days_later_leads_to_the_services(pair: Pair) -> None:
    browser = pair.browser()
    shown = chooser(browser.start())
    pair.system.later(31 * MINUTE + 25 * HOUR)
    for address in (shown.url, shown.link("/return/"), shown.link("/op")):
        site = page(browser.open(address), 410, "Start identification in the service")
        assert "https://example.com/" in site.links()


def test_an_attempt_that_took_too_long_can_be_repeated_in_its_transaction(pair: Pair) -> None:
    pair.everybody()
    browser = pair.browser()
    callback = browser.start(idp_hint="op", stop_before=CALLBACK)
    pair.system.later(16 * MINUTE)
    expired = page(browser.open(callback.url), 410, "The time for identification ended")
    assert pair.tokens_asked() == 0
    again = chooser(browser.open(expired.link("/choose/")))
    assert "code" in browser.open(again.link("/op")).answer


def test_an_attempt_that_the_store_holds_for_too_long_has_lapsed_all_the_same(pair: Pair) -> None:
    pair.everybody()
    browser = pair.browser()
    callback = browser.start(idp_hint="op", stop_before=CALLBACK)
    pair.system.clock.offset += 16 * MINUTE
    page(browser.open(callback.url), 410, "The time for identification ended")
    assert pair.tokens_asked() == 0


def test_an_attempt_whose_transaction_has_lapsed_leads_back(pair: Pair) -> None:
    browser = pair.browser()
    pair.everybody()
    callback = browser.start(idp_hint="op", stop_before=CALLBACK)
    pair.system.later(HOUR)
    goes_back(browser, page(browser.open(callback.url), 410, "The time for identification ended"))


def test_starting_an_attempt_gives_its_transaction_twenty_more_minutes(pair: Pair) -> None:
    pair.everybody()
    browser = pair.browser()
    shown = chooser(browser.start())
    pair.system.later(29 * MINUTE)
    browser.open(shown.link("/op"), stop_before=pair.system.mock_url)
    pair.system.later(19 * MINUTE)
    chooser(browser.open(shown.url))


def test_a_lost_cookie_is_told_with_a_new_start_and_the_way_back(pair: Pair) -> None:
    pair.everybody()
    browser = pair.browser()
    callback = browser.start(idp_hint="op", stop_before=CALLBACK)
    browser.session.cookies.clear()
    lost = page(browser.open(callback.url, stop_before=PORTAL), 400, "The identification you started was not found")
    assert PORTAL in lost.links()
    goes_back(browser, lost)


@pytest.mark.parametrize("where", ["/choose/", "/identify/", "/problem/"])
def test_a_transaction_of_another_browser_is_a_lost_cookie(pair: Pair, where: str) -> None:
    browser, other = pair.browser(), pair.browser()
    shown = chooser(browser.start())
    addresses = {"/choose/": shown.url, "/identify/": shown.link("/op"), "/problem/": _problem_of(shown)}
    other.authorize_url(ui_locales=None)
    other.session.headers["Accept-Language"] = "en"
    lost = page(other.open(addresses[where]), 400, "The identification you started was not found")
    assert PORTAL in lost.links()
    other.state = browser.state
    goes_back(other, lost)


def test_a_problem_of_another_browser_is_not_shown(pair: Pair) -> None:
    pair.system.mock.next("nordea", outcome="fail")
    browser, other = pair.browser(), pair.browser()
    failed = page(browser.start(idp_hint="nordea"), 502, "Identification did not succeed")
    lost = page(other.open(failed.url), 400, "The identification you started was not found")
    assert not [link for link in lost.links() if "/choose/" in link or "/identify/" in link]


def _problem_of(shown: Arrival) -> str:
    return urljoin(shown.url, f"/problem/{transaction_of(shown)}")


def test_another_browsers_callback_is_refused_and_spoils_nothing(pair: Pair) -> None:
    pair.everybody()
    browser, thief = pair.browser(), pair.browser()
    callback = browser.start(idp_hint="op", stop_before=CALLBACK)
    chooser(thief.start())
    page(thief.open(callback.url), 400, "The identification you started was not found")
    assert pair.tokens_asked() == 0
    identified(browser, browser.open(callback.url), "op")


def test_a_used_link_says_so_once_its_outcome_has_lapsed(pair: Pair) -> None:
    pair.everybody()
    browser = pair.browser()
    callback = browser.start(idp_hint="op", stop_before=CALLBACK)
    assert "code" in browser.open(callback.url).answer
    pair.system.later(61)
    used = page(browser.open(callback.url), 410, "This link has already been used")
    assert PORTAL in used.links()
    assert pair.tokens_asked() == 1
    goes_back(browser, used)


def test_a_used_link_says_so_once_its_attempt_has_lapsed(pair: Pair) -> None:
    pair.everybody()
    browser = pair.browser()
    callback = browser.start(idp_hint="op", stop_before=CALLBACK)
    assert "code" in browser.open(callback.url).answer
    pair.system.later(16 * MINUTE)
    page(browser.open(callback.url), 410, "This link has already been used")


@pytest.mark.parametrize("after", [0, 61])
def test_the_same_state_with_another_code_is_a_replay(pair: Pair, after: int) -> None:
    pair.everybody()
    browser = pair.browser()
    callback = browser.start(idp_hint="op", stop_before=CALLBACK)
    assert "code" in browser.open(callback.url).answer
    pair.system.later(after)
    code = "code=other-code&" + urlsplit(callback.url).query.replace("code=", "unknown=")
    page(browser.open(callback.url.split("?")[0] + "?" + code), 410, "This link has already been used")
    assert pair.tokens_asked() == 1


def test_eight_equal_callbacks_at_once_post_the_code_once_and_have_one_outcome(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair.everybody()
    browser = pair.browser()
    callback = browser.start(idp_hint="op", stop_before=CALLBACK).url
    cookies = browser.session.cookies.get_dict()
    redirected_to_wait = 8 - 1 - WAITING_AT_ONCE
    waiting, all_there = itertools.count(1), threading.Event()
    for broker in pair.brokers:
        _hold(monkeypatch, broker, all_there)

    def come(number: int) -> str:
        answer = _ask(pair.at(callback, pair.ports[number % 2]), cookies)
        if "/wait/" in answer and next(waiting) == redirected_to_wait:
            wait = page(_arrival(pair, answer, cookies), 200, "Your identification is being completed")
            assert urljoin(callback, answer) in wait.links()
            all_there.set()
        return answer

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(come, range(8)))
    outcomes = {answer for answer in answers if "/wait/" not in answer}
    assert len(outcomes) == 1
    assert sum("/wait/" in answer for answer in answers) == redirected_to_wait
    assert pair.tokens_asked() == 1
    for wait in (answer for answer in answers if "/wait/" in answer):
        assert browser.open(urljoin(callback, wait)).url in outcomes
    identified(browser, browser.open(callback), "op")


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


def _ask(url: str, cookies: dict[str, str]) -> str:
    """Where one request is sent on to."""
    with requests.Session() as session:
        session.trust_env = False
        answer = session.get(url, cookies=cookies, allow_redirects=False, timeout=SECONDS)
    assert answer.status_code == 303
    return answer.headers["Location"]


def _arrival(pair: Pair, place: str, cookies: dict[str, str]) -> Arrival:
    """The page of a place, as a tab that shares its cookies sees it."""
    tab = pair.browser()
    tab.session.cookies.update(cookies)
    return tab.open(urljoin(pair.issuer, place))


def test_an_outcome_that_does_not_come_ends_in_an_interruption_from_which_one_can_start_again(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair.everybody()
    browser = pair.browser()
    callback = browser.start(idp_hint="op", stop_before=CALLBACK).url
    cookies = browser.session.cookies.get_dict()
    first, second = pair.brokers
    go_on = threading.Event()
    held = _hold(monkeypatch, first, go_on)
    clock, waiting = pair.system.clock, second.parts.flow.waiting
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        clock.offset += 10

    monkeypatch.setattr(waiting, "_clock", clock)
    monkeypatch.setattr(waiting, "_pause", pause)
    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(_ask, pair.at(callback, pair.ports[0]), cookies)
        assert held.wait(SECONDS)
        browser.rewrite = lambda url: pair.at(url, pair.ports[1])
        broken = page(browser.open(callback), 503, "Identification was interrupted")
        go_on.set()
        assert "code=" in slow.result()
    assert len(pauses) == 3
    assert broken.link("/choose/")
    goes_back(browser, broken, "temporarily_unavailable")
    monkeypatch.undo()
    assert "code" in browser.open(broken.link("/identify/")).answer


def test_waiting_for_another_browsers_outcome_shows_nothing_of_it(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    pair.everybody()
    browser, other = pair.browser(), pair.browser()
    callback = browser.start(idp_hint="op", stop_before=CALLBACK).url
    chooser(other.start())
    go_on = threading.Event()
    held = _hold(monkeypatch, pair.brokers[0], go_on)
    cookies = browser.session.cookies.get_dict()
    with ThreadPoolExecutor(3) as threads:
        slow = [threads.submit(_ask, pair.at(callback, pair.ports[0]), cookies) for _ in range(3)]
        assert held.wait(SECONDS)
        place = next(answer for answer in _done(slow) if "/wait/" in answer)
        page(other.open(urljoin(callback, place)), 410, "Start identification in the service")
        go_on.set()


def _done(slow: list[Any]) -> Iterator[str]:
    for future in as_completed(slow, timeout=SECONDS):
        yield future.result()


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


def test_the_twenty_first_attempt_of_a_transaction_has_expired(pair: Pair) -> None:
    browser = pair.browser()
    row = chooser(browser.start()).link("/op")
    for _ in range(MOST_ATTEMPTS):
        assert browser.open(row, stop_before=pair.system.mock_url).page is None
    expired = page(browser.open(row), 410, "The time for identification ended")
    assert PORTAL in expired.links()
    assert not [link for link in expired.links() if "/choose/" in link or "/identify/" in link]
    goes_back(browser, expired)


def test_the_twenty_first_transaction_of_a_browser_drops_the_oldest(pair: Pair) -> None:
    tabs = [pair.browser()]
    tabs += [pair.browser(sharing=tabs[0]) for _ in range(MOST_TRANSACTIONS)]
    shown = [chooser(tab.start()) for tab in tabs]
    dropped = page(tabs[0].open(shown[0].url), 410, "The time for identification ended")
    goes_back(tabs[0], dropped)
    for tab, kept in zip(tabs[1:], shown[1:], strict=True):
        chooser(tab.open(kept.url))


def test_an_attempt_of_a_dropped_transaction_ends_the_same_however_often_it_comes(pair: Pair) -> None:
    pair.everybody()
    browser = pair.browser()
    callback = browser.start(idp_hint="op", stop_before=CALLBACK)
    for _ in range(MOST_TRANSACTIONS):
        pair.browser(sharing=browser).start()
    first, second = (page(browser.open(callback.url), 410, "The time for identification ended") for _ in range(2))
    assert first.url == second.url
    assert pair.tokens_asked() == 0
    goes_back(browser, second)


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


@pytest.mark.parametrize("header", [{"Sec-Purpose": "prefetch;prerender"}, {"Purpose": "prefetch"}])
def test_a_prefetch_starts_nothing(pair: Pair, header: dict[str, str]) -> None:
    browser = pair.browser()
    shown = chooser(browser.start())
    answer = browser.session.get(shown.link("/op"), headers=header, allow_redirects=False, timeout=SECONDS)
    assert (answer.status_code, answer.content, answer.headers["Cache-Control"]) == (204, b"", "no-store")
    store = pair.brokers[0].parts.store.client
    assert not store.exists(slotted("attempts", transaction_of(shown)).name)


def test_leaving_at_the_chooser_tells_the_client(pair: Pair) -> None:
    browser = pair.browser()
    goes_back(browser, chooser(browser.start()))


def other_settings(pair: Pair, **client: Any) -> Broker:
    """A third broker on the same store, after its operator changed the client."""
    config = deepcopy(pair.brokers[0].config)
    config["clients"] = {client.pop("name", "portal"): config["clients"]["portal"] | client}
    app = create_app(Settings.model_validate(config), clock=pair.system.clock)
    return Broker(app, pair.brokers[0].client, config)


@pytest.mark.parametrize("change", [{"redirect_uris": [f"{PORTAL}/other"]}, {"name": "other"}])
def test_the_way_back_never_leads_to_what_is_not_registered(pair: Pair, change: dict[str, Any]) -> None:
    browser = pair.browser()
    back = urlsplit(chooser(browser.start()).link("/return/")).path
    answer = other_settings(pair, **change).app.test_client().get(back)
    assert answer.status_code == 410
    assert "Location" not in answer.headers
    assert "https://example.com/" in answer.text


def test_a_client_that_is_registered_no_more_leaves_pages_and_no_faults(pair: Pair) -> None:
    browser = pair.browser()
    shown = chooser(browser.start())
    tab = other_settings(pair, name="other").app.test_client()
    for name, value in browser.session.cookies.get_dict().items():
        tab.set_cookie(name, value, domain="localhost")
    for address in (shown.url, shown.link("/op"), _problem_of(shown)):
        answer = tab.get(urlsplit(address).path, follow_redirects=True)
        assert answer.status_code == 410
        assert "https://example.com/" in answer.text or "/return/" in answer.text


@pytest.mark.parametrize("where", ["choose", "problem", "return", "wait", "identify"])
def test_a_transaction_that_never_was_leads_to_the_services(pair: Pair, where: str) -> None:
    browser = pair.browser()
    browser.session.headers["Accept-Language"] = "en"
    place = f"{pair.issuer}/{where}/0123abcdunknown" + ("/op" if where == "identify" else "")
    site = page(browser.open(place), 410, "Start identification in the service")
    assert "https://example.com/" in site.links()


def test_a_state_that_never_was_leads_to_the_services(pair: Pair) -> None:
    browser = pair.browser()
    browser.session.headers["Accept-Language"] = "en"
    site = page(browser.open(f"{pair.issuer}/callback/op?code=x&state={'0' * 64}"), 410, "Start identification")
    assert "https://example.com/" in site.links()


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


def flags(header: str) -> tuple[str, set[str]]:
    """Name and attributes of a `Set-Cookie`."""
    pair, *attributes = header.split("; ")
    return pair.partition("=")[0], set(attributes) - {a for a in attributes if a.startswith("Expires=")}


def test_the_cookie_is_for_this_host_a_day_and_no_script(pair: Pair) -> None:
    browser = pair.browser()
    answer = browser.session.get(browser.authorize_url(), allow_redirects=False, timeout=SECONDS)
    cookies = dict(flags(header) for header in answer.raw.headers.getlist("Set-Cookie"))
    assert cookies["tunnus_browser"] == {"HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=86400"}
    before = browser.session.cookies.get_dict()
    browser.session.get(browser.authorize_url(), allow_redirects=False, timeout=SECONDS)
    assert browser.session.cookies.get_dict() == before


def test_under_https_the_cookies_are_secure_and_bound_to_the_host(pair: Pair) -> None:
    config = deepcopy(pair.brokers[0].config) | {"issuer": "https://tunnus.example"}
    app = create_app(Settings.model_validate(config), clock=pair.system.clock)
    address = urlsplit(pair.browser().authorize_url())
    answer = app.test_client().get(f"/authorize?{address.query}", base_url="https://tunnus.example")
    cookies = dict(flags(header) for header in answer.headers.getlist("Set-Cookie"))
    assert cookies["__Host-tunnus_browser"] == {"Secure", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=86400"}
    assert all("Secure" in attributes for attributes in cookies.values())
