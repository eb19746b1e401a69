"""What has lapsed or was used says so, and leads on: tabs restored late, links used twice."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from broker.flow.records import MOST_ATTEMPTS
from tests.harness.broker import PORTAL
from tests.harness.broker_pair import (
    CALLBACK,
    HOUR,
    MINUTE,
    Pair,
    chooser,
    goes_back,
    page,
    problem_of,
)


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
    addresses = (shown.url, shown.link("/op"), shown.link("/return/"), problem_of(shown))
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


def test_the_twenty_first_attempt_of_a_transaction_has_expired(pair: Pair) -> None:
    browser = pair.browser()
    row = chooser(browser.start()).link("/op")
    for _ in range(MOST_ATTEMPTS):
        assert browser.open(row, stop_before=pair.system.mock_url).page is None
    expired = page(browser.open(row), 410, "The time for identification ended")
    assert PORTAL in expired.links()
    assert not [link for link in expired.links() if "/choose/" in link or "/identify/" in link]
    goes_back(browser, expired)
