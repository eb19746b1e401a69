"""What the small script adds to the forms, and that they work without it; in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Thread
from typing import Any
from urllib.parse import quote

import pytest
from flask import Response, request
from werkzeug.serving import make_server

from tests.harness.registration_pages import PAGES, build_pages_harness

pytestmark = [pytest.mark.browser, pytest.mark.enable_socket]


class Site:
    """The pages on a port of this machine; what forms send is kept and answered with an empty page."""

    def __init__(self) -> None:
        harness = build_pages_harness()
        self.sent: list[dict[str, str]] = []
        harness.app.add_url_rule("/page/<name>", view_func=lambda name: harness.draw(name, "en"))
        for action in ("/form", "/sign-in"):
            harness.app.add_url_rule(action, endpoint=action, view_func=self._take, methods=["POST"])
        self.server = make_server("127.0.0.1", 0, harness.app, threaded=True)
        Thread(target=self.server.serve_forever, daemon=True).start()

    def _take(self) -> Response:
        self.sent.append(request.form.to_dict())
        return Response("", 204)

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.server.port}/page/{quote(name)}"


@pytest.fixture(scope="module")
def running() -> Iterator[Site]:
    site = Site()
    yield site
    site.server.shutdown()


@pytest.fixture
def site(running: Site) -> Site:
    running.sent.clear()
    return running


@pytest.fixture
def tab(chromium: Any) -> Iterator[Any]:
    context = chromium.new_context()
    yield context.new_page()
    context.close()


@pytest.fixture
def plain_tab(chromium: Any) -> Iterator[Any]:
    context = chromium.new_context(java_script_enabled=False)
    yield context.new_page()
    context.close()


def answered(tab: Any, act: Any, path: str) -> None:
    """Do something, and wait for the answer to the form that it sends."""
    with tab.expect_response(lambda response: response.url.endswith(path)):
        act()


def test_enter_in_a_field_sends_the_form_and_not_a_language(site: Site, plain_tab: Any) -> None:
    plain_tab.goto(site.url("form"))
    answered(plain_tab, lambda: plain_tab.locator("#company_name").press("Enter"), "/form")
    assert not {"ui_locales", "go"} & set(site.sent[0])
    assert site.sent[0]["fo_nummer"] == "1234567-1"


@pytest.mark.parametrize(
    ("button", "expected"), [("Svenska", ("ui_locales", "sv")), ("Read the terms of use", ("go", "terms"))]
)
def test_the_other_buttons_of_the_form_say_which_they_are(
    site: Site, plain_tab: Any, button: str, expected: tuple[str, str]
) -> None:
    plain_tab.goto(site.url("form"))
    answered(plain_tab, lambda: plain_tab.get_by_role("button", name=button).click(), "/form")
    assert expected in site.sent[0].items()


def test_without_script_there_is_no_button_that_would_do_nothing(site: Site, plain_tab: Any) -> None:
    plain_tab.goto(site.url("form"))
    assert plain_tab.get_by_role("button", name="Show").count() == 0
    assert plain_tab.get_by_role("button", name="Use the e-mail address as the username").count() == 0
    plain_tab.goto(site.url("done, first"))
    assert plain_tab.get_by_role("button", name="Print").count() == 0


def test_a_password_can_be_looked_at_and_is_hidden_again_when_sent(site: Site, tab: Any) -> None:
    tab.goto(site.url("sign in"))
    field = tab.locator("#password")
    field.fill("Kesä 2026!")
    tab.get_by_role("button", name="Show").click()
    assert field.get_attribute("type") == "text"
    hide = tab.get_by_role("button", name="Hide")
    assert hide.count() == 1
    answered(tab, lambda: tab.get_by_role("button", name="Sign in", exact=True).click(), "/sign-in")
    assert field.get_attribute("type") == "password"
    assert tab.get_by_role("button", name="Show").count() == 1
    assert site.sent[0]["password"] == "Kesä 2026!"


def test_the_email_address_becomes_the_username_by_a_button(site: Site, tab: Any) -> None:
    tab.goto(site.url("form"))
    tab.locator("#email").fill("onni@example.fi")
    tab.get_by_role("button", name="Use the e-mail address as the username").click()
    assert tab.locator("#user_name").input_value() == "onni@example.fi"
    assert tab.evaluate("document.activeElement.id") == "user_name"


def test_a_double_click_sends_once(site: Site, tab: Any) -> None:
    tab.goto(site.url("form"))
    tab.evaluate("stopped = []; addEventListener('submit', event => stopped.push(event.defaultPrevented))")
    answered(tab, lambda: tab.get_by_role("button", name="Check the details").dblclick(), "/form")
    assert tab.evaluate("stopped") == [False, True]


@pytest.mark.parametrize("name", ["form, wrong", "sign in, wrong", "start, none chosen"])
def test_the_summary_of_what_is_wrong_gets_the_focus(site: Site, tab: Any, name: str) -> None:
    tab.goto(site.url(name))
    assert tab.evaluate("document.activeElement.id") == "summary"


def test_a_page_without_errors_moves_no_focus(site: Site, tab: Any) -> None:
    tab.goto(site.url("form"))
    assert tab.evaluate("document.activeElement.tagName") == "BODY"


def test_no_page_scrolls_sideways_at_320_pixels_or_breaks_the_policy(site: Site, tab: Any) -> None:
    complaints: list[str] = []
    tab.on("console", lambda message: complaints.append(message.text) if "Policy" in message.text else None)
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.set_viewport_size({"width": 320, "height": 640})
    for name in PAGES:
        tab.goto(site.url(name))
        assert tab.evaluate("document.documentElement.scrollWidth") <= 320, name
    assert not complaints


def test_a_printed_page_shows_the_facts_and_no_buttons(site: Site, tab: Any) -> None:
    tab.goto(site.url("done, first"))
    tab.emulate_media(media="print")
    assert tab.locator(".facts").is_visible()
    assert not tab.locator(".actions").is_visible()
    assert not tab.locator(".languages").is_visible()
