"""Staff in a real browser without script, in the whole demo: they sign in, find, act, confirm, and ask who calls."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, expect

from demo.runner.registrant import Company
from tests.browser.registration_demo import Demo, User
from tests.browser.registration_walk import Visit

pytestmark = [pytest.mark.browser, pytest.mark.enable_socket]


@contextmanager
def staff(demo: Demo, chromium: Browser, name: str, width: int = 1280) -> Iterator[Page]:
    """A browser in which a member of the demo's staff has signed in at their employer's provider."""
    size = {"width": width, "height": 900}
    context = chromium.new_context(locale="en-GB", viewport=size, java_script_enabled=False)  # type: ignore[arg-type]
    page = context.new_page()
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.goto(f"{demo.services.customer_service}/")
    page.get_by_role("link", name="Sign in").click()
    page.get_by_role("button", name=name).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Search")
    yield page
    # Chromium tells of a page that asks to sign in, of a form that is shown again, and of a page that is over.
    assert [line for line in wrong if not re.search(r"status of (401|410|422)\b", line)] == []
    context.close()


def search(page: Page, text: str) -> None:
    """Search for something by the one field."""
    page.get_by_role("link", name="Search", exact=True).click()
    page.get_by_label("Company, person or code").fill(text)
    page.get_by_role("button", name="Search").click()


def give_a_reason(page: Page, text: str) -> None:
    """The end of an act's form, and the page after it."""
    page.get_by_label("Reason").select_option("asked_in_writing")
    page.get_by_label("Why").fill(text)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Check:")
    page.locator("main form .button").first.click()


@pytest.mark.parametrize("width", [1280, 360])
def test_an_agent_finds_a_person_and_signs_them_out(
    demo: Demo, chromium: Browser, company: Company, chief: User, width: int
) -> None:
    with staff(demo, chromium, "Maija Meikäläinen", width) as page:
        search(page, company.fo_nummer)
        page.get_by_role("link", name=company.name).click()
        page.get_by_role("link", name=chief.full_name).click()
        page.get_by_role("link", name="Sign the person out everywhere").click()
        give_a_reason(page, "Left a browser open")
        expect(page.locator("main")).to_contain_text("Done.")
        page.get_by_role("link", name="What has happened").click()
        expect(page.locator("main")).to_contain_text("Left a browser open")
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("You are signed out")
    rows = demo.rows(
        "SELECT count(*) FROM session JOIN account ON account.id = account_id WHERE user_name = ?", chief.name
    )
    assert rows == [(0,)]


def test_what_makes_an_administrator_is_confirmed_by_another(
    demo: Demo, chromium: Browser, company: Company, clerk: User
) -> None:
    with staff(demo, chromium, "Sven Esimerkki") as page:
        search(page, clerk.name)
        page.get_by_role("link", name=clerk.full_name).click()
        page.get_by_role("link", name="Change access rights").click()
        page.get_by_label("Administrator").check()
        give_a_reason(page, "Letter of the board")
        expect(page.locator("main")).to_contain_text("A second member of staff must confirm this")
    with staff(demo, chromium, "Saga Exempel") as page:
        page.get_by_role("link", name="Waiting for confirmation").click()
        row = page.locator("tbody tr").filter(has_text=clerk.full_name)
        row.get_by_role("link").click()
        expect(page.locator("main")).to_contain_text("Letter of the board")
        page.get_by_label("Decision").select_option("confirm")
        give_a_reason(page, "Board called back")
        expect(page.locator("main")).to_contain_text("Done.")
    query = "SELECT administrator FROM representation JOIN account ON account.id = account_id WHERE user_name = ?"
    assert demo.rows(query, clerk.name) == [(1,)]


def begin_check(page: Page, of: User) -> tuple[str, str]:
    """Ask who is on the phone, from a person's page: the address and the code to read aloud."""
    search(page, of.name)
    page.get_by_role("link", name=of.full_name).click()
    page.get_by_role("link", name="Identify the caller").click()
    page.get_by_role("button", name="Begin").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Waiting for the caller")
    address, code = page.locator("main code").all_inner_texts()
    return address, code


def digits_of_caller(visit: Visit, address: str, code: str, persona: object) -> str:
    """What the caller does: open the address, enter the code, identify, and see four digits."""
    page = visit.open_browser("en", "narrow")
    page.goto(address)
    visit.sees("Only if you called %(brand)s yourself, just now", brand="Example Energy")
    visit.field("code").fill(code.lower())
    visit.button("Continue").click()
    visit.sees_heading("Customer service asks who you are")
    visit.comes_back_as(persona)
    visit.link("Identify yourself").click()
    visit.choose_bank("Nordea")
    visit.sees_heading("Read four digits aloud")
    return page.locator("main code").inner_text()


def enter_digits(page: Page, digits: str) -> None:
    """Wait for the page that goes on by itself, and type what the caller reads aloud."""
    expect(page.get_by_role("heading", level=1)).to_have_text("Enter the caller's digits", timeout=30_000)
    page.get_by_label("Four digits").fill(digits)
    page.get_by_role("button", name="Show who it is").click()


def test_a_caller_identifies_and_staff_see_the_name_once(
    demo: Demo, chromium: Browser, chief: User, visit: Visit
) -> None:
    with staff(demo, chromium, "Maija Meikäläinen") as page:
        digits = digits_of_caller(visit, *begin_check(page, chief), chief.persona)
        enter_digits(page, f"{(int(digits) + 1) % 10_000:04}")
        expect(page.locator("main")).to_contain_text("These are not the digits. You can try twice more.")
        expect(page.locator("main")).not_to_contain_text(chief.persona["family_name"])
        enter_digits(page, digits)
        expect(page.get_by_role("heading", level=1)).to_have_text("Who the caller is")
        facts = page.locator("main dl")
        expect(facts).to_contain_text(re.compile(rf"Name\s*{re.escape(chief.full_name)}"))
        expect(facts).to_contain_text(re.compile(r"The account is theirs\s*Yes"))
        page.reload()
        expect(page.get_by_role("heading", level=1)).to_have_text("The name was shown already")
        expect(page.locator("main")).not_to_contain_text(chief.persona["family_name"])
    visit.page.reload()
    visit.sees_heading("This has ended")


def test_a_caller_who_is_not_the_accounts_owner_is_told_to_be(
    demo: Demo, chromium: Browser, chief: User, visit: Visit
) -> None:
    with staff(demo, chromium, "Sven Esimerkki", 360) as page:
        another = demo.adult()
        enter_digits(page, digits_of_caller(visit, *begin_check(page, chief), another))
        expect(page.locator("main")).to_contain_text("The account is not theirs")
        expect(page.locator("main dl")).to_contain_text(f"{another['given_name']} {another['family_name']}")
