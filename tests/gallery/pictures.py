"""A picture of every page in every state and language, on a phone and a desktop, light and dark; and on paper.

    python -m tests.gallery.pictures [--out var/pictures] [word…]

With words: only states whose service/name holds one of them, so that a few can be drawn again; the index shows all
pictures that stand in the folder.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from pathlib import Path

import click
from playwright.sync_api import Page

from tests.gallery.chromium import DESKTOP, PHONE
from tests.gallery.index import write_index
from tests.gallery.server import open_gallery
from tests.gallery.state import View, views
from tests.gallery.workers import work

PAPER = {"width": 794, "height": 1123}
"""A4 at 96 pixels an inch."""
SIZES = {"phone": PHONE, "desktop": DESKTOP}
SCHEMES = ("light", "dark")


def draw(page: Page, view: View, out: Path) -> int:
    """Take all pictures of a view; how many. Raises playwright's Error."""
    page.emulate_media(media="screen", color_scheme="light")
    page.goto(view.url, wait_until="load")
    taken = 0
    for size_name, size in SIZES.items():
        page.set_viewport_size(size)  # type: ignore[arg-type]
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            _take(page, out / f"{view.state}.{view.locale}.{size_name}.{scheme}.png")
            taken += 1
    if view.printed:
        page.set_viewport_size(PAPER)  # type: ignore[arg-type]
        page.emulate_media(media="print", color_scheme="light")
        _take(page, out / f"{view.state}.{view.locale}.paper.print.png")
        taken += 1
    return taken


def _take(page: Page, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=path, full_page=True, animations="disabled")


@click.command(help="Take pictures of every page; with WORDS only of states whose service/name holds one of them.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("var/pictures"), help="Folder of the pictures.")
@click.argument("words", nargs=-1)
def main(out: Path, words: Sequence[str]) -> None:
    """Take the pictures, tell how far it is, and write the index."""
    logging.disable(logging.CRITICAL)  # the gallery answers thousands of requests, and faults on purpose
    began = time.monotonic()
    with open_gallery() as gallery:
        wanted = list(views(gallery.states, gallery.url, words))
        if not wanted:
            raise click.UsageError(
                "no state is called so; there are: " + ", ".join(state.id for state in gallery.states)
            )
        taken = 0
        for done, (view, pictures) in enumerate(work(draw, wanted, out), 1):
            taken += pictures
            click.echo(f"{done}/{len(wanted)} {view.state} {view.locale}")
        index = write_index(out, gallery.states)
    click.echo(f"{taken} pictures in {time.monotonic() - began:.0f} s; open {index}")


if __name__ == "__main__":
    main()
