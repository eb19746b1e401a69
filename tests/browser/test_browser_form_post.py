"""`response_mode=form_post` in a real browser: a script presses the button, and where none runs the person does."""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.registration_demo import Demo

pytestmark = [pytest.mark.browser, pytest.mark.enable_socket]


@pytest.mark.parametrize("with_script", [True, False])
def test_the_response_is_posted_to_the_client(chromium: Browser, demo: Demo, with_script: bool) -> None:
    sent = {
        "response_type": "code",
        "response_mode": "form_post",
        "client_id": "portal",
        "redirect_uri": f"{demo.portal}/callback",
        "scope": "openid",
        "state": "the-state",
        "ui_locales": "sv",
    }
    context = chromium.new_context(java_script_enabled=with_script, locale="sv-FI")
    page = context.new_page()
    page.route(f"{demo.portal}/callback", lambda route: route.fulfill(body="received"))
    with page.expect_request(f"{demo.portal}/callback") as asked:
        page.goto(f"{demo.services.stack.places.issuer}/authorize?{urlencode(sent)}", wait_until="commit")
        if not with_script:
            expect(page.get_by_role("heading", level=1)).to_have_text("Gå tillbaka till tjänsten")
            page.get_by_role("button", name="Fortsätt").click()
    assert asked.value.method == "POST"
    fields = parse_qs(asked.value.post_data or "")
    assert (fields["error"], fields["state"]) == (["invalid_request"], ["the-state"])
    expect(page.locator("body")).to_have_text("received")
    context.close()
