"""Every page in every state and language, looked at from all sides: axe-core, layout, targets, titles, keyboard.

Each is visited once; the tests read what was found there.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator

import pytest

from tests.gallery.chromium import PHONE
from tests.gallery.looking import NARROW, SCHEMES, Looker, Report, ask, large_text, look, open_looker, run_axe, scripts
from tests.gallery.server import open_gallery
from tests.gallery.state import LOCALES, views
from tests.gallery.walking import walk
from tests.gallery.workers import work

pytestmark = [pytest.mark.gallery, pytest.mark.enable_socket, pytest.mark.timeout(900)]
SMALL_PHONE = {"width": 360, "height": 640}
SERVICES = ("broker", "registration", "rights", "mock", "portal", "online", "mailbox", "customer-service", "status")
CHECKS = ("outline", "targets", "320 pixels", "320 pixels, spaced", "large text, desktop", "large text, phone")
CHECKS_IN_ONE_LANGUAGE = ("keyboard", "forced colours")
OURS = ("broker", "registration", "rights", "customer-service")
BRAND = {"fi": "Esimerkkienergia", "sv": "Exempelenergi", "en": "Example Energy"}
MOST_TOLD = 40


@pytest.fixture(scope="module")
def reports() -> list[Report]:
    """What was found on every page; with GALLERY=one-language in the environment on each in one language."""
    one_language = os.environ.get("GALLERY") == "one-language"
    with open_gallery() as gallery:
        pages = [state for state in gallery.states if state.is_page]
        wanted = [*views(pages, gallery.url, one_language=one_language)]
        found = [report for _, report in work(look, wanted, scripts=scripts())]
    return sorted(found, key=lambda report: (report.view.state, report.view.locale))


@pytest.fixture(scope="module")
def looker() -> Iterator[Looker]:
    with open_looker() as looker:
        yield looker


def assert_nothing(found: list[str]) -> None:
    """Fail with what was found, a line each."""
    if found:
        pytest.fail("\n".join([f"{len(found)} findings", *found[:MOST_TOLD]]), pytrace=False)


def test_the_services_named_here_are_those_of_the_gallery(reports: list[Report]) -> None:
    assert {report.view.service for report in reports} == set(SERVICES)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("service", SERVICES)
def test_axe_finds_nothing(reports: list[Report], service: str, scheme: str) -> None:
    found = [(report.view, report.axe[scheme]) for report in reports if report.view.service == service]
    assert all(axe.passed > 20 for _, axe in found)
    assert_nothing([f"{at.state} {at.locale}: {line}" for at, axe in found for line in axe.violations])


@pytest.mark.parametrize("service", SERVICES)
def test_axe_finds_nothing_in_forced_colours(reports: list[Report], service: str) -> None:
    found = [(report.view, report.axe["forced"]) for report in reports if "forced" in report.axe]
    found = [(at, axe) for at, axe in found if at.service == service]
    assert found
    assert_nothing([f"{at.state} {at.locale}: {line}" for at, axe in found for line in axe.violations])


def test_axe_is_unsure_of_nothing_but_the_letters_in_the_marks(reports: list[Report]) -> None:
    """Their contrast is a constant: white on each of the fills is 6.4 : 1 or more (broker/chooser/marks.py)."""
    unsure = [line for report in reports for axe in report.axe.values() for line in axe.incomplete]
    assert_nothing([line for line in unsure if not line.startswith("color-contrast: ") or ".letter" not in line])


@pytest.mark.parametrize("check", [*CHECKS, *CHECKS_IN_ONE_LANGUAGE])
@pytest.mark.parametrize("service", SERVICES)
def test_nothing_is_wrong(reports: list[Report], service: str, check: str) -> None:
    """Wide and narrow, with large text and more spacing nothing is cut off; targets are large; Tab goes in order."""
    asked = [report for report in reports if report.view.service == service and check in report.wrong]
    states = {report.view.state for report in reports if report.view.service == service}
    assert {report.view.state for report in asked} == states
    assert_nothing([f"{at.view.state} {at.view.locale}: {line}" for at in asked for line in at.wrong[check]])


@pytest.mark.parametrize("locale", LOCALES)
def test_a_title_holds_heading_and_brand_and_says_whether_something_is_wrong(
    reports: list[Report], locale: str
) -> None:
    headings = defaultdict(set)
    for report in reports:
        at = report.view
        if at.service in OURS and at.locale == locale:
            (heading,) = report.headings
            headings[at.service, report.title].add(heading)
            assert heading in report.title, at.state
            assert report.title.endswith(f" – {BRAND[locale]}") or at.state == "broker/chooser-long-names", at.state
            assert report.title.startswith(("Virhe: ", "Fel: ", "Error: ")) == report.errors, at.state
    assert {title: held for title, held in headings.items() if len(held) > 1} == {}


def test_axe_sees_what_is_wrong(looker: Looker) -> None:
    """A page made wrong on purpose, so that an axe that looks at nothing is noticed."""
    looker.go("registration", "sign in")
    looker.page.evaluate("document.querySelector('label').remove()")
    looker.page.evaluate("document.querySelector('h1').style.color = '#ccc'")
    rules = {sentence.partition(":")[0] for sentence in run_axe(looker.page).violations}
    assert rules == {"label", "color-contrast"}


def test_what_is_too_wide_or_too_small_is_seen(looker: Looker) -> None:
    looker.go("registration", "sign in", size=NARROW)
    assert ask(looker.page, "layout()") == []
    looker.page.evaluate("document.querySelector('h1').style.whiteSpace = 'nowrap'")
    looker.page.evaluate("document.querySelector('.footer a').style.cssText = 'display: block; font-size: 8px'")
    assert ask(looker.page, "layout()")
    assert ask(looker.page, "targets()")


@pytest.mark.parametrize("locale", LOCALES)
def test_on_a_small_phone_the_first_bank_is_seen_without_scrolling(looker: Looker, locale: str) -> None:
    looker.go("broker", "chooser", locale, size=SMALL_PHONE)
    row = looker.page.locator("#group-bank + ul .row").first.bounding_box()
    assert row
    assert row["y"] + row["height"] <= SMALL_PHONE["height"]


def test_large_text_is_large(looker: Looker) -> None:
    looker.go("registration", "sign in", size=PHONE)
    with large_text(looker.page):
        assert looker.page.evaluate("getComputedStyle(document.body).fontSize") == "36px"
    assert looker.page.evaluate("getComputedStyle(document.body).fontSize") == "18px"


def test_an_order_that_is_not_the_pages_and_a_hidden_focus_are_seen(looker: Looker) -> None:
    looker.go("registration", "sign in")
    assert walk(looker.page) == []
    looker.page.evaluate("document.querySelector('#password').style.outline = 'none'")
    assert ["password" in sentence for sentence in walk(looker.page)] == [True]
    looker.page.evaluate("document.querySelector('#password').tabIndex = 1")
    assert "is number" in walk(looker.page)[0]
