"""What is bounded: identifications begun, passwords hashed and looked at, registrations sent, wrong tries."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from demo.runner.client import SECONDS
from demo.runner.registrant import PASSWORD, Page
from registration.accounts import choosing
from registration.database.models import Account, AuditRecord
from tests.harness.registration import TESTISAHKO, Harness, Site, open_site, registered, sign_in, to_form


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
    form = to_form(person)
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
    if path == "/new-password":  # an identification is not fresh for as long
        page = person.expect(path, person.identify("op", purpose="new-password"))
    assert send().status == 422


def test_a_registration_is_not_sent_without_end(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    person = site.registrant()
    review = person.expect("/review", person.fill(person.identify("op"), TESTISAHKO))
    monkeypatch.setattr(choosing, "MOST", 1)  # the form was one
    assert person.post("/review", review).path == "/problem/too_many_forms"
    assert site.rows(Account) == []
    site.harness.system.later(choosing.WINDOW + 1)
    assert person.post("/review", review).path == "/done"


def test_too_many_wrong_tries_are_told_and_the_owner_can_still_identify(site: Site) -> None:
    person = registered(site)
    stranger = site.registrant()
    pages = [sign_in(stranger, "person", "Wrong-Password-1") for _ in range(11)]
    assert pages[-1].status == 429
    assert site.registrant(person.persona).identify("op", purpose="sign-in").path == "/rights"


def test_too_many_tries_stand_in_the_audit_trail_without_a_person(site: Site) -> None:
    person = site.registrant()
    page = person.identify("nordea")
    for _ in range(6):
        person.fill(page, TESTISAHKO, company_name="Väärä Oy")
    (record,) = [record for record in site.rows(AuditRecord) if record.event == "refused"]
    assert record.details == {"reason": "too_many_tries", "of": "person"}
