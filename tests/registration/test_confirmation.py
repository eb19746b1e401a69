"""The link that confirms an e-mail address: asked by a GET, confirmed by a POST, for a day, and sent again."""

from __future__ import annotations

from estate import TESTISAHKO, Home

from demo.registering import Registrant
from registration.errand.confirmation import MOST_LINKS
from registration.mail_links import VALID, link_token
from registration.models import Account, AuditRecord, OutboxEntry


def registered(home: Home) -> tuple[Registrant, str]:
    """Somebody who has registered, and the path of the link in their e-mail."""
    person = home.registrant()
    person.register("nordea", TESTISAHKO, "person", "person@example.com")
    (entry,) = home.rows(OutboxEntry)
    return person, f"/confirm/{link_token(home.service.keys, entry.id, home.service.now)}"


def test_the_link_asks_and_the_button_confirms(home_on_either: Home) -> None:
    home = home_on_either
    _, link = registered(home)
    reader = home.registrant()
    page = reader.get(link)
    assert "person@example.com" in page.text
    assert home.rows(Account)[0].email_confirmed_at is None
    pressed = home.service.now
    assert reader.post(link, page).path == "/confirmed"
    assert pressed <= (home.rows(Account)[0].email_confirmed_at or 0) <= home.service.now
    assert reader.post(link, page).path == "/confirmed"  # pressed twice
    assert [record.event for record in home.rows(AuditRecord)].count("email_confirmed") == 1


def test_a_link_is_for_a_day_and_a_new_one_is_sent(home: Home) -> None:
    _, link = registered(home)
    reader = home.registrant()
    asked = reader.get(link)
    home.house.stage.clock.offset = VALID + 1
    page = reader.get(link)
    assert page.status == 410
    assert reader.post(link, asked).status == 410
    assert home.rows(Account)[0].email_confirmed_at is None
    assert reader.post(f"{link}/new", page).path == "/link-sent"
    assert len(home.rows(OutboxEntry)) == 2


def test_new_links_are_not_sent_without_end(home: Home) -> None:
    _, link = registered(home)
    reader = home.registrant()
    page = reader.get(link)
    for _ in range(MOST_LINKS + 3):
        assert reader.post(f"{link}/new", page).path == "/link-sent"
    assert len(home.rows(OutboxEntry)) == 1 + MOST_LINKS


def test_who_is_signed_in_can_have_a_new_link_sent_until_the_address_is_confirmed(home: Home) -> None:
    person, link = registered(home)
    page = person.get("/rights")
    assert person.post("/confirmation", page).path == "/link-sent"
    assert len(home.rows(OutboxEntry)) == 2
    person.post(link, person.get(link))
    assert "/confirmation" not in person.get("/rights").text
    assert person.post("/confirmation", person.get("/sessions")).path == "/link-sent"
    assert len(home.rows(OutboxEntry)) == 2


def test_a_link_that_is_none_of_ours_tells_nothing(home: Home) -> None:
    registered(home)
    stranger = home.registrant()
    forged = "/confirm/ImFhYWEi.aaaa.bbbb"
    assert stranger.get(forged).status == 410
    assert "person@example.com" not in stranger.get(forged).text
    assert stranger.post(f"{forged}/new", stranger.get("/sign-in")).status == 410
    assert len(home.rows(OutboxEntry)) == 1
