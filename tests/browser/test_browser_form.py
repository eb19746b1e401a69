"""The form in a real browser: what its buttons do, and what they keep."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.registration_walk import Visit

pytestmark = [pytest.mark.browser, pytest.mark.enable_socket]


def test_another_language_in_the_middle_of_the_form_keeps_what_was_typed(visit: Visit) -> None:
    company, user_name = visit.demo.company(), visit.demo.name()
    visit.identify()
    visit.fill(company, user_name)
    visit.field("right").uncheck()
    visit.page.get_by_role("button", name="English").click()
    visit.locale = "en"
    visit.sees_heading("Company details and terms of use")
    expect(visit.page.locator(".error")).to_have_count(0)
    visit.has_typed(company, user_name)
    expect(visit.field("terms")).to_be_checked()
    expect(visit.field("right")).not_to_be_checked()
    expect(visit.field("password")).to_have_value("")
    visit.sees("You have already chosen a password")
    visit.field("right").check()
    visit.check_details()
    visit.sees_heading("Check your details before you send the form")


def test_the_terms_are_read_from_the_form_and_left_again(visit: Visit) -> None:
    company, user_name = visit.demo.company(), visit.demo.name()
    visit.identify()
    visit.fill(company, user_name)
    visit.button("Read the terms of use").click()
    visit.sees_heading("Terms of use")
    expect(visit.button("Print")).to_be_visible()
    visit.link("Back to the form").click()
    visit.has_typed(company, user_name)
    visit.sees("You have already chosen a password")
    visit.check_details()
    visit.is_at("/review")


def test_the_button_at_the_password_shows_it_and_hides_it_and_it_is_sent_hidden(visit: Visit) -> None:
    visit.identify()
    password = visit.field("password")
    expect(password).to_have_attribute("type", "password")
    password.fill("abc")
    visit.button("Show").click()
    expect(password).to_have_attribute("type", "text")
    expect(password).to_have_value("abc")
    visit.button("Hide").click()
    expect(password).to_have_attribute("type", "password")


def test_the_e_mail_address_becomes_the_user_name_by_a_click(visit: Visit) -> None:
    visit.identify()
    visit.field("email").fill("me@example.com")
    visit.button("Use the e-mail address as the username").click()
    expect(visit.field("user_name")).to_have_value("me@example.com")
    expect(visit.field("user_name")).to_be_focused()


def test_a_person_whose_bank_sent_no_given_name_writes_their_names(visit: Visit) -> None:
    company, user_name = visit.demo.company(), visit.demo.name()
    visit.identify("name-only")
    visit.fill(company, user_name)
    visit.check_details()
    visit.sees_error_at("given_name", "Enter your given names.")
    visit.field("given_name").fill("Toini")
    visit.field("family_name").fill("Testinen")
    visit.check_details()
    visit.is_at("/review")
    expect(visit.page.locator("dl")).to_contain_text("Toini")
