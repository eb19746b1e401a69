"""The stand-in online service in a real browser: who is let in, what they see there and what they are refused."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from demo.online_service.app import SECTIONS
from demo.runner.registrant import PASSWORD, Company
from tests.browser.registration_demo import BANK, User
from tests.browser.registration_walk import Visit

pytestmark = [pytest.mark.browser, pytest.mark.enable_socket]

LOCALES = ("fi", "sv", "en")


@pytest.mark.parametrize("locale", LOCALES)
def test_the_online_service_shows_the_administrator_everything(
    visit: Visit, chief: User, company: Company, locale: str
) -> None:
    page = visit.open_browser(locale, "narrow")
    page.goto(visit.demo.online_service)
    visit.sign_in_online(chief.name)
    visit.sees_online(company.name)
    for section in SECTIONS:
        page.get_by_role("link", name=visit.online(section)).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(visit.online(section))
        visit.fits()
        page.get_by_role("button", name=visit.online(f"change_{section}")).click()
        visit.sees_online(visit.online("changed"))
        page.get_by_role("link", name=visit.online("back")).click()
    page.get_by_role("button", name=visit.online("sign_out")).click()
    visit.sees_online(visit.online("sign_in"))


def test_the_online_service_refuses_a_user_what_they_may_not_see(visit: Visit, clerk: User) -> None:
    page = visit.page
    page.goto(visit.demo.online_service)
    visit.sign_in_online(clerk.name)
    page.get_by_role("link", name=visit.online("consumption")).click()
    visit.sees_online(visit.online("read_only"))
    expect(page.get_by_role("button", name=visit.online("change_consumption"))).to_have_count(0)
    address = page.url
    for section in ("contracts", "invoices"):
        page.goto(address.replace("consumption", section))
        visit.sees_online(visit.online("forbidden_text"))
        visit.fits()


def test_the_online_service_refuses_a_wrong_password(visit: Visit, clerk: User) -> None:
    visit.page.goto(visit.demo.online_service)
    visit.sign_in_online(clerk.name, "Wrong-2026!")
    visit.sees_online(visit.online("refused"))
    expect(visit.field("user_name")).to_have_value(clerk.name)
    visit.sign_in_online("nobody-has-this", PASSWORD)
    visit.sees_online(visit.online("refused"))


def test_the_online_service_knows_by_identification_who_registered(visit: Visit, chief: User, company: Company) -> None:
    visit.page.goto(visit.demo.online_service)
    visit.comes_back_as(chief.persona)
    visit.page.get_by_role("link", name=visit.online("identify")).click()
    visit.choose_bank("Nordea")
    visit.sees_online(company.name)
    visit.sees_online(visit.online("administrator"))


def test_the_online_service_shows_nothing_to_whoever_has_not_registered(visit: Visit) -> None:
    visit.page.goto(visit.demo.online_service)
    visit.comes_back_as(visit.demo.adult())
    visit.page.get_by_role("link", name=visit.online("identify")).click()
    visit.choose_bank("Nordea")
    visit.sees_online(visit.online("nothing"))
    visit.page.get_by_role("link", name=visit.online("register")).click()
    visit.sees_heading("Registration for the Online service")


def test_whoever_cancels_at_the_bank_is_not_signed_in_at_the_online_service(visit: Visit) -> None:
    visit.page.goto(visit.demo.online_service)
    visit.demo.mock.next(BANK, outcome="cancel")
    visit.page.get_by_role("link", name=visit.online("identify")).click()
    visit.choose_bank("Nordea")
    visit.cancel_at_the_chooser()
    visit.sees_online(visit.online("left"))
