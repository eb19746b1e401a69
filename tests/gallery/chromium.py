"""Debian's Chromium, and one page of it for every state: a new one for each would take most of the time."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 360, "height": 740}
HERE = Path(__file__).resolve().parent
NODE_MODULES = HERE.parent / "peers" / "node_modules"
AXE = NODE_MODULES / "axe-core" / "axe.min.js"


@contextmanager
def open_page(scripts: Sequence[Path] = (), **context: Any) -> Iterator[Page]:
    """A page of a Chromium of its own. scripts: run in each document before its own, whatever its policy says."""
    path = shutil.which("chromium")
    assert path, "these tests need Chromium; on Debian: sudo apt install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        made = browser.new_context(**({"viewport": DESKTOP, "reduced_motion": "reduce"} | context))
        for script in scripts:
            made.add_init_script(path=script)
        yield made.new_page()
        browser.close()


def axe_script() -> Path:
    """axe-core, where npm has put it."""
    assert AXE.is_file(), "axe-core is not installed; run: npm ci --ignore-scripts --prefix tests/peers"
    return AXE
