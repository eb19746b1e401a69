"""What is true of every page and form: headers, cookies, form tokens, sessions, redirects, one refusal for all."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from demo.runner.client import SECONDS
from demo.runner.registrant import PASSWORD, Page, Registrant
from registration.accounts import choosing
from registration.database.models import Account, AuditRecord, Base, Company, Session
from tests.harness.registration import TESTISAHKO, Harness, Site, know, open_site

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; base-uri 'none'; "
        "frame-ancestors 'none'; form-action 'self'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""Typed here again on purpose: what the pages have must be this."""


def registered(site: Site, user_name: str = "person") -> Registrant:
    """A person who has registered, signed in."""
    person = site.registrant()
    person.register("nordea", TESTISAHKO, user_name, f"{user_name}@example.com")
    return person


def sign_in(person: Registrant, user_name: str, password: str) -> Page:
    """Sign in with user name and password."""
    return person.post("/sign-in", person.get("/sign-in"), user_name=user_name, password=password)


def filled(rule: str) -> str:
    """A rule's address with something in its gaps."""
    return re.sub(r"<[^>]+>", "0" * 32, rule)


def snapshot(site: Site) -> str:
    """Everything in the database but when sessions were last seen."""
    with site.database.engine.connect() as connection:
        return "\n".join(
            f"{table.name} {row}"
            for table in Base.metadata.sorted_tables
            if table.name != "session"
            for row in connection.execute(table.select())
        )


def test_every_page_has_the_security_headers(site: Site) -> None:
    person = registered(site)
    seen = 0
    for rule in site.app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.rule.startswith(("/static", "/api")):
            continue
        answer = person.browser.get(person.registration + filled(rule.rule), allow_redirects=False, timeout=SECONDS)
        seen += 1
        for name, value in HEADERS.items():
            if name == "X-Frame-Options" and answer.is_redirect:
                continue
            assert answer.headers.get(name, "").startswith(value), (rule.rule, name)
        assert answer.status_code < 500, rule.rule
    assert seen > 20


def test_only_pages_that_lead_to_the_broker_name_it_in_form_action(site: Site) -> None:
    person = site.registrant()
    named = f"form-action 'self' {site.harness.issuer}"
    for path, leads in (("/", True), ("/sign-in", True), ("/private", False)):
        policy = person.browser.get(person.registration + path, timeout=SECONDS).headers["Content-Security-Policy"]
        assert (named in policy) is leads


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


def test_a_nul_in_an_address_is_no_page_of_ours(site_on_either: Site) -> None:
    site = site_on_either
    person = registered(site)
    page, seen = person.get("/sessions"), 0
    for rule in site.app.url_map.iter_rules():
        for method in {"GET", "POST"} & (rule.methods or set()) if "<" in rule.rule else ():
            address = person.registration + re.sub(r"<[^>]+>", "%00", rule.rule)
            token = {"csrf_token": page.csrf_token}
            answer = person.browser.request(method, address, data=token, allow_redirects=False, timeout=SECONDS)
            wanted = 403 if rule.rule.startswith("/companies/") else 404  # as any other id that is none of ours
            assert answer.status_code == wanted, (method, rule.rule)
            seen += 1
    assert seen > 10


def test_a_form_token_of_another_session_is_not_taken(site: Site) -> None:
    person, other = registered(site), registered(site, "other")
    page = other.get("/sessions")
    assert person.post("/sessions/end-others", page).status == 400


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
    person.expect("/form", person.identify("nordea"))
    assert session_cookie(person) != planted
    assert with_cookie(site, planted).get("/form").status == 401


def test_a_cookie_known_beforehand_is_no_session_after_sign_in(site: Site) -> None:
    registered(site)
    person = site.registrant()
    person.expect("/form", person.identify("nordea"))
    planted = session_cookie(person)
    assert sign_in(person, "person", PASSWORD).path == "/rights"
    assert with_cookie(site, planted).get("/rights").status == 401


def test_a_cookie_that_is_not_signed_by_us_is_none(site: Site) -> None:
    person = registered(site)
    value = session_cookie(person)
    assert with_cookie(site, value[:-2] + ("AA" if value[-2:] != "AA" else "BB")).get("/rights").status == 401


