"""Every form has its token: none is taken without, and what was typed is shown again."""

from __future__ import annotations

import pytest

from demo.runner.client import SECONDS
from demo.runner.registrant import PASSWORD, Page
from registration.database.models import Account, Base
from tests.harness.registration import TESTISAHKO, Harness, Site, filled, open_site, registered


def snapshot(site: Site) -> str:
    """Everything in the database but when sessions were last seen."""
    with site.database.engine.connect() as connection:
        return "\n".join(
            f"{table.name} {row}"
            for table in Base.metadata.sorted_tables
            if table.name != "session"
            for row in connection.execute(table.select())
        )


def test_no_post_is_taken_without_its_form_token(site: Site) -> None:
    person = registered(site)
    before, seen = snapshot(site), 0
    for rule in site.app.url_map.iter_rules():
        if "POST" not in (rule.methods or ()) or rule.rule.startswith("/api/"):
            continue
        for token in ({}, {"csrf_token": "forged"}):
            fields = {"user_name": "person", "password": PASSWORD, **token}
            answer = person.browser.post(
                person.registration + filled(rule.rule), data=fields, allow_redirects=False, timeout=SECONDS
            )
            # These two ask who one is first; the tests below are theirs.
            assert answer.status_code == 400 or rule.rule in {"/form", "/review"}, rule.rule
        seen += 1
    assert seen > 10
    assert snapshot(site) == before
    assert person.get("/rights").status == 200  # not even signed out


def test_the_form_without_its_token_is_shown_again_filled_in_and_nothing_is_kept(site: Site) -> None:
    person = site.registrant()
    page = person.identify("nordea")
    before = snapshot(site)
    again = person.post("/form", csrf_token="stale", company_name="Typed Oy", email="typed@example.com")
    assert again.status == 400
    assert 'value="Typed Oy"' in again.text
    assert snapshot(site) == before
    person.expect("/review", person.fill(again, TESTISAHKO))
    assert page.path == "/form"


@pytest.mark.parametrize("token", [{}, {"csrf_token": "forged"}])
def test_nothing_is_sent_without_the_form_token_and_all_of_it_is_shown_again(site: Site, token: dict[str, str]) -> None:
    person = site.registrant()
    person.expect("/review", person.fill(person.identify("nordea"), TESTISAHKO))
    page = person.expect("/review", person.post("/review", **token))
    assert site.rows(Account) == []
    person.expect("/done", person.post("/review", page))


def test_a_form_token_of_another_session_is_not_taken(site: Site) -> None:
    person, other = registered(site), registered(site, "other")
    page = other.get("/sessions")
    assert person.post("/sessions/end-others", page).status == 400


def test_on_https_a_post_needs_no_referer_and_the_browser_is_told_to_stay(harness: Harness, sqlite_url: str) -> None:
    """Under Referrer-Policy: no-referrer browsers send no Referer, and `Origin: null`."""
    site = open_site(
        harness, harness.config(sqlite_url) | {"url": "https://registration.example"}, harness.system.clock
    )
    client, base = site.app.test_client(), "https://registration.example"
    page = client.get("/sign-in", base_url=base)
    token = Page("", 200, page.text).csrf_token
    answer = client.post(
        "/sign-in", base_url=base, data={"csrf_token": token, "user_name": "x"}, headers={"Origin": "null"}
    )
    assert answer.status_code == 422
    assert answer.headers["Strict-Transport-Security"]


def test_of_two_sign_in_pages_that_were_opened_at_once_the_earlier_one_is_shown_again(site: Site) -> None:
    """Restored tabs, without a cookie: the later page's token is the one that the browser keeps."""
    registered(site)
    person = site.registrant()
    earlier = person.get("/sign-in")
    person.browser.cookies.clear()
    person.get("/sign-in")
    again = person.post("/sign-in", earlier, user_name="person", password=PASSWORD)
    assert (again.status, again.path) == (400, "/sign-in")
    assert 'value="person"' in again.text
    assert person.post("/sign-in", again, user_name="person", password=PASSWORD).path == "/rights"
