"""What binds a transaction to its browser, and how many may be open there: nobody's page ends what a person does."""

from __future__ import annotations

import re
import secrets
from copy import deepcopy
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from broker.app import create_app
from broker.flow.attempts import claim_key
from broker.flow.browser import TransactionCookie
from broker.flow.records import MOST_TRANSACTIONS, Progress
from broker.settings import Settings
from broker.store import slot_of, slotted
from tests.harness.broker import PORTAL
from tests.harness.broker_pair import (
    CALLBACK,
    HOUR,
    MINUTE,
    SECONDS,
    Pair,
    chooser,
    goes_back,
    identified,
    page,
    transaction_of,
)
from tests.harness.browser import Arrival, Browser

DAY = 24 * HOUR


def flags(header: str) -> tuple[str, set[str]]:
    """Name and attributes of a `Set-Cookie`."""
    pair, *attributes = header.split("; ")
    return pair.partition("=")[0], set(attributes) - {a for a in attributes if a.startswith("Expires=")}


def begun(pair: Pair, browser: Browser, **parameters: str | None) -> requests.Response:
    """The answer to an authorization request, not followed."""
    url = browser.rewrite(browser.authorize_url(**parameters))
    return browser.session.get(url, allow_redirects=False, timeout=SECONDS)


def has_lapsed(arrival: Arrival) -> None:
    assert arrival.status == 410, f"{arrival.status} {arrival.title}"


def test_the_cookies_are_for_this_host_a_day_and_no_script(pair: Pair) -> None:
    browser = pair.browser()
    cookies = dict(flags(header) for header in begun(pair, browser).raw.headers.getlist("Set-Cookie"))
    ours = {name: attributes for name, attributes in cookies.items() if name != "tunnus_locale"}
    assert [re.sub("[0-9a-f]{8}$", "", name) for name in ours] == ["tunnus_browser", "tunnus_t_"]
    assert all(held == {"HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=86400"} for held in ours.values())


