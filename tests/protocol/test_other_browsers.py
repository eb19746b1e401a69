"""Another browser than the one that began, or none of its cookies: told so, and it spoils nothing."""

from __future__ import annotations

import pytest

from tests.harness.broker import PORTAL
from tests.harness.broker_pair import (
    CALLBACK,
    SECONDS,
    Pair,
    chooser,
    goes_back,
    goes_home,
    identified,
    page,
    problem_of,
)


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
    addresses = {"/choose/": shown.url, "/identify/": shown.link("/op"), "/problem/": problem_of(shown)}
    other.authorize_url(ui_locales=None)
    other.session.headers["Accept-Language"] = "en"
    lost = page(other.open(addresses[where]), 400, "The identification you started was not found")
    assert PORTAL in lost.links()
    goes_home(other, lost)


def test_aproblem_of_another_browser_is_not_shown(pair: Pair) -> None:
    pair.system.mock.next("nordea", outcome="fail")
    browser, other = pair.browser(), pair.browser()
    failed = page(browser.start(idp_hint="nordea"), 502, "Identification did not succeed")
    lost = page(other.open(failed.url), 400, "The identification you started was not found")
    assert not [link for link in lost.links() if "/choose/" in link or "/identify/" in link]


def test_another_browsers_callback_is_refused_and_spoils_nothing(pair: Pair) -> None:
    pair.everybody()
    browser, thief = pair.browser(), pair.browser()
    callback = browser.start(idp_hint="op", stop_before=CALLBACK)
    chooser(thief.start())
    page(thief.open(callback.url), 400, "The identification you started was not found")
    assert pair.tokens_asked() == 0
    identified(browser, browser.open(callback.url), "op")


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
