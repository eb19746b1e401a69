"""Looking at a state in a browser: everything that is asked of a page, in one visit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page

from tests.gallery.chromium import DESKTOP, HERE, PHONE, axe_script, open_page
from tests.gallery.server import GalleryServer, open_gallery
from tests.gallery.state import State, View, views
from tests.gallery.walking import walk

TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
CHECKS = HERE / "checks.js"
SCHEMES = ("light", "dark")
NARROW = {"width": 320, "height": 640}
USUAL_TEXT, LARGE_TEXT = 16, 32
"""CSS pixels; twice as large is WCAG 2.2 success criterion 1.4.4."""


@dataclass(frozen=True, slots=True)
class Axe:
    """What axe-core says. violations, incomplete: a sentence each. passed: how many rules hold."""

    violations: list[str]
    incomplete: list[str]
    passed: int


@dataclass(frozen=True, slots=True)
class Report:
    """What was found in a state. axe: by colour scheme, and `forced`. wrong: by check, a sentence each.

    errors: whether the page says that something in its form is wrong.
    """

    view: View
    title: str
    headings: tuple[str, ...]
    errors: bool
    axe: dict[str, Axe]
    wrong: dict[str, list[str]]


def look(page: Page, view: View) -> Report:
    """Look at a state from all sides; page: with SCRIPTS."""
    page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]
    page.goto(view.url, wait_until="load")
    axe = {scheme: run_axe(page, scheme) for scheme in SCHEMES}
    wrong = {"outline": ask(page, f"outline({view.locale!r})")}
    with large_text(page):
        wrong["large text, desktop"] = ask(page, "layout()")
        page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        wrong["large text, phone"] = ask(page, "layout()")
    wrong["targets"] = ask(page, "targets()")
    page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    wrong["320 pixels"] = ask(page, "layout()")
    ask(page, "space(true)")
    wrong["320 pixels, spaced"] = ask(page, "layout()")
    ask(page, "space(false)")
    if view.first:  # the same in each language
        axe["forced"], wrong["forced colours"] = _in_forced_colours(page)
        wrong["keyboard"] = walk(page)
    headings = tuple(page.locator("h1").all_inner_texts())
    errors = page.locator(".summary, .field-wrong, [aria-invalid]").count() > 0
    return Report(view, page.title(), headings, errors, axe, wrong)


def run_axe(page: Page, scheme: str = "light") -> Axe:
    """Run axe-core on a page as it stands, in a colour scheme."""
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    return Axe(**ask(page, f"axe({list(TAGS)})"))


def ask(page: Page, call: str) -> Any:
    """Call a function of checks.js."""
    return page.evaluate(f"gallery.{call}")


@contextmanager
def large_text(page: Page) -> Iterator[None]:
    """Text is twice as large, as by the browser's own setting, which the widths in a stylesheet's `em` follow."""
    browser = page.context.new_cdp_session(page)
    try:
        browser.send("Page.setFontSizes", {"fontSizes": {"standard": LARGE_TEXT, "fixed": LARGE_TEXT}})
        yield
    finally:
        browser.send("Page.setFontSizes", {"fontSizes": {"standard": USUAL_TEXT, "fixed": USUAL_TEXT}})
        browser.detach()


def _in_forced_colours(page: Page) -> tuple[Axe, list[str]]:
    page.emulate_media(forced_colors="active")
    try:
        return run_axe(page), ask(page, "forced()")
    finally:
        page.emulate_media(forced_colors="none")


@dataclass
class Looker:
    """A browser that stands in the gallery, to look at one thing more closely."""

    gallery: GalleryServer
    page: Page

    def go(self, service: str, name: str, locale: str = "sv", size: dict[str, int] = DESKTOP) -> State:
        """Look at a state in a window of some size."""
        state = next(state for state in self.gallery.states if (state.service, state.name) == (service, name))
        self.page.set_viewport_size(size)  # type: ignore[arg-type]
        (view,) = [view for view in views([state], self.gallery.url) if view.locale == locale]
        self.page.goto(view.url, wait_until="load")
        return state


@contextmanager
def open_looker() -> Iterator[Looker]:
    """A gallery with a browser in it."""
    with open_gallery() as gallery, open_page(scripts()) as page:
        yield Looker(gallery, page)


def scripts() -> list[Any]:
    """What runs in each document that is looked at."""
    return [axe_script(), CHECKS]
