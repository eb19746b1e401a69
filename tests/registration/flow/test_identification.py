"""The trip to the broker and back: tabs, back, reload, a lost cookie, and answers that are not taken."""

from __future__ import annotations

import html
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import pytest
from requests import Response
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from demo.runner.client import SECONDS
from demo.runner.registrant import Page, Registrant
from kit.pages.languages import format_time
from registration.database.models import Attempt, Session
from registration.flow import attempts, callback
from registration.service import Places
from tests.harness.registration import ACR, TESTISAHKO, Harness, Site, open_site


def answer_of(person: Registrant, provider: str = "nordea", **query: str) -> str:
    """Identify, and stop at the address of our callback: the broker's whole answer."""
    person.mock.next(provider, persona=person._known_persona())
    url = f"{person.registration}/start?{urlencode({'idp_hint': provider} | query)}"
    for _ in range(12):
        answer = person.browser.get(url, allow_redirects=False, timeout=SECONDS)
        url = urljoin(url, answer.headers["Location"])
        if url.startswith(f"{person.registration}/callback"):
            return url
    raise AssertionError(url)


def begun(person: Registrant, **query: str) -> Response:
    """What /start answers."""
    url = f"{person.registration}/start"
    return person.browser.get(url, params=query, allow_redirects=False, timeout=SECONDS)


def attempt_cookies(person: Registrant) -> list[str]:
    """The names of the cookies that bind attempts to the browser."""
    return [cookie.name for cookie in person.browser.cookies if "attempt" in cookie.name]


def changed(url: str, **parameters: str | None) -> str:
    """The address with parameters replaced, or removed where None."""
    parts = urlsplit(url)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()} | parameters
    left = {name: value for name, value in query.items() if value is not None}
    return parts._replace(query=urlencode(left)).geturl()


def test_the_request_is_as_the_broker_wants_it_and_says_nothing_more(site: Site) -> None:
    person = site.registrant()
    start = person.browser.get(
        f"{person.registration}/start?ui_locales=sv&idp_hint=op&scope=x&redirect_uri=https://evil.example",
        allow_redirects=False,
        timeout=SECONDS,
    )
    sent = dict(parse_qs(urlsplit(start.headers["Location"]).query).items())
    assert set(sent) == {
        "response_type",
        "client_id",
        "redirect_uri",
        "scope",
        "state",
        "nonce",
        "code_challenge",
        "code_challenge_method",
        "ui_locales",
        "idp_hint",
        "step",
    }
    assert sent["scope"] == ["openid profile"]
    assert sent["redirect_uri"] == [f"{site.harness.url}/callback"]
    assert sent["code_challenge_method"] == ["S256"]
    assert (sent["ui_locales"], sent["idp_hint"], sent["step"]) == (["sv"], ["op"], ["2/4"])


@pytest.mark.parametrize("purpose", ["sign-in", "new-password"])
def test_what_has_no_steps_sends_none(site: Site, purpose: str) -> None:
    answer = begun(site.registrant(), purpose=purpose)
    assert "step" not in parse_qs(urlsplit(answer.headers["Location"]).query)


def test_two_tabs_can_identify_one_after_the_other(site: Site) -> None:
    person = site.registrant()
    first, second = answer_of(person), answer_of(person)
    assert person.get(first).path == "/form"
    assert person.get(second).path == "/form"


def test_a_reload_and_the_back_button_lead_to_the_same_place(site: Site) -> None:
    person = site.registrant()
    answer = answer_of(person)
    assert [person.get(answer).path for _ in range(3)] == ["/form"] * 3
    assert len(site.rows(Session)) == 1


def test_a_double_click_whose_first_answer_was_lost_still_has_the_session(site: Site) -> None:
    person = site.registrant()
    answer = answer_of(person)
    lost = dict(person.browser.cookies)
    person.get(answer)
    for name, value in lost.items():  # the browser never saw the first answer's cookie
        person.browser.cookies.set(name, value, domain="127.0.0.1", path="/")
    assert person.get(answer).path == "/form"
    assert person.get("/form").status == 200


def test_eight_copies_of_an_answer_are_one_session(site_on_either: Site) -> None:
    site = site_on_either
    person = site.registrant()
    answer = answer_of(person)
    with ThreadPoolExecutor(8) as pool:
        paths = list(pool.map(lambda _: person.get(answer).path, range(8)))
    assert set(paths) == {"/form"}
    assert len(site.rows(Session)) == 1


