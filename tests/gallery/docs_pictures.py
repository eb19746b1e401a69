"""`python -m tests.gallery.docs_pictures`: the pictures of docs/customer-service.md, in each language."""

from __future__ import annotations

import logging
from pathlib import Path

from playwright.sync_api import Page

from tests.gallery.server import open_gallery
from tests.gallery.state import LOCALES, View, views
from tests.gallery.workers import work

OUT = Path(__file__).resolve().parents[2] / "docs" / "images"
SIZE = {"width": 1000, "height": 760}
PICTURES = {
    "customer-service/search-found": "search",
    "customer-service/person": "person",
    "customer-service/numbers-check": "check",
    "customer-service/acts-that-wait": "waiting",
    "customer-service/wait-for-a-caller": "caller",
}
"""The name of each picture, by its state."""


def draw(page: Page, view: View, out: Path) -> int:
    """The first screenful of a page."""
    page.emulate_media(media="screen", color_scheme="light")
    page.set_viewport_size(SIZE)  # type: ignore[arg-type]
    page.goto(view.url, wait_until="load")
    page.screenshot(path=out / f"customer-service-{PICTURES[view.state]}.{view.locale}.png", animations="disabled")
    return 1


def main() -> None:
    """Draw them all."""
    logging.disable(logging.CRITICAL)
    with open_gallery() as gallery:
        wanted = [view for view in views(gallery.states, gallery.url, [*PICTURES]) if view.state in PICTURES]
        taken = sum(pictures for _, pictures in work(draw, wanted, OUT))
    assert taken == len(PICTURES) * len(LOCALES)


if __name__ == "__main__":
    main()
