"""By keyboard: past the head of the page, from the summary of errors to the fields, and focus where it belongs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.gallery.looking import Looker, open_looker
from tests.gallery.state import State
from tests.gallery.walking import begin

pytestmark = [pytest.mark.gallery, pytest.mark.enable_socket]
OURS = ("broker", "registration", "rights", "customer-service")


@pytest.fixture(scope="module")
def looker() -> Iterator[Looker]:
    with open_looker() as looker:
        yield looker


def pages_of(looker: Looker, service: str) -> list[State]:
    """The states of a service."""
    return [state for state in looker.gallery.states if state.service == service]


@pytest.mark.parametrize("service", OURS)
def test_the_first_stop_leads_past_the_head_of_the_page(looker: Looker, service: str) -> None:
    for state in pages_of(looker, service)[::7]:
        looker.go(service, state.name, state.locales[0])
        begin(looker.page)
        looker.page.keyboard.press("Tab")
        assert looker.page.evaluate("document.activeElement.hash") == "#main", state.id
        looker.page.keyboard.press("Enter")
        assert looker.page.evaluate("document.activeElement.id") == "main", state.id
        looker.page.keyboard.press("Tab")
        assert looker.page.evaluate("document.activeElement.closest('header') === null"), state.id


@pytest.mark.parametrize("service", OURS)
def test_focus_stays_where_it_was_on_load_but_for_the_summary_of_errors(looker: Looker, service: str) -> None:
    for state in pages_of(looker, service):
        looker.go(service, state.name, state.locales[0])
        summary = looker.page.locator("#summary").count() == 1
        focused = looker.page.evaluate("document.activeElement.id || document.activeElement.localName")
        assert focused == ("summary" if summary else "body"), state.id


def test_a_link_of_the_summary_leads_to_its_field(looker: Looker) -> None:
    looker.go("registration", "form, wrong")
    for link in looker.page.locator("#summary a").all():
        target = (link.get_attribute("href") or "").removeprefix("#")
        link.press("Enter")
        assert looker.page.evaluate("document.activeElement.id") == target
