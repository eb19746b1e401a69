"""The link that confirms an e-mail address: asked by a GET, confirmed by a POST, for a day, and sent again."""

from __future__ import annotations

import re

from sqlalchemy import update

from demo.runner.registrant import Registrant
from registration.database.models import Account, AuditRecord, OutboxEntry
from registration.flow.confirmation import FROM_ADDRESS, LINKS_WINDOW, MOST_LINKS
from registration.mail.links import VALID, link_token
from registration.mail.outbox import CALLER_CHECK
from tests.harness.registration import TESTISAHKO, Harness, Site, know, open_site


def registered(site: Site) -> tuple[Registrant, str]:
    """Somebody who has registered, and the path of the link in their e-mail."""
    person = site.registrant()
    person.register("nordea", TESTISAHKO, "person", "person@example.com")
    (entry,) = site.rows(OutboxEntry)
    return person, f"/confirm/{link_token(site.service.keys, entry.id, site.service.now)}"


def test_the_link_asks_and_the_button_confirms(site_on_either: Site) -> None:
    site = site_on_either
    _, link = registered(site)
    reader = site.registrant()
    page = reader.get(link)
    assert "person@example.com" in page.text
    assert site.rows(Account)[0].email_confirmed_at is None
    pressed = site.service.now
    assert reader.post(link, page).path == "/confirmed"
    assert pressed <= (site.rows(Account)[0].email_confirmed_at or 0) <= site.service.now
    assert reader.post(link, page).path == "/confirmed"  # pressed twice
    assert [record.event for record in site.rows(AuditRecord)].count("email_confirmed") == 1


def test_a_link_is_for_a_day_and_a_new_one_is_sent(site: Site) -> None:
    _, link = registered(site)
    reader = site.registrant()
    asked = reader.get(link)
    site.harness.system.clock.offset = VALID + 1
    page = reader.get(link)
    assert page.status == 410
    assert reader.post(link, asked).status == 410
    assert site.rows(Account)[0].email_confirmed_at is None
    assert reader.post(f"{link}/new", page).path == "/link-sent"
    assert len(site.rows(OutboxEntry)) == 2


def test_new_links_are_not_sent_without_end(site: Site) -> None:
    _, link = registered(site)
    reader = site.registrant()
    page = reader.get(link)
    pages = [reader.post(f"{link}/new", page) for _ in range(MOST_LINKS + 3)]
    assert [page.path for page in pages] == ["/link-sent"] * len(pages)
    assert [page.status for page in pages] == [200] * MOST_LINKS + [429] * 3
    assert re.search(r"\d+\.\d+\.\d{4} klo", pages[-1].text), "it says when"
    assert len(site.rows(OutboxEntry)) == 1 + MOST_LINKS
    site.harness.system.later(LINKS_WINDOW + 1)
    assert reader.post(f"{link}/new", page).status == 200


def limited(harness: Harness, sqlite_url: str, most: int) -> Site:
    """A site that sends a mail address so many confirmations a day."""
    harness.system.reset()
    rules = {"rules": {"joining": "open", "confirmations_per_mail_address": most}}
    nothing_in_front = {"server": {"trusted_proxies": 0}}
    site = open_site(harness, harness.config(sqlite_url) | nothing_in_front | rules, harness.system.clock)
    know(site, [TESTISAHKO])
    return site


def test_a_mail_address_gets_few_confirmations_whoever_asks_for_them(harness: Harness, sqlite_url: str) -> None:
    site = limited(harness, sqlite_url, 3)
    for number in range(5):
        person = site.registrant()
        person.register("nordea", TESTISAHKO, f"person-{number}", f"{'V' if number % 2 else 'v'}ictim@example.com")
    assert len(site.rows(Account)) == 5, "nobody is kept from registering"
    assert len(site.rows(OutboxEntry)) == 3
    untold = [record.details for record in site.rows(AuditRecord) if record.event == "not_told"]
    assert untold == [{"kind": "confirmation", "reason": "too_many"}] * 2
    assert person.post("/confirmation", person.get("/rights")).status == 429
    site.harness.system.later(86_401)
    again = site.registrant(person.persona)
    page = again.identify("nordea", purpose="sign-in")
    assert again.post("/confirmation", page).status == 200
    assert len(site.rows(OutboxEntry)) == 4


def test_a_user_name_that_was_taken_costs_no_confirmation(harness: Harness, sqlite_url: str) -> None:
    site = limited(harness, sqlite_url, 1)
    site.registrant().register("nordea", TESTISAHKO, "person", "other@example.com")
    person = site.registrant()
    review = person.fill(person.identify("nordea"), TESTISAHKO, user_name="free", email="person@example.com")
    site.registrant().register("nordea", TESTISAHKO, "free", "third@example.com")
    form = person.post("/review", review)
    assert form.status in {200, 422}
    review = person.fill(form, TESTISAHKO, user_name="freer", email="person@example.com")
    assert person.post("/review", review).path == "/done"
    assert len(site.rows(OutboxEntry)) == 3
    assert "not_told" not in {record.event for record in site.rows(AuditRecord)}


def test_an_address_asks_for_few_links_of_however_many_accounts(harness: Harness, sqlite_url: str) -> None:
    site = limited(harness, sqlite_url, 100)
    answers = []
    for number in range(FROM_ADDRESS // MOST_LINKS + 1):
        person = site.registrant()
        person.register("nordea", TESTISAHKO, f"person-{number}", f"person-{number}@example.com")
        page = person.get("/rights")
        answers += [person.post("/confirmation", page).status for _ in range(MOST_LINKS)]
    assert answers == [200] * FROM_ADDRESS + [429] * MOST_LINKS


def test_who_is_signed_in_can_have_a_new_link_sent_until_the_address_is_confirmed(site: Site) -> None:
    person, link = registered(site)
    page = person.get("/rights")
    assert person.post("/confirmation", page).path == "/link-sent"
    assert len(site.rows(OutboxEntry)) == 2
    person.post(link, person.get(link))
    assert "/confirmation" not in person.get("/rights").text
    assert person.post("/confirmation", person.get("/sessions")).path == "/link-sent"
    assert len(site.rows(OutboxEntry)) == 2


def test_a_link_that_is_none_of_ours_tells_nothing(site: Site) -> None:
    registered(site)
    stranger = site.registrant()
    forged = "/confirm/ImFhYWEi.aaaa.bbbb"
    assert stranger.get(forged).status == 410
    assert "person@example.com" not in stranger.get(forged).text
    assert stranger.post(f"{forged}/new", stranger.get("/sign-in")).status == 410
    assert len(site.rows(OutboxEntry)) == 1


def test_a_link_for_something_else_confirms_nothing(site: Site) -> None:
    _, link = registered(site)
    reader = site.registrant()
    asked = reader.get(link)
    with site.database.write() as tx:
        tx.execute(update(OutboxEntry).values(kind=CALLER_CHECK))
    assert reader.get(link).status == 410
    assert reader.post(link, asked).status == 410
    assert site.account("person").email_confirmed_at is None
