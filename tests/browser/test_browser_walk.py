"""A real browser, from the portal's button through the mock bank to the identity, and each way back."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.harness.chromium import open_chromium

pytestmark = [pytest.mark.browser, pytest.mark.enable_socket]


@pytest.fixture(scope="module")
def portal(request: pytest.FixtureRequest) -> str:
    """The address of the demo's portal. PORTAL_URL names one that is up already."""
    running: str = os.environ.get("PORTAL_URL") or request.getfixturevalue("demo").portal
    return running


@pytest.fixture(params=[{"width": 1280, "height": 900}, {"width": 360, "height": 640}], ids=["desktop", "phone"])
def page(request: pytest.FixtureRequest) -> Iterator[Page]:
    """A fresh browser, in Swedish."""
    with open_chromium() as browser:
        context = browser.new_context(viewport=request.param, locale="sv-FI")
        yield context.new_page()


def test_a_person_chooses_a_bank_at_the_portal_and_comes_back_identified(portal: str, page: Page) -> None:
    page.goto(f"{portal}/?ui_locales=sv")
    page.get_by_role("link", name="Nordea").click()
    page.get_by_role("button", name="Onni").first.click()
    expect(page).to_have_url(f"{portal}/identity")
    expect(page.get_by_role("heading", level=1)).to_contain_text("identifierat")
    expect(page.locator("body")).to_contain_text("Korhonen")


def test_the_hosted_chooser_leads_to_a_bank_and_cancel_leads_back_to_it(portal: str, page: Page) -> None:
    page.goto(f"{portal}/?ui_locales=sv")
    page.goto(f"{portal}/start")
    expect(page.get_by_role("heading", level=1)).to_have_text("Välj identifieringssätt")
    page.get_by_role("link", name="Aktia").click()
    page.locator('button[value^="cancel:"]').first.click()
    expect(page.locator("body")).to_contain_text("Identifieringen avbröts")
    page.get_by_role("link", name="Avbryt och gå tillbaka till tjänsten").click()
    expect(page).to_have_url(re.compile(re.escape(portal)))


def test_no_page_scrolls_sideways_or_logs_an_error(portal: str, page: Page) -> None:
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    for place in (f"{portal}/?ui_locales=fi", f"{portal}/start"):
        page.goto(place)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert [error for error in errors if "favicon" not in error] == []
