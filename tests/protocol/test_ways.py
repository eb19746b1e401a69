"""The ways people really go, over HTTP: two brokers in turn answer them, on one Valkey. None is a dead end."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import pytest
import requests

from broker.app import create_app
from broker.flow.records import MOST_ATTEMPTS
from broker.settings import Settings
from providers.engine import breaker
from tests.harness.broker import PORTAL, Broker
from tests.harness.broker_pair import (
    CALLBACK,
    HOUR,
    MINUTE,
    SECONDS,
    Pair,
    ask,
    chooser,
    goes_back,
    goes_home,
    identified,
    page,
    transaction_of,
)
from tests.harness.browser import Arrival, Browser


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


def test_a_restored_tab_is_told_that_time_ran_out_and_can_go_back(pair: Pair) -> None:
    browser = pair.browser()
    shown = chooser(browser.start())
    row = shown.link("/op")
    browser.open(row, stop_before=pair.system.mock_url)
    pair.system.later(31 * MINUTE)
    for restored in (shown.url, row):
        expired = page(browser.open(restored), 410, "The time for identification ended")
        assert PORTAL in expired.links()
        goes_back(browser, expired)


def test_a_chooser_on_which_nobody_acted_for_ten_minutes_leads_to_its_service(pair: Pair) -> None:
    browser = pair.browser()
    shown = chooser(browser.start())
    pair.system.later(9 * MINUTE)
    chooser(browser.open(shown.url))
    pair.system.later(2 * MINUTE)
    addresses = (shown.url, shown.link("/op"), shown.link("/return/"), _problem_of(shown))
    for restored in addresses:
        site = page(browser.open(restored), 410, "Start identification in the service")
        assert site.links().index(PORTAL) < site.links().index("https://example.com/")
    browser.session.cookies.clear()
    browser.session.headers["Accept-Language"] = "en"
    for restored in addresses:
        site = page(browser.open(restored), 410, "Start identification in the service")
        assert PORTAL not in site.links()


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


def test_the_first_act_gives_a_transaction_thirty_minutes_and_each_later_one_at_least_twenty(pair: Pair) -> None:
    browser = pair.browser()
    shown = chooser(browser.start())
    for minutes in (9, 29, 19, 19):
        pair.system.later(minutes * MINUTE)
        chooser(browser.open(shown.url))
        browser.open(shown.link("/op"), stop_before=pair.system.mock_url)
    pair.system.later(21 * MINUTE)
    page(browser.open(shown.url), 410, "The time for identification ended")


def test_a_lost_cookie_is_told_with_a_new_start_and_the_way_back(pair: Pair) -> None:
    pair.everybody()
    browser = pair.browser()
    callback = browser.start(idp_hint="op", stop_before=CALLBACK)
    browser.session.cookies.clear()
    lost = page(browser.open(callback.url, stop_before=PORTAL), 400, "The identification you started was not found")
    assert PORTAL in lost.links()
    goes_home(browser, lost)


@pytest.mark.parametrize("where", ["/choose/", "/identify/", "/problem/"])
def test_a_transaction_of_another_browser_is_a_lost_cookie(pair: Pair, where: str) -> None:
    browser, other = pair.browser(), pair.browser()
    shown = chooser(browser.start())
    addresses = {"/choose/": shown.url, "/identify/": shown.link("/op"), "/problem/": _problem_of(shown)}
    other.authorize_url(ui_locales=None)
    other.session.headers["Accept-Language"] = "en"
    lost = page(other.open(addresses[where]), 400, "The identification you started was not found")
    assert PORTAL in lost.links()
    goes_home(other, lost)


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
    before = {name: store.dump(name) for name in store.scan_iter(count=1000)}
    answer = browser.session.request(method, url, headers=header, allow_redirects=False, timeout=SECONDS)
    assert (answer.status_code, answer.content, answer.headers["Cache-Control"]) == (204, b"", "no-store")
    assert {name: store.dump(name) for name in store.scan_iter(count=1000)} == before
    if where == "callback":
        assert "code" in browser.open(callback).answer


@pytest.mark.parametrize(("language", "words"), [("fi", "Vaihe 2/4"), ("sv", "Steg 2 av 4"), ("en", "Step 2 of 4")])
def test_a_client_that_may_say_its_step_has_it_on_the_chooser(pair: Pair, language: str, words: str) -> None:
    browser = pair.browser()
    wanted = urlsplit(browser.authorize_url(step="2/4", ui_locales=language))
    for allowed in (True, False):
        tab = other_settings(pair, show_step=allowed).app.test_client()
        text = tab.get(f"{wanted.path}?{wanted.query}", follow_redirects=True).get_data(as_text=True)
        assert (words in text) is allowed


def test_a_posted_request_keeps_its_step(pair: Pair) -> None:
    url, _, query = pair.browser().authorize_url(step="2/4").partition("?")
    tab = other_settings(pair, show_step=True).app.test_client()
    answer = tab.post(urlsplit(url).path, data=dict(parse_qsl(query)), follow_redirects=True)
    assert "Step 2 of 4" in answer.get_data(as_text=True)


def test_leaving_at_the_chooser_tells_the_client(pair: Pair) -> None:
    browser = pair.browser()
    goes_back(browser, chooser(browser.start()))


def other_settings(pair: Pair, **client: Any) -> Broker:
    """A third broker on the same store, after its operator changed the client."""
    config = deepcopy(pair.brokers[0].config)
    config["clients"] = {client.pop("name", "portal"): config["clients"]["portal"] | client}
    app = create_app(Settings.model_validate(config), clock=pair.system.clock)
    return Broker(app, pair.brokers[0].client, config)


def tab_at(other: Broker, browser: Browser) -> Any:
    """A tab of a browser, at another broker."""
    tab = other.app.test_client()
    for name, value in browser.session.cookies.get_dict().items():
        tab.set_cookie(name, value, domain="localhost")
    return tab


@pytest.mark.parametrize("change", [{"redirect_uris": [f"{PORTAL}/other"]}, {"name": "other"}])
def test_the_way_back_never_leads_to_what_is_not_registered(pair: Pair, change: dict[str, Any]) -> None:
    browser = pair.browser()
    back = urlsplit(chooser(browser.start()).link("/return/")).path
    answer = tab_at(other_settings(pair, **change), browser).get(back)
    assert answer.status_code == 410
    assert "Location" not in answer.headers
    assert "https://example.com/" in answer.text


@pytest.mark.parametrize("acted", [False, True])
def test_another_browser_is_led_to_the_clients_home_page_with_nothing_of_the_request(pair: Pair, acted: bool) -> None:
    browser, other = pair.browser(), pair.browser()
    shown = chooser(browser.start())
    if acted:
        browser.open(shown.link("/op"), stop_before=pair.system.mock_url)
    for stranger in (other, pair.browser()):
        answer = stranger.session.get(shown.link("/return/"), allow_redirects=False, timeout=SECONDS)
        assert (answer.status_code, answer.headers["Location"]) == (303, PORTAL)
        chooser(stranger.start())
    goes_back(browser, shown)


def test_a_client_that_is_registered_no_more_leaves_pages_and_no_faults(pair: Pair) -> None:
    browser = pair.browser()
    shown = chooser(browser.start())
    tab = tab_at(other_settings(pair, name="other"), browser)
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
