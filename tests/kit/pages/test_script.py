"""The script of pages with forms: small, and on its own."""

from __future__ import annotations

import re

from kit.pages.texts import SHARED


def test_the_script_is_small_and_fetches_nothing() -> None:
    script = (SHARED / "static" / "forms.js").read_text(encoding="utf-8")
    assert len(script) < 4000
    assert not re.search(r"fetch|XMLHttp|import|eval|innerHTML|https?:|cookie|Storage", script)
