"""Signing in and rights in a real browser, at registration's own pages."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, expect

from demo.runner.registrant import PASSWORD, Company
from registration.rights_pages.sharing import NO_SUCH_USER
from tests.browser.registration_demo import User
from tests.browser.registration_walk import Visit

pytestmark = [pytest.mark.browser, pytest.mark.enable_socket]

LOCALES = ("fi", "sv", "en")


def open_users(visit: Visit, chief: User) -> None:
    """Sign in and come to the company's users."""
    visit.sign_in(chief)
    visit.page.get_by_role("link", name=visit.text("Users and access rights")).click()
    visit.sees_heading("Users and access rights")


def row_of(visit: Visit, user: User) -> Locator:
    """A user's row on the page of users."""
    return visit.page.locator("tbody tr").filter(has_text=user.name)


def open_user(visit: Visit, user: User) -> None:
    """From the users to one of them."""
    row_of(visit, user).get_by_role("link", name=visit.text("Change access rights")).click()
    visit.sees_heading("Change access rights")


# At registration's own pages


@pytest.mark.parametrize("locale", LOCALES)
def test_a_user_signs_in_by_password_and_out_again(visit: Visit, chief: User, company: Company, locale: str) -> None:
    visit.open_browser(locale, "narrow")
    visit.sign_in(chief, "Wrong-2026!")
    visit.sees("The username and password do not match.")
    expect(visit.field("summary")).to_be_focused()
    expect(visit.field("user_name")).to_have_value(chief.name)
    expect(visit.field("password")).to_have_value("")
    visit.field("password").fill(PASSWORD)
    visit.button("Sign in").click()
    visit.sees_heading("My access rights")
    visit.sees("Administrator")
    expect(visit.page.locator("main")).to_contain_text(company.fo_nummer)
    visit.button("Sign out").click()
    visit.is_at("/sign-in")
    visit.go("/rights")
    visit.sees_heading("Sign in to continue")


def test_a_user_signs_in_by_identification(visit: Visit, clerk: User, company: Company) -> None:
    visit.go("/sign-in")
    visit.comes_back_as(clerk.persona)
    visit.link("Sign in with online banking credentials or a mobile certificate").click()
    visit.choose_bank("Nordea")
    visit.sees_heading("My access rights")
    expect(visit.page.locator("main")).to_contain_text(company.name)


def test_whoever_has_no_account_is_led_from_signing_in_to_registering(visit: Visit) -> None:
    visit.identify(purpose="sign-in")
    visit.sees_heading("You have not registered yet")
    visit.link("Continue to registration").click()
    visit.sees_heading("Company details and terms of use")


def test_a_forgotten_password_is_chosen_anew_after_identifying(visit: Visit, clerk: User) -> None:
    new = "Talviyö-2027!"
    visit.go("/sign-in")
    visit.comes_back_as(clerk.persona)
    visit.link("Identify yourself to choose a new password.").click()
    visit.choose_bank("Nordea")
    visit.sees_heading("Choose a new password")
    expect(visit.field("user_name")).to_have_value(clerk.name)
    visit.button("Save the new password").click()
    visit.sees_error_at("password", "Choose a password.")
    visit.field("password").fill(new)
    visit.button("Save the new password").click()
    visit.is_at("/rights")
    visit.button("Sign out").click()
    visit.sign_in(clerk)
    visit.sees("The username and password do not match.")
    visit.sign_in(clerk, new)
    visit.is_at("/rights")


def test_the_sessions_of_other_browsers_are_ended_from_one(visit: Visit, chief: User) -> None:
    visit.sign_in(chief)
    elsewhere = visit.page
    visit.open_browser("sv", "narrow")
    visit.sign_in(chief)
    visit.link("Where you are signed in").click()
    visit.sees_heading("Where you are signed in")
    visit.sees("This browser")
    sessions = visit.page.locator("tbody tr")
    expect(sessions).to_have_count(3)  # registering signed in, too
    sessions.filter(has_not=visit.page.locator(".tag")).first.get_by_role("button").click()
    expect(sessions).to_have_count(2)
    visit.button("Sign out of all other browsers").click()
    expect(sessions).to_have_count(1)
    visit.page = elsewhere
    visit.page.reload()
    visit.sees_heading("Sign in to continue")


# The administrator and the company's users