def test_identifications_begun_from_an_address_are_limited_until_the_window_ends(
    harness: Harness, sqlite_url: str
) -> None:
    rules = {"rules": {"starts_per_address": 2}, "server": {"trusted_proxies": 1}}
    site = open_site(harness, harness.config(sqlite_url) | rules, harness.system.clock)
    client = site.app.test_client()

    def start(address: str) -> int:
        return client.get("/start", headers={"X-Forwarded-For": address}).status_code

    assert [start("192.0.2.1"), start("192.0.2.1:4711"), start("9.9.9.9, 192.0.2.1:4712")] == [303, 303, 429]
    assert [start("2001:db8::1"), start("2001:db8::2"), start("2001:db8:0:0:1::3")] == [303, 303, 429]  # one /64
    refused = client.get("/start", headers={"X-Forwarded-For": "192.0.2.1"})
    assert refused.headers["Retry-After"] == "900"
    assert start("192.0.2.2") == 303
    assert [start("unknown") for _ in range(4)] == [303] * 4
    assert [start("client-a"), start("client-a"), start("client-a"), start("client-b")] == [303, 303, 429, 303]
    harness.system.later(901)
    assert start("192.0.2.1") == 303


def test_identifications_are_limited_for_an_ipv6_site_and_in_all(harness: Harness, sqlite_url: str) -> None:
    rules = {"rules": {"starts_per_address": 1, "starts_in_all": 12}, "server": {"trusted_proxies": 1}}
    site = open_site(harness, harness.config(sqlite_url) | rules, harness.system.clock)
    client = site.app.test_client()

    def start(address: str) -> int:
        return client.get("/start", headers={"X-Forwarded-For": address}).status_code

    networks = [f"2001:db8:1:{number:x}::1" for number in range(11)]
    assert [start(address) for address in networks] == [303] * 10 + [429], "ten times one network's"
    assert [start("192.0.2.1"), start("192.0.2.2")] == [303, 303]
    assert start("192.0.2.3") == 429, "twelve in all"


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


@contextmanager
def full_queue(site: Site) -> Iterator[None]:
    """All that may hash a password are at it, from addresses of their own."""
    passwords = site.service.passwords
    with ExitStack() as held:
        for number in range(passwords._room):
            held.enter_context(passwords.admitted(f"203.0.113.{number}"))
        yield


def test_who_finds_the_queue_for_passwords_full_is_told_when_to_come_again_and_loses_nothing(site: Site) -> None:
    registered(site)
    person, chooser = site.registrant(), site.registrant()
    form = person.expect("/form", person.identify("nordea"))
    signing_in = chooser.get("/sign-in")
    with full_queue(site):
        fields = {"csrf_token": signing_in.csrf_token, "user_name": "person", "password": PASSWORD}
        answer = chooser.browser.post(f"{chooser.registration}/sign-in", data=fields, timeout=SECONDS)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        assert 'value="person"' in answer.text
        refused = person.fill(form, TESTISAHKO, email="typed@example.com")
        assert refused.status == 503
        assert 'value="typed@example.com"' in refused.text
        assert chooser.get("/sign-in").status == 200
        assert chooser.get("/private").status == 200
    assert sign_in(chooser, "person", PASSWORD).path == "/rights"
    person.expect("/review", person.fill(refused, TESTISAHKO))


def test_a_new_password_waits_for_its_turn_too(site: Site) -> None:
    person = registered(site)
    page = person.expect("/new-password", person.identify("op", purpose="new-password"))
    with full_queue(site):
        assert person.post("/new-password", page, password="Uusi-Salasana-9").status == 503
    assert person.post("/new-password", page, password="Uusi-Salasana-9").path == "/rights"


