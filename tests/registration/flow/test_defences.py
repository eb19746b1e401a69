"""What is true of every page: headers, addresses that lead nowhere else, faults, one refusal for all."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from demo.runner.client import SECONDS
from demo.runner.registrant import PASSWORD, Page
from registration.database.models import AuditRecord, Base, Company, Session, Tries
from tests.harness.registration import TESTISAHKO, Harness, Site, filled, know, open_site, registered, sign_in, to_form

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


def test_every_page_has_the_security_headers(site: Site) -> None:
    person = registered(site)
    seen = 0
    for rule in site.app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.rule.startswith(("/static", "/api", "/jwks")):
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


def test_a_nul_in_an_address_is_no_page_of_ours(site_on_either: Site) -> None:
    site = site_on_either
    person = registered(site)
    page, seen = person.get("/sessions"), 0
    for rule in site.app.url_map.iter_rules():
        for method in {"GET", "POST"} & (rule.methods or set()) if "<" in rule.rule else ():
            address = person.registration + filled(rule.rule, "%00")
            token = {"csrf_token": page.csrf_token}
            answer = person.browser.request(method, address, data=token, allow_redirects=False, timeout=SECONDS)
            wanted = 403 if rule.rule.startswith(("/companies/", "/requests/")) else 404
            assert answer.status_code == wanted, (method, rule.rule)
            seen += 1
    assert seen > 10


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
    assert person.get("/new-email").path == "/terms/accept"
    assert person.post("/terms/accept", page, terms="y").path == "/new-email"
    assert site.account("person").terms_version == "2027-01-01"
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

    monkeypatch.setattr("registration.flow.form._as_fields", broken)
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
    away = client.get("/start?purpose=sign-in")
    assert (away.status_code, '<a class="button" href=""' in away.text) == (503, True)
    assert client.post("/api/sign-in", json={}).status_code in {400, 401, 503}
    assert operations.get("/livez").status_code == 200


@pytest.mark.parametrize("path", ["/nothing", "/static/nothing.css", "/companies/x", "/confirm"])
def test_not_found_is_a_page_too(site: Site, path: str) -> None:
    page = site.registrant().get(path)
    assert page.status == 404
    assert "<h1>" in page.text


def test_a_language_link_leads_to_a_page_and_not_to_where_only_a_form_is_sent(site: Site) -> None:
    person = registered(site)
    sent_to = {rule.rule for rule in site.app.url_map.iter_rules() if "POST" in (rule.methods or ())}
    pages = [person.post(filled(rule)) for rule in sorted(sent_to) if not rule.startswith("/api/")]
    links = {html.unescape(link) for page in pages for link in re.findall('href="([^"]*ui_locales=sv)"', page.text)}
    assert {"/sessions?ui_locales=sv", f"{filled('/companies/<key>/users')}?ui_locales=sv"} <= links
    assert not [link for link in links if person.get(link).status in {404, 405}]


def test_a_head_is_answered_as_a_get_and_sends_nothing(site: Site) -> None:
    person = registered(site)
    key = site.rows(Company)[0].key
    sent_to = [rule for rule in site.app.url_map.iter_rules() if (rule.methods or set()) >= {"GET", "POST"}]
    tries = len(site.rows(Tries))
    for rule in sent_to:
        url = person.registration + filled(rule.rule, key)
        got, head = (getattr(person.browser, name)(url, timeout=SECONDS) for name in ("get", "head"))
        assert head.status_code == got.status_code, rule
    assert {"/caller", "/dispute"} < {rule.rule for rule in sent_to}
    assert len(site.rows(Tries)) == tries


@pytest.mark.parametrize("query", ["/link-sent?from={}", "/problem/expired?purpose=caller", "/history?before=9"])
def test_a_language_link_leads_to_the_same_page(site: Site, query: str) -> None:
    person = registered(site)
    path = query.format(int(site.harness.system.clock()) + 600)
    page = person.get(path)
    other = person.get(html.unescape(re.findall('href="([^"]*ui_locales=sv)"', page.text)[0]))
    assert other.status == page.status
    assert ("purpose=caller" in other.text) == ("purpose=caller" in path)


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
    page = to_form(person)
    page = person.fill(page, TESTISAHKO, go="new-identity", email="typed@example.com")
    assert page.path == "/new-identity"
    assert site.rows(Session)[0].key[:8] in page.text
    assert 'value="typed@example.com"' in person.get("/form").text


@pytest.mark.parametrize("path", ["//evil.example/x", "///evil.example", "/%5Cevil.example"])
def test_the_links_of_a_page_lead_to_this_site(site: Site, path: str) -> None:
    page = site.app.test_client().get(f"http://localhost{path}").get_data(as_text=True)
    assert "<h1>" in page
    for link in re.findall(r'href="([^"]+)"', page):
        assert link[1:2] not in {"/", "\\"}, link


@pytest.mark.parametrize(
    "body",
    [
        {"json": {"user_name": 1, "password": None}},
        {"json": [1]},
        {"files": {"user_name": ("a.txt", b"person"), "password": ("b.txt", b"x")}},
        {"data": b"{", "headers": {"Content-Type": "application/json"}},
    ],
)
@pytest.mark.parametrize("path", ["/sign-in", "/form"])
def test_what_is_no_form_is_read_as_an_empty_one(site: Site, path: str, body: dict[str, Any]) -> None:
    person = site.registrant()
    to_form(person)
    assert person.browser.post(person.registration + path, timeout=SECONDS, **body).status_code == 400


def test_a_body_that_is_too_large_is_a_page_too(site: Site) -> None:
    person = site.registrant()
    answer = person.browser.post(f"{site.harness.url}/sign-in", data={"user_name": "x" * 70_000}, timeout=SECONDS)
    assert answer.status_code == 413
    assert "<h1>" in answer.text
    assert answer.headers["X-Frame-Options"] == "DENY"