def test_under_https_the_cookies_are_secure_and_bound_to_the_host(pair: Pair) -> None:
    config = deepcopy(pair.brokers[0].config) | {"issuer": "https://tunnus.example"}
    app = create_app(Settings.model_validate(config), clock=pair.system.clock)
    address = urlsplit(pair.browser().authorize_url())
    answer = app.test_client().get(f"/authorize?{address.query}", base_url="https://tunnus.example")
    cookies = dict(flags(header) for header in answer.headers.getlist("Set-Cookie"))
    ours = {name: attributes for name, attributes in cookies.items() if name.startswith("__Host-tunnus_")}
    assert len(ours) == 2
    assert all(held == {"Secure", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=86400"} for held in ours.values())
    assert all("Secure" in attributes for attributes in cookies.values())


def test_the_browsers_secret_is_renewed_at_each_start_and_stays_the_same(pair: Pair) -> None:
    browser = pair.browser()
    first, second = begun(pair, browser), begun(pair, browser)
    assert first.cookies["tunnus_browser"] == second.cookies["tunnus_browser"]
    (renewed,) = [held for held in second.raw.headers.getlist("Set-Cookie") if held.startswith("tunnus_browser=")]
    assert "Max-Age=86400" in renewed


def test_the_cookie_of_a_transaction_is_short_and_its_address_does_not_tell_it(pair: Pair) -> None:
    config = deepcopy(pair.brokers[0].config) | {"issuer": "https://tunnus.example"}
    longest = "a" * 40
    config["clients"] = {longest: config["clients"]["portal"]}
    tab = create_app(Settings.model_validate(config), clock=pair.system.clock).test_client()
    query = urlsplit(pair.browser().authorize_url(client_id=longest)).query
    answer = tab.get(f"/authorize?{query}", base_url="https://tunnus.example")
    (cookie,) = (header.partition(";")[0] for header in answer.headers.getlist("Set-Cookie") if "tunnus_t_" in header)
    assert len(cookie) < 100
    secret = cookie.partition("=")[2].partition(".")[0]
    assert len(secret) == 22
    assert secret not in answer.headers["Location"]


@pytest.mark.parametrize("stage", ["chooser", "callback"])
def test_two_first_requests_at_once_in_a_browser_without_cookies_both_go_on(pair: Pair, stage: str) -> None:
    pair.everybody()
    both = [pair.browser(), pair.browser()]
    where = "/choose/" if stage == "chooser" else CALLBACK
    hint = None if stage == "chooser" else "op"
    arrivals = [browser.start(idp_hint=hint, stop_before=where) for browser in both]
    shared = both[0].session
    for browser in both[1:]:  # the later answer overwrites the cookies of the earlier one that have the same name
        shared.cookies.update(browser.session.cookies)
        browser.session = shared
    for browser, arrival in zip(both, arrivals, strict=True):
        on = browser.open(arrival.url)
        identified(browser, browser.open(on.link("/op")) if stage == "chooser" else on, "op")


def test_either_cookie_is_enough_and_a_forged_one_is_not(pair: Pair) -> None:
    browser = pair.browser()
    shown = chooser(browser.start())
    cookies = browser.session.cookies.get_dict()
    name = next(name for name in cookies if name.startswith("tunnus_t_"))

    def asked(**brought: str) -> int:
        with requests.Session() as session:
            session.trust_env = False
            session.cookies.update(brought)
            return session.get(pair.at(shown.url, pair.ports[0]), timeout=SECONDS).status_code

    secret, rest = cookies[name].split(".", 1)
    assert asked(tunnus_browser=cookies["tunnus_browser"]) == 200
    assert asked(**{name: cookies[name]}) == 200
    assert asked(**{name: f"{secret[::-1]}.{rest}"}) == 400
    assert asked(**{name: f"{transaction_of(shown)[8:30]}.{rest}"}) == 400
    assert asked(tunnus_browser="x" * 43) == 400
    assert asked(**{name: cookies[name] + "x" * 60}) == 400


@pytest.mark.parametrize("lost", ["tunnus_t_", "tunnus_browser"])
def test_whoever_comes_back_from_a_bank_with_either_cookie_is_identified_once(pair: Pair, lost: str) -> None:
    pair.everybody()
    browser = pair.browser()
    callback = browser.start(idp_hint="op", stop_before=CALLBACK).url
    del browser.session.cookies[
        next(name for name in list(browser.session.cookies.get_dict()) if name.startswith(lost))
    ]
    identified(browser, browser.open(callback), "op")
    assert "code" in browser.open(callback).answer
    assert pair.tokens_asked() == 1


def test_what_a_broker_of_the_version_before_began_is_claimed_where_that_one_claims_it(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There neither the handle nor the id of an attempt tells anything: they are random."""
    pair.everybody()
    browser = pair.browser()
    with monkeypatch.context() as patch:
        patch.setattr("broker.flow.identify.new_handle", lambda _, place: slot_of(place) + secrets.token_hex(28))
        patch.setattr("broker.flow.identify.attempt_id_of", lambda handle: slot_of(handle) + secrets.token_hex(8))
        callback = browser.start(idp_hint="op", stop_before=CALLBACK).url
    before = names(pair)
    identified(browser, browser.open(callback), "op")
    (kept,) = [name for name in names(pair) - before if b":claim:" in name]
    state = parse_qs(urlsplit(callback).query)["state"][0]
    store = pair.brokers[0].parts.store
    attempt = store.get(slotted("return-state", state))[0]["attempt"]
    assert claim_key(attempt).name.encode() == kept


def test_a_state_of_another_transaction_is_not_claimed_by_a_cookie_of_its_slot(pair: Pair) -> None:
    pair.everybody()
    browser, other = pair.browser(), pair.browser()
    callback = browser.start(idp_hint="op", stop_before=CALLBACK).url
    state = parse_qs(urlsplit(callback).query)["state"][0]
    other.session.cookies.set(f"tunnus_t_{slot_of(state)}", f"{'x' * 22}.h{int(pair.system.clock()):08x}.portal")
    before = names(pair)
    page(other.open(callback), 400, "The identification you started was not found")
    assert not [name for name in names(pair) - before if b":claim:" in name]
    identified(browser, browser.open(callback), "op")


def test_a_night_later_a_browser_that_lost_its_secret_still_has_its_way_back(pair: Pair) -> None:
    browser = pair.browser()
    shown = chooser(browser.start())
    browser.open(shown.link("/op"), stop_before=pair.system.mock_url)
    del browser.session.cookies["tunnus_browser"]
    pair.system.later(10 * HOUR)
    goes_back(browser, page(browser.open(shown.url), 410, "The time for identification ended"))


def test_a_cookie_that_is_older_than_the_day_it_was_set_for_says_nothing(pair: Pair) -> None:
    browser = pair.browser()
    shown = chooser(browser.start())
    pair.system.later(DAY + 1)
    site = page(browser.open(shown.url), 410, "Start identification in the service")
    assert PORTAL not in site.links()


@pytest.mark.parametrize("hint", [None, "nordea"])
@pytest.mark.parametrize("own_hint", [None, "op"])
@pytest.mark.parametrize("followed", [False, True])
def test_navigations_of_a_foreign_page_do_not_end_what_a_person_does(
    pair: Pair, own_hint: str | None, hint: str | None, followed: bool
) -> None:
    pair.everybody()
    browser = pair.browser()
    if own_hint:
        callback = browser.start(idp_hint=own_hint, stop_before=CALLBACK).url
    else:
        callback = browser.open(chooser(browser.start()).link("/op"), stop_before=CALLBACK).url
    foreign = pair.browser(sharing=browser)
    for _ in range(MOST_TRANSACTIONS + 3):
        if followed:
            foreign.start(idp_hint=hint, stop_before=pair.system.mock_url)
        else:
            begun(pair, foreign, idp_hint=hint)
    assert len(open_cookies(browser)) <= MOST_TRANSACTIONS
    identified(browser, browser.open(callback), "op")
    again = pair.browser(sharing=browser)
    identified(again, again.start(idp_hint="op"), "op")


def open_cookies(browser: Browser) -> list[str]:
    return [name for name in browser.session.cookies.get_dict() if name.startswith("tunnus_t_")]


def test_the_twenty_first_transaction_that_nobody_acted_on_ends_the_oldest(pair: Pair) -> None:
    tabs = [pair.browser()]
    tabs += [pair.browser(sharing=tabs[0]) for _ in range(MOST_TRANSACTIONS)]
    shown = []
    for tab in tabs:
        shown.append(chooser(tab.start()))
        pair.system.later(1)
    has_lapsed(tabs[0].open(shown[0].url))
    assert not pair.brokers[0].parts.store.client.exists(slotted("transaction", transaction_of(shown[0])).name)
    for tab, kept in zip(tabs[1:], shown[1:], strict=True):
        chooser(tab.open(kept.url))
    assert len(open_cookies(tabs[0])) == MOST_TRANSACTIONS


def test_only_another_act_ends_a_transaction_that_was_acted_on(pair: Pair) -> None:
    pair.everybody()
    tabs = [pair.browser()]
    tabs += [pair.browser(sharing=tabs[0]) for _ in range(MOST_TRANSACTIONS)]
    shown = [chooser(tab.start()) for tab in tabs[:-1]]
    callbacks = []
    for tab, one in zip(tabs, shown, strict=False):
        callbacks.append(tab.open(one.link("/op"), stop_before=CALLBACK).url)
        pair.system.later(1)
    last = chooser(tabs[-1].start())
    for tab, one in zip(tabs, shown, strict=False):
        chooser(tab.open(one.url))
    tabs[-1].open(last.link("/op"), stop_before=CALLBACK)
    first, second = (page(tabs[0].open(callbacks[0]), 410, "The time for identification ended") for _ in range(2))
    assert first.url == second.url
    assert pair.tokens_asked() == 0
    goes_back(tabs[0], second)
    assert "code" in tabs[1].open(callbacks[1]).answer


def test_a_browser_that_identified_all_day_long_goes_on_and_keeps_few_cookies(pair: Pair) -> None:
    pair.everybody()
    browser = pair.browser()
    waiting = browser.open(chooser(browser.start()).link("/op"), stop_before=CALLBACK).url
    again = pair.browser(sharing=browser)
    for _ in range(MOST_TRANSACTIONS + 2):
        identified(again, again.start(idp_hint="op"), "op")
    assert len(open_cookies(browser)) <= MOST_TRANSACTIONS
    identified(browser, browser.open(waiting), "op")


def test_a_transaction_that_has_got_further_than_its_cookie_says_is_not_ended(pair: Pair) -> None:
    pair.everybody()
    browser = pair.browser()
    shown = chooser(browser.start())
    before = browser.session.cookies.copy()
    callback = browser.open(shown.link("/op"), stop_before=CALLBACK).url
    browser.session.cookies = before  # the answer with the newer cookie has not arrived yet
    pair.system.later(1)
    for _ in range(MOST_TRANSACTIONS):
        begun(pair, pair.browser(sharing=browser))
    assert "code" in browser.open(callback).answer


def test_cookies_that_somebody_made_up_cost_the_store_little(pair: Pair) -> None:
    browser = pair.browser()
    now = int(pair.system.clock())
    for number in range(200):
        browser.session.cookies.set(f"tunnus_t_{number:08x}", f"{'x' * 22}.n{now:08x}.portal")
    metrics = pair.brokers[0].parts.metrics, pair.brokers[1].parts.metrics

    def trips() -> float:
        return sum(held.registry.get_sample_value("tunnus_store_round_trips_total") or 0 for held in metrics)

    before = trips()
    assert begun(pair, browser).status_code == 303
    assert trips() - before <= 10


@pytest.mark.parametrize("state", ["s" * 2048, '"' * 1000, "s"])
def test_until_somebody_acts_a_request_is_one_small_record_for_ten_minutes(pair: Pair, state: str) -> None:
    new = records_of(pair, state=state, nonce="n" * 512, ui_locales="en " * 170 + "en", idp_hint="no-such-bank")
    (kept,) = new["transaction"]
    assert new.keys() == {"transaction"}
    assert kept["bytes"] <= 4096
    assert 0 < kept["seconds"] <= 10 * MINUTE


def test_a_hint_is_the_first_act_and_its_way_back_is_kept_for_a_day_once_somebody_has_come_back(pair: Pair) -> None:
    pair.everybody()
    browser = pair.browser()
    before = names(pair)
    callback = browser.start(state="s" * 2048, idp_hint="op", stop_before=CALLBACK)
    new = kinds(pair, mine := names(pair) - before)
    assert {"transaction", "attempts", "attempt", "return", "return-state"} == new.keys() - {"limit"}
    (kept,), (way_back,), (of_attempt,) = new["transaction"], new["return"], new["return-state"]
    assert kept["bytes"] <= 4096
    assert 20 * MINUTE < kept["seconds"] <= 30 * MINUTE
    assert HOUR < way_back["seconds"] <= 2 * HOUR >= of_attempt["seconds"]
    assert of_attempt["bytes"] < 600
    browser.open(callback.url)
    later = kinds(pair, mine)
    assert all(DAY < later[kind][0]["seconds"] <= DAY + 30 * MINUTE for kind in ("return", "return-state"))


def test_parameters_that_are_too_long_together_are_refused_and_nothing_is_kept(pair: Pair) -> None:
    browser = pair.browser()
    before = names(pair)
    answer = begun(pair, browser, state='"' * 2048, nonce="n" * 512)
    assert "error=invalid_request" in answer.headers["Location"]
    assert names(pair) <= before  # what was there may have lapsed


def test_from_the_first_act_on_the_way_back_is_kept_for_a_day(pair: Pair) -> None:
    browser = pair.browser()
    state = "s" * 2048
    shown = chooser(browser.start(state=state))
    before = names(pair)
    browser.open(shown.link("/op"), stop_before=pair.system.mock_url)
    first = kinds(pair, names(pair) - before)
    (way_back,) = first["return"]
    assert DAY < way_back["seconds"] <= DAY + 30 * MINUTE
    (of_attempt,) = first["return-state"]
    assert of_attempt["bytes"] < 600  # the client's state stands once, however many attempts there are


@pytest.mark.parametrize("where", ["identify/{}/nordea", "choose/{}", "problem/{}", "return/{}", "wait/{}"])
@pytest.mark.parametrize("cookies", [False, True])
def test_nothing_is_stored_for_what_is_not_there(pair: Pair, where: str, cookies: bool) -> None:
    made_up = "0123abcd" + "x" * 32
    browser = pair.browser()
    if cookies:
        chooser(browser.start())
        cookie = TransactionCookie("0123abcd", "x" * 22, Progress.ACTED, int(pair.system.clock()), "portal")
        browser.session.cookies.set("tunnus_t_0123abcd", cookie.value)
        made_up = cookie.transaction
    before = names(pair)
    for _ in range(3):
        has_lapsed(browser.open(f"{pair.issuer}/{where.format(made_up)}"))
        browser.open(f"{pair.issuer}/callback/op?code=x&state={'0' * 64}")
    assert names(pair) <= before  # what was there may have lapsed


@pytest.mark.parametrize(
    ("path", "headers", "form"),
    [
        ("/token", {"Authorization": "Basic cG9ydGFsOndyb25n"}, {"grant_type": "authorization_code", "code": "x"}),
        ("/token", {}, {"grant_type": "authorization_code", "code": "x", "client_assertion": "a.b.c"}),
        ("/par", {"Authorization": "Basic cG9ydGFsOndyb25n", "DPoP": "a.b.c"}, {"client_id": "portal"}),
        ("/par", {}, {"client_id": "portal", "request": "a.b.c", "client_assertion": "a.b.c"}),
        ("/userinfo", {"Authorization": "Bearer 0123abcd" + "x" * 43}, None),
        ("/userinfo", {"Authorization": "DPoP 0123abcd" + "x" * 43, "DPoP": "a.b.c"}, None),
        ("/api/providers", {}, None),
        ("/authorize", {}, {"client_id": "portal"}),
    ],
)
def test_nothing_is_stored_for_whoever_proves_nothing(
    pair: Pair, path: str, headers: dict[str, str], form: dict[str, str] | None
) -> None:
    tab = pair.brokers[0].app.test_client()
    before = names(pair)
    for _ in range(3):
        answer = tab.post(path, headers=headers, data=form) if form else tab.get(path, headers=headers)
        assert answer.status_code < 500
    assert names(pair) <= before  # what was there may have lapsed


@pytest.mark.parametrize("where", ["choose", "identify", "callback"])
def test_asking_often_for_somebody_elses_transaction_keeps_one_record(pair: Pair, where: str) -> None:
    pair.everybody()
    browser, other = pair.browser(), pair.browser()
    shown = chooser(browser.start())
    callback = browser.open(shown.link("/op"), stop_before=CALLBACK).url
    address = {"choose": shown.url, "identify": shown.link("/op"), "callback": callback}[where]
    before = names(pair)
    pages = {page(other.open(address), 400, "The identification you started was not found").url for _ in range(5)}
    assert len(pages) == 1
    assert list(kinds(pair, names(pair) - before)) == ["problem"]
    assert len(names(pair) - before) == 1


def names(pair: Pair) -> set[bytes]:
    """The keys of the store, but for what limits count and each client's one list of refused requests."""
    found = pair.brokers[0].parts.store.client.scan_iter(count=1000)
    return {name for name in found if b":limit:" not in name and b":refused:" not in name}


def kinds(pair: Pair, keys: set[bytes]) -> dict[str, list[dict[str, int]]]:
    """By kind, the size of each value and the seconds it has to live."""
    store = pair.brokers[0].parts.store.client
    found: dict[str, list[dict[str, int]]] = {}
    for key in keys:
        kind = key.decode().split(":")[-2]
        size = store.strlen(key) if store.type(key) == b"string" else 0
        found.setdefault(kind, []).append({"bytes": size, "seconds": store.ttl(key)})
    return found


def records_of(pair: Pair, **parameters: Any) -> dict[str, list[dict[str, int]]]:
    """What a browser without cookies leaves in the store by an authorization request."""
    before = names(pair)
    answer = begun(pair, pair.browser(), **parameters)
    assert answer.status_code == 303
    assert "error" not in answer.headers["Location"]
    return kinds(pair, names(pair) - before)