@pytest.mark.parametrize("path", ["/form", "/new-password"])
def test_a_form_with_a_password_is_not_looked_at_without_end(
    site: Site, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = registered(site) if path == "/new-password" else site.registrant()
    sent = 2 if path == "/new-password" else 0  # the form and its review
    monkeypatch.setattr(choosing, "MOST", 3 + sent)
    page = person.expect(path, person.identify("op", purpose="register" if path == "/form" else "new-password"))

    def send() -> Page:
        return person.post(path, page, password="short", email="typed@example.com")

    assert [send().status for _ in range(4)] == [422] * 3 + [429]
    if path == "/form":
        assert 'value="typed@example.com"' in send().text
    site.harness.system.later(choosing.WINDOW + 1)
    assert send().status == 422


def test_a_registration_is_not_sent_without_end(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    person = site.registrant()
    review = person.expect("/review", person.fill(person.identify("op"), TESTISAHKO))
    monkeypatch.setattr(choosing, "MOST", 1)  # the form was one
    assert person.post("/review", review).path == "/problem/too_many_forms"
    assert site.rows(Account) == []
    site.harness.system.later(choosing.WINDOW + 1)
    assert person.post("/review", review).path == "/done"


def test_signing_out_ends_the_session_on_the_server_too(site: Site) -> None:
    person = registered(site)
    kept = session_cookie(person)
    assert person.post("/sign-out", person.get("/sessions")).path == "/sign-in"
    assert with_cookie(site, kept).get("/rights").status == 401


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
    theirs = next(row.key for row in site.rows(Session) if row.account_id != _account(site, "person").id)
    person.post(f"/sessions/{theirs}/end", person.get("/sessions"))
    assert other.get("/rights").status == 200


def _account(site: Site, user_name: str) -> Account:
    return next(account for account in site.rows(Account) if account.user_name == user_name)


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
    assert person.post("/new-password", page, password="Uusi-Salasana-9").status == 401
    assert sign_in(site.registrant(), "person", PASSWORD).path == "/rights"


def masked(page: Page) -> str:
    """A page without its form token and what was typed."""
    return re.sub(r'value="[^"]*"', "", page.text)


def test_sign_in_has_one_refusal_for_all(site: Site) -> None:
    registered(site)
    pages = [
        sign_in(site.registrant(), *typed)
        for typed in (("person", "Wrong-Password-1"), ("nobody", PASSWORD), ("", ""), ("person", ""))
    ]
    assert {page.status for page in pages} == {422}
    assert len({masked(page) for page in pages}) == 1


def test_too_many_wrong_tries_are_told_and_the_owner_can_still_identify(site: Site) -> None:
    person = registered(site)
    stranger = site.registrant()
    pages = [sign_in(stranger, "person", "Wrong-Password-1") for _ in range(11)]
    assert pages[-1].status == 429
    assert site.registrant(person.persona).identify("op", purpose="sign-in").path == "/rights"


def test_new_terms_are_put_before_the_person_at_the_next_sign_in(
    harness: Harness, sqlite_url: str, tmp_path: Path
) -> None:
    harness.system.reset()
    site = open_site(harness, harness.config(sqlite_url), harness.system.clock)
    know(site, [TESTISAHKO])
    registered(site)
    for version in ("2026-11-01", "2027-01-01"):
        (tmp_path / version).mkdir()
        for locale in ("fi", "sv", "en"):
            (tmp_path / version / f"{locale}.md").write_text(f"## {version}\n\n<script>alert(1)</script>\n")
    config = harness.config(sqlite_url) | {"terms": {"dir": str(tmp_path), "version": "2027-01-01"}}
    site = open_site(harness, config, harness.system.clock)
    person = site.registrant()
    page = sign_in(person, "person", PASSWORD)
    assert page.path == "/terms/accept"
    assert "<script>alert" not in page.text
    assert person.get("/rights").path == "/terms/accept"
    assert person.post("/terms/accept", page).status == 422
    assert person.post("/terms/accept", page, terms="y").path == "/rights"
    assert _account(site, "person").terms_version == "2027-01-01"
    assert "terms_accepted" in [record.event for record in site.rows(AuditRecord)]


@pytest.mark.parametrize("path", ["//evil.example/", "/start?next=https://evil.example", "/terms/..%2fx", "/\\evil"])
def test_no_address_leads_elsewhere_than_to_the_broker(site: Site, path: str) -> None:
    answer = site.registrant().browser.get(site.harness.url + path, allow_redirects=False, timeout=SECONDS)
    location = urlsplit(answer.headers.get("Location", ""))
    assert location.netloc in {"", urlsplit(site.harness.issuer).netloc}


def test_the_host_header_makes_no_address(site: Site) -> None:
    person = site.registrant()
    answer = person.browser.get(
        f"{site.harness.url}/start", headers={"Host": "evil.example"}, allow_redirects=False, timeout=SECONDS
    )
    assert "evil" not in answer.headers["Location"]


def test_a_fault_is_a_page_without_details_and_the_log_says_where(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret inside")

    monkeypatch.setattr("registration.flow.drafts.load", broken)
    person = site.registrant()
    page = person.identify("nordea")
    assert page.status == 500
    assert "secret inside" not in page.text + caplog.text


def test_a_database_that_is_away_is_a_page_and_readyz_says_so(harness: Harness, sqlite_url: str) -> None:
    site = open_site(harness, harness.config(sqlite_url), harness.system.clock)
    Base.metadata.drop_all(site.database.engine)
    client = site.app.test_client()
    operations = site.app.extensions["operations"].test_client()
    ready = operations.get("/readyz")
    assert ready.status_code == 503
    assert [check["name"] for check in ready.get_json()["checks"] if check["state"] == "failed"] == ["database"]
    assert operations.get("/metrics").status_code == 200
    assert client.get("/start").status_code == 503
    assert client.post("/api/sign-in", json={}).status_code in {400, 401, 503}
    assert operations.get("/livez").status_code == 200


@pytest.mark.parametrize("path", ["/nothing", "/static/nothing.css", "/companies/x", "/confirm"])
def test_not_found_is_a_page_too(site: Site, path: str) -> None:
    page = site.registrant().get(path)
    assert page.status == 404
    assert "<h1>" in page.text


@pytest.mark.parametrize("path", ["/sign-in", "/companies/{key}/share"])
def test_a_change_of_language_keeps_what_was_typed_on_other_forms_too(site: Site, path: str) -> None:
    person = registered(site)
    path = path.format(key=site.rows(Company)[0].key)
    page = person.post(path, person.get(path), user_name="typed-name", email="typed@example.com", ui_locales="en")
    assert page.status == 200
    assert '<html lang="en">' in page.text
    assert 'value="typed-name"' in page.text
    assert "-error" not in page.text
    assert '<html lang="en">' in person.get("/rights").text


def test_who_identifies_with_a_new_code_is_told_what_to_give_customer_service(site: Site) -> None:
    person = site.registrant()
    page = person.expect("/form", person.identify("nordea"))
    page = person.fill(page, TESTISAHKO, go="new-identity", email="typed@example.com")
    assert page.path == "/new-identity"
    assert site.rows(Session)[0].key[:8] in page.text
    assert 'value="typed@example.com"' in person.get("/form").text


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


@pytest.mark.parametrize("path", ["//evil.example/x", "///evil.example", "/%5Cevil.example"])
def test_the_links_of_a_page_lead_to_this_site(site: Site, path: str) -> None:
    page = site.app.test_client().get(f"http://localhost{path}").get_data(as_text=True)
    assert "<h1>" in page
    for link in re.findall(r'href="([^"]+)"', page):
        assert link[1:2] not in {"/", "\\"}, link


def test_a_body_that_is_too_large_is_a_page_too(site: Site) -> None:
    person = site.registrant()
    answer = person.browser.post(f"{site.harness.url}/sign-in", data={"user_name": "x" * 70_000}, timeout=SECONDS)
    assert answer.status_code == 413
    assert "<h1>" in answer.text
    assert answer.headers["X-Frame-Options"] == "DENY"


def test_too_many_tries_stand_in_the_audit_trail_without_a_person(site: Site) -> None:
    person = site.registrant()
    page = person.identify("nordea")
    for _ in range(6):
        person.fill(page, TESTISAHKO, company_name="Väärä Oy")
    (record,) = [record for record in site.rows(AuditRecord) if record.event == "refused"]
    assert record.details == {"reason": "too_many_tries", "of": "person"}