def test_a_copy_after_a_minute_gets_no_session(site: Site) -> None:
    person = site.registrant()
    answer = answer_of(person)
    before = dict(person.browser.cookies)
    person.get(answer)
    site.harness.system.clock.offset = attempts.OUTCOME_SECONDS + 1
    thief = site.registrant()
    for name, value in before.items():
        thief.browser.cookies.set(name, value, domain="127.0.0.1", path="/")
    assert thief.get(answer).status == 401


def test_an_answer_in_another_browser_is_not_taken(site: Site) -> None:
    person, other = site.registrant(), site.registrant()
    other.get("/start", idp_hint="op")  # it has a cookie of its own
    page = other.get(answer_of(person))
    assert page.path.startswith("/problem/lost_cookie/")
    assert page.status == 400
    assert site.rows(Session) == []


@pytest.mark.parametrize("purpose", ["sign-in", "new-password", "confirm"])
def test_who_starts_again_in_another_browser_does_so_for_the_same_purpose(site: Site, purpose: str) -> None:
    page = site.registrant().get(answer_of(site.registrant(), purpose=purpose))
    assert page.path.startswith("/problem/lost_cookie/")
    assert f'href="/start?purpose={purpose}"' in page.text


def test_a_lost_cookie_is_told(site: Site) -> None:
    person = site.registrant()
    answer = answer_of(person)
    person.browser.cookies.clear()
    page = person.get(f"{answer}&ui_locales=en")
    assert page.status == 400
    assert site.rows(Session) == []
    now = datetime.fromtimestamp(site.service.now, UTC)
    assert format_time(now, "fi") in page.text, "for customer service, beside the code"


@pytest.mark.parametrize("iss", [None, "https://other.example"])
def test_an_answer_of_another_issuer_is_not_taken(site: Site, iss: str | None) -> None:
    person = site.registrant()
    page = person.get(changed(answer_of(person), iss=iss))
    assert page.path.startswith("/problem/not_verified/")
    assert site.rows(Session) == []


def test_an_unknown_state_is_an_expired_one(site: Site) -> None:
    page = site.registrant().get(f"{site.harness.url}/callback?code=x&state=unknown&iss={site.harness.issuer}")
    assert (page.path, page.status) == ("/problem/expired", 410)


def test_an_answer_after_an_hour_is_expired(site: Site) -> None:
    person = site.registrant()
    answer = answer_of(person)
    site.harness.system.clock.offset = attempts.LIFETIME + 1
    assert person.get(answer).status == 410