@pytest.mark.parametrize("size", ["wide", "narrow"])
def test_the_administrator_changes_what_a_user_may_see(visit: Visit, chief: User, clerk: User, size: str) -> None:
    visit.open_browser("sv", size)
    open_users(visit, chief)
    open_user(visit, clerk)
    visit.field("invoices").select_option("write")
    visit.field("consumption").select_option("none")
    visit.confirm(chief, "Save the changes")
    visit.sees("The access rights were changed.")
    visit.fits()
    row = row_of(visit, clerk)
    expect(row).to_contain_text(f"{visit.text('Invoices')}: {visit.text('Read and write')}")
    expect(row).not_to_contain_text(visit.text("Consumption"))
    visit.open_browser("fi", size)
    visit.page.goto(visit.demo.online_service)
    visit.sign_in_online(clerk.name)
    expect(visit.page.get_by_role("link", name=visit.online("invoices"))).to_be_visible()
    expect(visit.page.get_by_role("link", name=visit.online("consumption"))).to_have_count(0)


def test_removing_a_user_asks_first(visit: Visit, chief: User, clerk: User) -> None:
    open_users(visit, chief)
    remove = row_of(visit, clerk).get_by_role("link", name=visit.text("Remove user"))
    expect(remove).to_contain_text(clerk.full_name)
    remove.click()
    visit.sees_heading("Remove user")
    visit.link("Cancel").click()
    expect(visit.page.locator("tbody tr")).to_have_count(2)
    remove.click()
    visit.confirm(chief, "Remove user")
    visit.sees("The user was removed.")
    expect(visit.page.locator("tbody tr")).to_have_count(1)
    visit.sees("The company must have at least one administrator.")
    visit.open_browser("en")
    visit.sign_in(clerk)
    visit.sees("You have no access rights at the moment")


def test_the_administrator_hands_the_role_over(visit: Visit, chief: User, clerk: User) -> None:
    open_users(visit, chief)
    open_user(visit, clerk)
    visit.link("Make an administrator").click()
    visit.confirm(chief, "Make an administrator")
    visit.sees_error_at("role", "Choose who should be an administrator.")
    visit.page.get_by_label(visit.text("Only this user: I hand over my administrator rights")).check()
    visit.button("Make an administrator").click()
    visit.sees("The access rights were changed.")
    visit.page.goto(f"{visit.demo.registration}/rights")
    visit.page.get_by_role("link", name=visit.text("Users and access rights")).click()
    expect(row_of(visit, clerk)).to_contain_text(visit.text("Administrator"))
    expect(row_of(visit, chief)).not_to_contain_text(visit.text("Administrator"))


def test_the_last_administrator_cannot_go(visit: Visit, chief: User) -> None:
    visit.sign_in(chief)
    visit.page.get_by_role("link", name=visit.text("Give up my access rights")).click()
    visit.sees_heading("You are the company's only administrator")


def test_a_user_lets_another_one_see_the_data_at_their_own_level(visit: Visit, clerk: User, company: Company) -> None:
    other = visit.demo.registered(visit.demo.company(), "other")
    visit.open_browser("sv", "narrow")
    visit.confirm_address(other)
    visit.sign_in(clerk)
    visit.page.get_by_role("link", name=visit.text("Give another user access rights")).click()
    visit.sees_heading("Give another user access rights")
    assert visit.field("consumption").locator("option").count() == 2
    assert visit.field("invoices").locator("option").count() == 1
    visit.field("user_name").fill(other.name)
    visit.field("email").fill("somebody.else@example.com")
    visit.field("consumption").select_option("read")
    visit.confirm(clerk, "Give the access rights")
    expect(visit.field("summary")).to_be_focused()
    visit.sees(NO_SUCH_USER)
    visit.field("email").fill(other.email)
    visit.button("Give the access rights").click()
    visit.sees("The other user now has the access rights you chose.")
    visit.open_browser("en")
    visit.sign_in(other)
    expect(visit.page.locator("main")).to_contain_text(company.name)


def test_a_user_who_may_not_see_the_users_is_refused_their_page(visit: Visit, chief: User, clerk: User) -> None:
    open_users(visit, chief)
    address = visit.page.url
    visit.open_browser("sv", "narrow")
    visit.sign_in(clerk)
    visit.sees_heading("My access rights")
    expect(visit.page.get_by_role("link", name=visit.text("Users and access rights"))).to_have_count(0)
    visit.page.goto(address)
    visit.sees_heading("You do not have access to this page")
