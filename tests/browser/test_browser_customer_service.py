"""Staff in a real browser without script, in the whole demo: sign in, find, act, and a second one who confirms."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, expect

from demo.runner.registrant import Company
from tests.browser.registration_demo import Demo, User

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
    # A page that asks to sign in is a 401, which Chromium tells of.
    assert [line for line in wrong if "401" not in line] == []
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
