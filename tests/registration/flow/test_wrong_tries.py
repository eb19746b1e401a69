"""Company details and user names that are not right: one answer for all, few tries a day."""

from __future__ import annotations

import re

from demo.runner.registrant import Company, Page
from tests.harness.registration import TESTISAHKO, Site, to_form

WRONG = Company("Aivan Muu Oy", "9990002-4", "999999")


def masked(page: Page, *typed: str) -> str:
    """A page without its form token and the values that were typed."""
    text = re.sub(r'name="csrf_token" value="[^"]*"', "", page.text)
    for value in typed:
        text = text.replace(f'value="{value}"', 'value=""')
    return text


def test_a_wrong_number_name_or_fo_nummer_give_the_same_bytes(site: Site) -> None:
    pages = []
    for wrong in (
        Company("Väärä Oy", TESTISAHKO.fo_nummer, TESTISAHKO.customer_number),
        Company(TESTISAHKO.name, "9990002-4", TESTISAHKO.customer_number),
        Company(TESTISAHKO.name, TESTISAHKO.fo_nummer, "100002"),
    ):
        person = site.registrant(
            {"personal_identity_code": "010170-999R", "given_name": "Tero", "family_name": "Testi"}
        )
        page = person.fill(to_form(person), wrong)
        assert page.status == 422
        pages.append(masked(page, wrong.name, wrong.fo_nummer, wrong.customer_number))
    assert pages[0] == pages[1] == pages[2]


def test_five_wrong_tries_a_day_and_no_more(site: Site) -> None:
    person = site.registrant()
    for _ in range(5):
        assert person.fill(to_form(person), WRONG).status == 422
    page = person.fill(to_form(person), TESTISAHKO)
    assert (page.path, page.status) == ("/problem/too_many_tries", 429)
    site.harness.system.clock.offset = 86_400 + 60
    person.expect("/review", person.fill(to_form(person), TESTISAHKO))


def test_right_tries_do_not_count(site: Site) -> None:
    person = site.registrant()
    for _ in range(8):
        person.expect("/review", person.fill(to_form(person), TESTISAHKO))


def test_a_customer_number_cannot_be_guessed_at_by_many_people(site: Site) -> None:
    wrong = Company("Arvaus Oy", TESTISAHKO.fo_nummer, TESTISAHKO.customer_number)
    for _ in range(4):
        person = site.registrant()
        for _ in range(5):
            assert person.fill(to_form(person), wrong).status == 422
    person = site.registrant()
    assert person.fill(to_form(person), TESTISAHKO).status == 429


def test_ten_taken_user_names_a_day_and_no_more(site: Site) -> None:
    site.registrant().register("nordea", TESTISAHKO, "taken", "a@example.com")
    person = site.registrant()
    form = to_form(person)
    for _ in range(10):
        person.expect("/review", person.fill(form, TESTISAHKO, user_name="taken"))
        form = person.post("/review", person.get("/review"))
        assert 'id="user_name-error"' in form.text
    person.expect("/review", person.fill(form, TESTISAHKO, user_name="taken"))
    assert person.post("/review", person.get("/review")).status == 429
