"""Each way in which registering fails, in a real browser: what the page says, what is kept, how the person goes on."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from demo.runner.prh import BANKRUPT, ENDED
from demo.runner.registrant import Company
from demo.runner.services import companies
from tests.browser.registration_walk import Visit

pytestmark = [pytest.mark.browser, pytest.mark.enable_socket]

LOCALES = ("fi", "sv", "en")
NOT_TOGETHER = "The company name, Business ID and customer number do not match. Check them on the invoice."


@pytest.mark.parametrize("locale", LOCALES)
def test_whoever_chooses_no_customer_type_is_asked_to(visit: Visit, locale: str) -> None:
    visit.open_browser(locale, "narrow")
    visit.go("/")
    visit.button("Continue").click()
    visit.sees_error_at("kind", "Choose whether you are a corporate or a private customer.")
    visit.sees_heading("Registration for the Online service")


def test_a_private_customer_is_told_of_the_service_for_them(visit: Visit) -> None:
    visit.go("/")
    visit.page.get_by_label(visit.text("Private customer")).check()
    visit.button("Continue").click()
    visit.sees_heading("There is a separate service for private customers")
    expect(visit.link("Go to the service for private customers")).to_have_attribute("href", re.compile("^https://"))
    visit.link("Back").click()
    visit.is_at("/")


@pytest.mark.parametrize("locale", LOCALES)
def test_whoever_cancels_at_the_bank_and_at_the_chooser_can_try_again(visit: Visit, locale: str) -> None:
    page = visit.open_browser(locale, "narrow")
    visit.go("/start")
    visit.choose_bank("Nordea")
    page.locator('button[value^="cancel:"]').first.click()
    visit.cancel_at_the_chooser()
    visit.sees_heading("Identification was cancelled")
    visit.link("Try again").click()
    visit.choose_bank("Nordea")
    visit.choose_persona("Eino")
    visit.sees_heading("Company details and terms of use")


@pytest.mark.parametrize("locale", LOCALES)
def test_a_minor_is_refused(visit: Visit, locale: str) -> None:
    visit.open_browser(locale, "narrow")
    visit.identify("minor")
    visit.sees_heading("You cannot continue with this identification")
    visit.sees("Only people aged %(least_age)s or over can use the service.", least_age="18")
    visit.go("/form")
    visit.sees_heading("Identify yourself to continue")


@pytest.mark.parametrize("locale", LOCALES)
def test_a_field_that_is_not_taken_is_told_at_the_top_and_at_the_field(visit: Visit, locale: str) -> None:
    company, user_name = visit.demo.company(), visit.demo.name()
    visit.open_browser(locale, "narrow")
    visit.identify()
    visit.fill(company, user_name, fo_nummer="9990001-7")
    visit.check_details()
    visit.sees_error_at("fo_nummer", "Check the Business ID. It has seven digits, a hyphen and a check digit.")
    expect(visit.field("fo_nummer")).to_have_attribute("aria-invalid", "true")
    expect(visit.field("company_name")).to_have_value(company.name)
    visit.sees("You have already chosen a password")
    visit.field("fo_nummer").fill(company.fo_nummer)
    visit.check_details()
    visit.is_at("/review")


def test_an_empty_form_tells_of_every_field(visit: Visit) -> None:
    visit.identify()
    visit.check_details()
    expect(visit.field("summary").get_by_role("link")).to_have_count(8)
    visit.sees_error_at("right", "Confirm that you have the right to see the company's data.")
    expect(visit.field("company_name-error")).to_have_text(visit.text("Enter the company name."))


def test_a_weak_password_is_refused_and_not_shown_again(visit: Visit) -> None:
    visit.identify()
    visit.fill(visit.demo.company(), visit.demo.name(), password="kesä2026")
    visit.check_details()
    expect(visit.field("summary")).to_be_focused()
    expect(visit.field("password-error")).to_be_visible()
    expect(visit.field("password")).to_have_value("")


def test_wrong_company_details_are_told_at_the_number_and_five_times_a_day_only(visit: Visit) -> None:
    company = visit.demo.company()
    wrong = Company(company.name, company.fo_nummer, "999000")
    user_name = visit.demo.name()
    visit.identify()
    visit.fill(wrong, user_name)
    visit.check_details()
    visit.sees_error_at("customer_number", NOT_TOGETHER)
    for _ in range(4):
        visit.check_details()
        expect(visit.field("customer_number-error")).to_be_visible()
    visit.field("customer_number").fill(company.customer_number)
    visit.check_details()
    visit.sees_heading("Too many attempts")
    visit.link("Back to the form").click()
    visit.has_typed(company, user_name)


def test_a_taken_user_name_is_told_at_sending_and_all_else_is_kept(visit: Visit) -> None:
    company = visit.demo.company()
    taken = visit.demo.registered(company).name
    visit.come_to_review(company, taken)
    visit.send()
    visit.is_at("/form")
    visit.sees_error_at("user_name", "This username is already in use. Choose another.")
    visit.has_typed(company, taken)
    visit.field("user_name").fill(visit.demo.name())
    visit.check_details()
    visit.send()
    visit.sees_heading("Your registration is complete")
    visit.sees("You see the company's consumption.")


@pytest.mark.parametrize(
    ("fo_nummer", "reason"),
    [
        (
            ENDED,
            "According to the Business Information System, the company has ceased to operate. "
            "Contact customer service.",
        ),
        (BANKRUPT, "According to the Business Information System, the company is bankrupt. Contact customer service."),
    ],
)
def test_nobody_registers_for_a_company_that_has_ended(visit: Visit, fo_nummer: str, reason: str) -> None:
    company = next(company for company in companies() if company.fo_nummer == fo_nummer)
    user_name = visit.demo.name()
    visit.come_to_review(company, user_name)
    visit.send()
    visit.sees_heading("You cannot register for this company")
    visit.sees(reason)
    visit.link("Back to the form").click()
    visit.has_typed(company, user_name)
    assert visit.demo.rows("SELECT id FROM account WHERE user_name = ?", user_name) == []


def test_whoever_has_an_account_is_led_to_sign_in(visit: Visit) -> None:
    user = visit.demo.registered(visit.demo.company())
    visit.identify(user.persona)
    visit.sees_heading("You have already registered")
    visit.link("Sign in").click()
    visit.sees_heading("Sign in to the Online service")


def test_cookies_that_were_lost_at_the_bank_are_told_and_the_person_starts_again(visit: Visit) -> None:
    visit.go("/start")
    visit.choose_bank("Nordea")
    visit.page.context.clear_cookies(name=re.compile("registration"))
    visit.choose_persona("Helmi")
    visit.sees_heading("The identification you started was not found")
    visit.link("Start again").click()
    visit.choose_bank("Nordea")
    visit.choose_persona("Helmi")
    visit.is_at("/form")


def test_the_browsers_back_button_from_the_form_to_the_bank_uses_no_answer_twice(visit: Visit) -> None:
    visit.go("/")
    visit.choose_company_customer()
    visit.choose_bank("Nordea")
    visit.choose_persona("Helmi")
    visit.is_at("/form")
    visit.page.go_back()
    expect(visit.page.get_by_role("heading", level=1)).to_be_visible()
    visit.go("/form")
    visit.sees_heading("Company details and terms of use")


def test_a_link_that_was_spoilt_on_the_way_confirms_nothing(visit: Visit) -> None:
    visit.go("/confirm/spoilt")
    expect(visit.page.get_by_role("heading", level=1)).to_be_visible()
    expect(visit.button("Confirm the address")).to_have_count(0)
    visit.fits()
