"""What staff find and read, with registration behind the pages."""

from __future__ import annotations

from kit.typed_text import end_of_day
from registration.database.models import Customer
from tests.harness.customer_service import AARNE, MAIJA, StaffBrowser, StaffHarness

FO = "1234567-1"


def settled(staff: StaffHarness) -> str:
    """A company with an administrator; their id."""
    aino = staff.registration.person("Aino", given_name="Aino", family_name="Ström", email="aino@example.fi")
    staff.registration.represents(aino, FO, "100001", "100002", administrator=True)
    return str(aino.id)


def test_whatever_is_searched_for_stands_in_no_address(staff: StaffHarness) -> None:
    settled(staff)
    browser = staff.staff()
    for text in ("Ström", "aino@example.fi", "100001", FO, "AINO"):
        page = browser.search(text)
        assert page.values("q") == [text]
        assert len(page.path.removeprefix("/service/search/")) == 32
        assert page.has_link("Bolag 8") or page.has_link("Aino Ström"), text
        assert browser.get(page.path).values("q") == [text]  # a reload finds it again
    assert staff.staff(AARNE).get(page.path).title == "This is not here any more"


def test_what_cannot_be_searched_for_is_said_at_the_field(staff: StaffHarness) -> None:
    browser = staff.staff()
    for text, said in ((" ", "Enter what to search for."), ("x" * 201, "Enter at most 200 characters.")):
        page = browser.search(text)
        assert (page.status, page.errors) == (422, [said])
    page = browser.search("130795-999T")
    assert page.errors == ["People cannot be found by their personal identity code."]
    assert "999T" not in page.text
    assert browser.search("nobody").words.count("Nothing was found") == 1


def test_a_company_of_the_register_that_nobody_represents_is_found_too(staff: StaffHarness) -> None:
    with staff.registration.database.write() as tx:
        tx.add(Customer(customer_number="1", fo_nummer="9990001-6", company_name="Testisähkö Oy"))
    page = staff.staff().search("9990001-6")
    assert "Nobody has registered" in page.words
    assert not page.has_link("Testisähkö")


def test_a_company_leads_to_its_people_and_each_to_what_has_happened(staff: StaffHarness) -> None:
    id = settled(staff)
    browser = staff.staff(AARNE)
    company = browser.get(browser.search(FO).link("Bolag 8"))
    assert company.title == "Bolag 8"
    assert "Aino Ström" in company.words
    person = browser.get(company.link("Aino Ström"))
    assert (person.path, person.title) == (f"/service/people/{id}", "Aino Ström")
    trail = browser.get(person.link("What has happened"))
    assert "Customer service looked at this" in trail.words
    assert "What has happened" in browser.get(company.link("What has happened")).title


def test_the_last_day_of_a_right_is_the_one_that_its_holder_sees(staff: StaffHarness) -> None:
    aino = staff.registration.person("Aino")
    staff.registration.represents(aino, FO, "100001", ends_at=end_of_day("9999-12-31"))
    assert "Ends on 31 December 9999" in staff.staff().get(f"/service/people/{aino.id}").words


def test_many_users_come_page_by_page(staff: StaffHarness) -> None:
    for number in range(51):
        one = staff.registration.person(f"user{number:02}", family_name=f"Testinen{number:02}")
        staff.registration.represents(one, FO, "100001", administrator=not number)
    browser = staff.staff()
    first = browser.get(browser.search(FO).link("Bolag 8"))
    second = browser.get(
        first.link("Show more").partition("?")[0], after=first.link("Show more").partition("after=")[2]
    )
    assert (first.text.count('<th scope="row"'), second.text.count('<th scope="row"')) == (50, 1)


def test_an_auditor_sees_everything_and_is_offered_nothing_to_do(staff: StaffHarness) -> None:
    id = settled(staff)
    browser = staff.staff(AARNE)
    page = browser.get(f"/service/people/{id}")
    assert not page.has_link("Add customer numbers")
    assert not page.has_link("Give access rights")
    for path in ("grant", "end-sessions", "confirmation", "relink"):
        assert browser.get(f"/service/people/{id}/{path}").title == "You do not have the role for this"
    assert browser.post("/service/drafts/" + "9" * 32, browser.get("/service")).status == 403


def test_an_address_that_leads_nowhere_has_a_page(staff: StaffHarness) -> None:
    id = settled(staff)
    browser = staff.staff()
    for path in ("/service/people/" + "9" * 32, "/service/companies/" + "9" * 32, f"/service/people/{id}/nothing",
                 f"/service/people/{id}/numbers", "/service/cases?state=x", "/service/search/" + "9" * 32,
                 f"/service/people/{id}/trail?before=x", "/nowhere", "/service/cases/" + "9" * 32):  # fmt: skip
        assert browser.get(path).status in (404, 400), path


def test_a_registration_that_is_down_has_a_page_to_try_again(staff: StaffHarness) -> None:
    id = settled(staff)
    browser = staff.staff()
    with staff.registration_down():
        page = browser.get(f"/service/people/{id}")
    assert (page.status, page.title) == (503, "Registration does not answer right now")
    assert browser.get(page.link("Try again")).title == "Aino Ström"


def test_pages_are_in_the_language_that_was_chosen(staff: StaffHarness) -> None:
    browser = staff.staff(MAIJA)
    titles = [browser.get("/service", ui_locales=locale).title for locale in ("fi", "sv", "en")]
    assert titles == ["Hae", "Sök", "Search"]


def test_registration_knows_for_whom_it_was_asked(staff: StaffHarness) -> None:
    browser: StaffBrowser = staff.staff(MAIJA)
    browser.get(f"/service/people/{settled(staff)}")
    (record,) = staff.registration.audited("listed")
    assert record.actor.startswith("staff:")
