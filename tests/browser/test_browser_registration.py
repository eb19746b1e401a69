"""Registering in a real browser, from the portal to the online service, and what must not get lost on the way."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from demo.runner.registrant import PASSWORD
from tests.browser.registration_walk import Visit

pytestmark = [pytest.mark.browser, pytest.mark.enable_socket]

WALKS = {
    ("fi", "wide"): ("Nordea", "Aino"),
    ("sv", "wide"): ("Ålandsbanken", "Alva"),
    ("en", "wide"): ("OP Bank Group", "Väinö"),
    ("fi", "narrow"): ("S-Pankki", "Sanna"),
    ("sv", "narrow"): ("Aktia", "Tero"),
    ("en", "narrow"): ("Danske Bank", "Dan"),
}
"""A bank and a person of it, for each language and size of screen."""


@pytest.mark.parametrize(("locale", "size"), WALKS)
def test_a_person_registers_and_confirms_the_address_and_signs_in(visit: Visit, locale: str, size: str) -> None:
    bank, person = WALKS[locale, size]
    company, user_name = visit.demo.company(), visit.demo.name("walker")
    page = visit.open_browser(locale, size)
    page.goto(f"{visit.demo.portal}/?ui_locales={locale}")
    page.locator(f'a.button[href^="{visit.demo.registration}"]').click()
    visit.sees_heading("Registration for the Online service")
    visit.choose_company_customer()
    visit.choose_bank(bank)
    visit.choose_persona(person)
    visit.sees_heading("Company details and terms of use")
    visit.fill(company, user_name)
    visit.check_details()
    visit.sees_heading("Check your details before you send the form")
    visit.send()
    visit.sees_heading("Your registration is complete")
    visit.sees(
        "You are the company's first user, so you have administrator rights: you see the company's consumption "
        "and can manage its other users."
    )
    visit.link("Go to the Online service").click()
    visit.fits()
    visit.sign_in_online(user_name)
    visit.sees_online(company.name)
    visit.fits()
    mail = visit.open_mail(f"{user_name}@example.com")
    visit.does_not_scroll_sideways()
    expect(mail.locator("p.text")).to_have_attribute("lang", locale)
    expect(mail).to_contain_text(company.name)
    mail.get_by_role("link").first.click()
    visit.sees_heading("Confirm your e-mail address")
    expect(page.locator("dl")).to_contain_text(f"{user_name}@example.com")
    visit.button("Confirm the address").click()
    visit.sees_heading("Your e-mail address is confirmed")
    visit.fits()


def test_every_step_works_without_scripts(visit: Visit) -> None:
    company, user_name = visit.demo.company(), visit.demo.name()
    page = visit.open_browser("sv", "narrow", java_script_enabled=False)
    visit.go("/")
    visit.choose_company_customer()
    visit.choose_bank("Nordea")
    visit.choose_persona("Onni")
    expect(page.locator("button.reveal")).to_be_hidden()
    visit.check_details()
    expect(visit.field("company_name-error")).to_be_visible()
    visit.fill(company, user_name)
    visit.page.get_by_role("button", name="Suomi").click()
    visit.locale = "fi"
    expect(visit.field("user_name")).to_have_value(user_name)
    visit.check_details()
    visit.is_at("/review")
    visit.send()
    visit.sees_heading("Your registration is complete")
    visit.open_mail(f"{user_name}@example.com").get_by_role("link").first.click()
    visit.button("Confirm the address").click()
    visit.sees_heading("Your e-mail address is confirmed")
    visit.link("Go to the Online service").click()
    visit.locale = "sv"  # the online service has the browser's own language
    visit.sign_in_online(user_name)
    visit.sees_online(company.name)


def test_the_form_is_filled_in_and_sent_with_the_keyboard_only(visit: Visit) -> None:
    company, user_name = visit.demo.company(), visit.demo.name()
    visit.identify()
    press, write = visit.page.keyboard.press, visit.page.keyboard.type
    visit.tab_to(visit.page.locator("a.skip"))
    press("Enter")
    typed = {
        "company_name": company.name,
        "fo_nummer": company.fo_nummer,
        "customer_number": company.customer_number,
        "email": f"{user_name}@example.com",
        "user_name": user_name,
        "password": PASSWORD,
    }
    for id, text in typed.items():
        visit.tab_to(visit.field(id))
        write(text)
    for id in ("terms", "right"):
        visit.tab_to(visit.field(id))
        press("Space")
    press("Enter")  # in a field: it must send the form and not choose a language
    visit.is_at("/review")
    visit.tab_to(visit.button("Send the form"))
    press("Enter")
    visit.sees_heading("Your registration is complete")


def test_the_browsers_back_button_leads_from_review_to_the_form_as_it_was(visit: Visit) -> None:
    company, user_name = visit.demo.company(), visit.demo.name()
    visit.come_to_review(company, user_name)
    visit.page.go_back()
    visit.is_at("/form")
    visit.has_typed(company, user_name)
    visit.field("company_name").fill(company.name.upper())
    visit.check_details()
    visit.is_at("/review")
    expect(visit.page.locator("dl")).to_contain_text(company.name.upper())


def test_each_part_of_review_leads_to_its_field(visit: Visit) -> None:
    visit.come_to_review(visit.demo.company(), visit.demo.name())
    for id in ("company_name", "fo_nummer", "customer_number", "email", "user_name", "password", "terms"):
        visit.page.locator(f'a[href="/form#{id}"]').click()
        visit.page.wait_for_url(f"**/form#{id}")
        expect(visit.field(id)).to_be_in_viewport()
        visit.page.go_back()


def test_done_is_the_same_after_reload_and_the_back_button_and_sends_nothing_again(visit: Visit) -> None:
    user_name = visit.demo.name()
    visit.come_to_review(visit.demo.company(), user_name)
    visit.send()
    visit.is_at("/done")
    visit.page.reload()
    visit.sees_heading("Your registration is complete")
    visit.page.go_back()
    visit.is_at("/done")
    visit.has_registered_once(user_name)


def test_a_second_tab_goes_on_where_the_first_one_is_and_both_end_at_done(visit: Visit) -> None:
    company, user_name = visit.demo.company(), visit.demo.name()
    visit.come_to_review(company, user_name)
    first, second = visit.page, visit.second_tab()
    visit.page = second
    visit.go("/form")
    visit.has_typed(company, user_name)
    visit.check_details()
    visit.send()
    visit.is_at("/done")
    visit.page = first
    visit.send()  # its form was another session's: of what it says, nothing is true but that nothing was changed
    visit.go("/form")
    visit.is_at("/done")
    visit.has_registered_once(user_name)


def test_two_identifications_side_by_side_do_not_disturb_each_other(visit: Visit) -> None:
    first, second = visit.page, visit.second_tab()
    for tab in (first, second):
        visit.page = tab
        visit.go("/start")
        visit.choose_bank("Nordea")
    for tab in (second, first):
        visit.page = tab
        visit.choose_persona("Helmi")
        visit.sees_heading("Company details and terms of use")


def test_a_double_click_on_send_makes_one_account(visit: Visit) -> None:
    user_name = visit.demo.name()
    visit.come_to_review(visit.demo.company(), user_name)
    visit.button("Send the form").dblclick()
    visit.is_at("/done")
    visit.has_registered_once(user_name)


def test_the_form_is_as_it_was_when_the_cookies_were_lost_and_the_person_identifies_again(visit: Visit) -> None:
    company, user_name, persona = visit.demo.company(), visit.demo.name(), visit.demo.adult()
    visit.come_to_review(company, user_name, persona)
    visit.page.context.clear_cookies()
    visit.send()
    expect(visit.page.get_by_role("heading", level=1)).to_be_visible()
    visit.go("/form")
    visit.sees_heading("Identify yourself to continue")
    visit.comes_back_as(persona)
    visit.link("Identify yourself").click()
    visit.choose_bank("Nordea")
    visit.has_typed(company, user_name)
    visit.check_details()
    visit.send()
    visit.is_at("/done")
