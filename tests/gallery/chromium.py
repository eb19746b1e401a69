"""Debian's Chromium, and one page of it for every state: a new one for each would take most of the time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.harness.chromium import open_chromium

DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 360, "height": 740}
HERE = Path(__file__).resolve().parent
NODE_MODULES = HERE.parent / "peers" / "node_modules"
AXE = NODE_MODULES / "axe-core" / "axe.min.js"


@contextmanager
def open_page(scripts: Sequence[Path] = (), **context: Any) -> Iterator[Page]:
    """A page of a Chromium of its own. scripts: run in each document before its own, whatever its policy says."""
    with open_chromium() as browser:
        made = browser.new_context(**({"viewport": DESKTOP, "reduced_motion": "reduce"} | context))
        for script in scripts:
            made.add_init_script(path=script)
        yield made.new_page()


def axe_script() -> Path:
    """axe-core, where npm has put it."""
    assert AXE.is_file(), "axe-core is not installed; run: npm ci --ignore-scripts --prefix tests/peers"
    return AXE
