"""The developer page in a real browser: a login is tried through three origins, with and without scripts."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.registration_demo import Demo

pytestmark = [pytest.mark.browser, pytest.mark.enable_socket]


@pytest.mark.parametrize("with_script", [True, False])
def test_a_login_is_tried_and_told_claim_by_claim(chromium: Browser, demo: Demo, with_script: bool) -> None:
    persona = demo.mock.people()[0]
    demo.mock.next("nordea", persona=persona["id"])
    context = chromium.new_context(java_script_enabled=with_script, locale="en-GB")
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto(f"http://127.0.0.1:{demo.services.stack.places.operations_port}/developer")
    page.get_by_role("link", name="Portal", exact=True).click()
    page.get_by_role("button", name="Try a login").click()
    page.get_by_role("link", name="Nordea").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The identity token, verified")
    names = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="family_name", exact=True))
    expect(names).to_contain_text(persona["family_name"])
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("The code cannot be used")
    assert [said for said in complaints if "400" not in said] == []
    context.close()