def test_nobody_waits_for_an_outcome_that_cannot_come(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    person = site.registrant()
    answer = answer_of(person)
    with site.database.write() as transaction:
        transaction.execute(update(Attempt).values(claimed_at=site.service.now))
    site.harness.system.later(callback.OVERDUE)
    waited: list[str] = []
    monkeypatch.setattr(attempts, "wait_for_outcome", lambda _service, state: waited.append(state))
    assert person.get(answer).path.startswith("/problem/interrupted/")
    assert waited == []


def test_a_database_that_fails_once_loses_no_identification(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    person = site.registrant()
    answer, begin = answer_of(person), callback.sessions.begin
    failures = [OperationalError("a failover", {}, Exception())]

    def fail_once(*parts: Any, **named: Any) -> str:
        if failures:
            raise failures.pop()
        return begin(*parts, **named)

    monkeypatch.setattr(callback.sessions, "begin", fail_once)
    assert person.get(answer).path == "/form"
    assert len(site.rows(Session)) == 1


def test_a_state_twice_or_none_is_no_answer(site: Site) -> None:
    person = site.registrant()
    answer = answer_of(person)
    assert person.get(answer + "&state=another").status == 400
    assert person.get(changed(answer, state=None)).status == 400


def test_a_code_of_somebody_else_is_not_taken(site: Site) -> None:
    """Code injection (RFC 9700 §4.5): PKCE and nonce bind a code to the browser that asked for it."""
    person, thief = site.registrant(), site.registrant()
    stolen = parse_qs(urlsplit(answer_of(person)).query)["code"][0]
    page = thief.get(changed(answer_of(thief), code=stolen))
    assert page.path.startswith("/problem/not_verified/")
    assert site.rows(Session) == []


def test_an_identity_token_with_another_nonce_is_not_taken(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    person = site.registrant()
    answer = answer_of(person)
    find = attempts.find

    def with_other_nonce(service: Any, state: str) -> Any:
        trip, browser = find(service, state) or (None, "")
        assert trip is not None
        request = attempts.Request(trip.request.state, "other", trip.request.code_verifier)
        return attempts.Trip(trip.id, trip.purpose, trip.locale, request, trip.claimed_at, trip.outcome), browser

    monkeypatch.setattr(attempts, "find", with_other_nonce)
    assert person.get(answer).path.startswith("/problem/not_verified/")


def test_an_assurance_that_is_not_enough_is_not_taken(harness: Harness, sqlite_url: str) -> None:
    harness.system.reset()
    config = harness.config(sqlite_url)
    config["broker"] = config["broker"] | {"accepted_acr": [ACR.replace("loatest2", "loatest3")]}
    site = open_site(harness, config, harness.system.clock)
    assert site.registrant().identify("nordea").path.startswith("/problem/not_verified/")


def test_who_turns_back_at_the_broker_is_told_so_and_can_try_again(site: Site) -> None:
    person = site.registrant()
    chooser = person.identify("nordea", outcome="cancel")
    way_back = next(part for part in chooser.text.split('"') if "/return/" in part)
    page = person.get(urljoin(chooser.url, way_back))
    assert page.path.startswith("/problem/cancelled/")
    assert page.status == 200
    assert 'href="/start"' in page.text


def test_an_error_that_is_none_of_ours_is_not_shown(site: Site) -> None:
    person = site.registrant()
    answer = changed(answer_of(person), code=None, error="server_error", error_description="<b>buy now</b>")
    page = person.get(answer)
    assert page.path.startswith("/problem/failed/")
    assert "buy now" not in page.text


def test_a_browser_keeps_twenty_attempts(site: Site) -> None:
    person = site.registrant()
    for _ in range(attempts.MOST_PER_BROWSER + 5):
        begun(person)
    assert len(site.rows(Attempt)) == attempts.MOST_PER_BROWSER
    assert len(attempt_cookies(person)) == attempts.MOST_PER_BROWSER


def test_a_page_that_begins_many_attempts_ends_none_that_was_there(site: Site) -> None:
    person = site.registrant()
    answer = answer_of(person)
    for _ in range(attempts.MOST_PER_BROWSER + 5):
        begun(person)
    assert person.get(answer).path == "/form"


def test_attempts_that_have_ended_go_before_those_under_way(site: Site) -> None:
    person = site.registrant()
    ended = answer_of(person)
    assert person.get(ended).path == "/form"
    for _ in range(attempts.MOST_PER_BROWSER - 2):
        begun(person)
    latest = answer_of(person)
    begun(person)
    assert person.get(latest).path == "/form"
    assert person.get(ended).path.startswith("/problem/")


def test_an_attempt_is_bound_by_a_small_cookie_of_its_own_that_outlives_the_browser(site: Site) -> None:
    answer = begun(site.registrant())
    (cookie,) = (line for line in answer.raw.headers.getlist("Set-Cookie") if "attempt" in line)
    assert f"Max-Age={attempts.LIFETIME}" in cookie
    assert attempts.LIFETIME >= 3600
    assert len(cookie.partition(";")[0]) < 100
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_who_comes_back_after_the_phone_has_ended_the_browser_goes_on(site: Site) -> None:
    person = site.registrant()
    person.get("/sign-in")
    answer = answer_of(person)
    person.browser.cookies.clear_session_cookies()
    assert person.get(answer).path == "/form"


def test_a_session_ends_with_the_browser(site: Site) -> None:
    person = site.registrant()
    assert person.identify("nordea").path == "/form"
    person.browser.cookies.clear_session_cookies()
    assert person.get("/form").status == 401


def test_two_first_starts_at_once_are_both_answered(site: Site) -> None:
    """One tap on some phones is two requests without cookies, and restored tabs are many."""
    person = site.registrant()
    jars = []
    for _ in range(3):
        person.browser.cookies.clear()
        jars.append((answer_of(person), list(person.browser.cookies)))
    person.browser.cookies.clear()
    for _, cookies in jars:
        for cookie in cookies:
            person.browser.cookies.set_cookie(cookie)
    assert [person.get(answer).path for answer, _ in jars] == ["/form"] * 3


@pytest.mark.parametrize(
    ("method", "headers"),
    [("GET", {"Sec-Purpose": "prefetch;prerender"}), ("GET", {"Purpose": "prefetch"}), ("HEAD", {})],
)
def test_a_browser_that_looks_ahead_begins_nothing(site: Site, method: str, headers: dict[str, str]) -> None:
    person = site.registrant()
    answer = person.browser.request(
        method, f"{person.registration}/start", headers=headers, allow_redirects=False, timeout=SECONDS
    )
    assert answer.status_code == 204
    assert site.rows(Attempt) == []


@pytest.mark.parametrize("query", ["purpose=admin", "idp_hint=" + "x" * 41, "idp_hint=%0d%0aX", "idp_hint=nordea%26x"])
def test_a_start_that_makes_no_sense_begins_nothing(site: Site, query: str) -> None:
    page: Page = site.registrant().get(f"/start?{query}")
    assert page.status == 400
    assert site.rows(Attempt) == []


def test_a_broker_that_is_away_is_told_and_nothing_is_lost(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    person = site.registrant()
    person.fill(person.identify("nordea"), TESTISAHKO, email="kept@example.com", right="")
    answer = answer_of(person)
    monkeypatch.setattr(site.service.broker, "_token_endpoint", "http://127.0.0.1:9/token")
    page = person.get(answer)
    assert page.path.startswith("/problem/broker_unavailable/")
    assert page.status == 503
    monkeypatch.undo()
    assert 'value="kept@example.com"' in person.identify("nordea").text


def test_an_answer_that_finds_no_place_to_ask_the_broker_is_taken_at_a_reload(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callback, "CALL_WAIT", 0.0)
    person = site.registrant()
    answer = answer_of(person)
    places = site.service.broker_calls
    taken = 0
    while places.acquire(blocking=False):
        taken += 1
    page = person.get(answer)
    assert page.status == 503
    places.release(taken)
    assert 0 < taken <= site.service.settings.server.threads // 2, "places for other pages are left"
    (way,) = re.findall('<a class="button" href="([^"]*)"', page.text)
    assert person.get(urljoin(answer, way)).path == "/form"


def no_database(*_: Any) -> Any:
    raise OperationalError("", {}, Exception())


def fault(*_: Any) -> Any:
    raise KeyError("of a test")


@pytest.mark.parametrize(
    ("place", "name", "stand_in", "status"),
    [
        (Places, "acquire", lambda *_, **__: False, 503),
        (attempts, "find", no_database, 503),
        (attempts, "find", fault, 500),
    ],
    ids=["no place", "no database", "fault"],
)
def test_no_page_at_the_callback_repeats_its_address(
    site: Site, monkeypatch: pytest.MonkeyPatch, place: Any, name: str, stand_in: Any, status: int
) -> None:
    person = site.registrant()
    answer = answer_of(person)
    monkeypatch.setattr(place, name, stand_in)
    page = person.get(answer)
    assert page.status == status
    query = parse_qs(urlsplit(answer).query)
    assert [name for name in ("code", "state") if query[name][0] in html.unescape(page.text)] == []
    assert "ui_locales" not in page.text, "a language link would lead to the callback without its answer"


def test_state_nonce_and_verifier_are_unreadable_in_the_database(site: Site) -> None:
    person = site.registrant()
    start = person.browser.get(f"{person.registration}/start", allow_redirects=False, timeout=SECONDS)
    state = parse_qs(urlsplit(start.headers["Location"]).query)["state"][0]
    nonce = parse_qs(urlsplit(start.headers["Location"]).query)["nonce"][0]
    (row,) = site.rows(Attempt)
    assert state not in (row.id, row.sealed)
    assert nonce not in row.sealed


def test_signing_in_without_an_account_leads_to_registration(site: Site) -> None:
    page = site.registrant().identify("nordea", purpose="sign-in")
    assert page.path == "/problem/not_registered"
    assert 'href="/form"' in page.text
