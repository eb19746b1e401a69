"""Sessions: their cookies, who may end them, and what a new password needs and ends."""

from __future__ import annotations

import re

import pytest

from demo.runner.registrant import PASSWORD, Registrant
from registration.database.models import AuditRecord, Session
from tests.harness.registration import TESTISAHKO, Harness, Site, open_site, registered, sign_in, to_form


def cookies_of(harness: Harness, sqlite_url: str, url: str) -> list[str]:
    """What registration at an address sets as cookies at a sign-in page."""
    site = open_site(harness, harness.config(sqlite_url) | {"url": url}, harness.system.clock)
    answer = site.app.test_client().get("/sign-in?ui_locales=sv", base_url=url)
    return answer.headers.getlist("Set-Cookie")


def test_cookies_are_as_closed_as_they_can_be(harness: Harness, sqlite_url: str) -> None:
    plain = cookies_of(harness, sqlite_url, harness.url)
    assert len(plain) == 2
    for cookie in plain:
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert "Secure" not in cookie
    secure = cookies_of(harness, sqlite_url, "https://registration.example")
    assert any(cookie.startswith("__Host-registration=") for cookie in secure)
    assert all("Secure" in cookie and "Domain" not in cookie for cookie in secure)


def session_cookie(person: Registrant) -> str:
    """The value of the session's cookie."""
    return next(cookie.value or "" for cookie in person.browser.cookies if cookie.name == "registration")


def with_cookie(site: Site, value: str) -> Registrant:
    """A browser that somebody has given a cookie."""
    person = site.registrant()
    person.browser.cookies.set("registration", value, domain="127.0.0.1", path="/")
    return person


def test_a_cookie_known_beforehand_is_no_session_after_identification(site: Site) -> None:
    person = site.registrant()
    person.get("/sign-in")
    planted = session_cookie(person)
    to_form(person)
    assert session_cookie(person) != planted
    assert with_cookie(site, planted).get("/form").status == 401


def test_a_cookie_known_beforehand_is_no_session_after_sign_in(site: Site) -> None:
    registered(site)
    person = site.registrant()
    to_form(person)
    planted = session_cookie(person)
    assert sign_in(person, "person", PASSWORD).path == "/rights"
    assert with_cookie(site, planted).get("/rights").status == 401


def test_a_cookie_that_is_not_signed_by_us_is_none(site: Site) -> None:
    person = registered(site)
    value = session_cookie(person)
    assert with_cookie(site, value[:-2] + ("AA" if value[-2:] != "AA" else "BB")).get("/rights").status == 401


def test_signing_out_ends_the_session_on_the_server_too(site: Site) -> None:
    person = registered(site)
    kept = session_cookie(person)
    assert person.post("/sign-out", person.get("/sessions")).path == "/sign-in"
    assert with_cookie(site, kept).get("/rights").status == 401


@pytest.mark.parametrize(
    ("agent", "shown"),
    [
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) CriOS/120.0 Mobile/15E148 Safari/604.1",
            "Chrome, iPhone",
        ),
        ("Mozilla/5.0 (iPad; CPU OS 17_0 like Mac OS X) FxiOS/120.0 Mobile/15E148 Safari/605.1.15", "Firefox, iPad"),
        ("Mozilla/5.0 (Linux; Android 13) SamsungBrowser/23.0 Chrome/115.0 Safari/537.36", "Samsung Internet, Android"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/17.0 Safari/605.1.15", "Safari, macOS"),
    ],
)
def test_a_session_is_shown_by_the_browser_that_its_owner_knows(site: Site, agent: str, shown: str) -> None:
    person = site.registrant()
    person.browser.headers["User-Agent"] = agent
    person.register("nordea", TESTISAHKO, "person", "person@example.com")
    assert shown in person.get("/sessions").text


def test_sessions_are_listed_and_can_be_ended(site: Site) -> None:
    person = registered(site)
    elsewhere = site.registrant()
    sign_in(elsewhere, "person", PASSWORD)
    page = person.get("/sessions")
    keys = re.findall(r'action="/sessions/([0-9a-f]{32})/end"', page.text)
    assert len(site.rows(Session)) == 2
    other = next(row.key for row in site.rows(Session) if row.sub is None)
    assert other in keys
    person.post(f"/sessions/{other}/end", page)
    assert elsewhere.get("/rights").status == 401
    assert person.get("/rights").status == 200


def test_a_session_of_somebody_else_cannot_be_ended(site: Site) -> None:
    person, other = registered(site), registered(site, "other")
    theirs = next(row.key for row in site.rows(Session) if row.account_id != site.account("person").id)
    person.post(f"/sessions/{theirs}/end", person.get("/sessions"))
    assert other.get("/rights").status == 200


def test_a_new_password_needs_a_fresh_identification_and_ends_all_other_sessions(site: Site) -> None:
    person = registered(site)
    elsewhere = site.registrant()
    sign_in(elsewhere, "person", PASSWORD)
    assert elsewhere.get("/new-password").path != "/new-password"
    page = person.expect("/new-password", person.identify("op", purpose="new-password"))
    refused = person.post("/new-password", page, password="short")
    assert refused.status == 422
    assert person.post("/new-password", page, password="Uusi-Salasana-9").path == "/rights"
    assert elsewhere.get("/rights").status == 401
    assert sign_in(site.registrant(), "person", PASSWORD).status == 422
    assert sign_in(site.registrant(), "person", "Uusi-Salasana-9").path == "/rights"
    assert "password_changed" in [record.event for record in site.rows(AuditRecord)]


def test_an_identification_of_yesterday_is_not_fresh(site: Site) -> None:
    person = registered(site)
    page = person.expect("/new-password", person.identify("op", purpose="new-password"))
    site.harness.system.clock.offset = 1801
    page = person.post("/new-password", page, password="Uusi-Salasana-9")
    assert page.status == 401
    assert 'href="/start?purpose=new-password"' in page.text
    assert sign_in(site.registrant(), "person", PASSWORD).path == "/rights"


def test_a_new_password_ends_sessions_that_only_identified_too(site: Site) -> None:
    person = registered(site)
    elsewhere = site.registrant(person.persona)
    elsewhere.identify("op")  # to register: it is told that there is an account
    assert elsewhere.get("/new-password").path == "/new-password"
    page = person.expect("/new-password", person.identify("op", purpose="new-password"))
    person.post("/new-password", page, password="Uusi-Salasana-9")
    assert elsewhere.get("/new-password").path != "/new-password"


def test_registering_does_not_make_an_old_identification_fresh(site: Site) -> None:
    person = site.registrant()
    page = person.identify("nordea")
    site.harness.system.clock.offset = 1700
    page = person.post("/review", person.fill(page, TESTISAHKO))
    assert page.path == "/done"
    site.harness.system.clock.offset = 1900
    assert person.get("/new-password").path != "/new-password"
