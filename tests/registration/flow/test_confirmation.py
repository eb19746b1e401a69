"""The link that confirms an e-mail address: asked by a GET, confirmed by a POST, for a day, and sent again."""

from __future__ import annotations

from demo.runner.registrant import Registrant
from registration.database.models import Account, AuditRecord, OutboxEntry
from registration.flow.confirmation import MOST_LINKS
from registration.mail.links import VALID, link_token
from tests.harness.registration import TESTISAHKO, Site


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
    for _ in range(MOST_LINKS + 3):
        assert reader.post(f"{link}/new", page).path == "/link-sent"
    assert len(site.rows(OutboxEntry)) == 1 + MOST_LINKS


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
