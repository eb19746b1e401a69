"""No text of registration's pages stands outside of the catalogues."""

from __future__ import annotations

import re
from collections.abc import Iterable
from gettext import NullTranslations

import html5lib
import pytest
from jinja2 import Environment

from kit.pages.rendering import translating
from tests.harness.registration_pages import PAGES, PagesHarness, build_pages_harness

MARKS = "⟦⟧"


class Marking(NullTranslations):
    """Puts marks around every text, so that text without them was never given to the catalogues."""

    def gettext(self, message: str) -> str:
        return f"{MARKS[0]}{message}{MARKS[1]}"


@pytest.fixture
def marked() -> PagesHarness:
    harness = build_pages_harness()
    environment: Environment = harness.pages._renderer.environments["en"]
    environment.globals["_"] = translating(Marking())
    environment.filters["moment"] = lambda seconds: f"{MARKS[0]}{seconds}{MARKS[1]}"
    return harness


def shown_texts(html: str) -> Iterable[str]:
    """Everything that a page shows or says, attributes too."""
    for element in html5lib.parse(html).iter():
        yield from (element.text or "", element.tail or "")
        for key in ("alt", "title", "aria-label", "data-show", "data-hide", "data-label"):
            yield element.get(key, "")


VALUES = re.compile(
    "0a1b2c3d|Esimerkkienergia en|010\\s123 4567|Suomi|Svenska|English|2026-11-01|What the terms are about|A text|One|"
    "ABCDEFGH|0417|"
    "Pohjois-Hämeen Sähköurakointi ja Kiinteistöhuolto Virtanen & Pojat Oy|1234567-1|7001234|Hilja Maria|"
    "Korhonen-Lindqvist|[\\w.-]+@example.fi|hilja|Firefox, Windows|Safari, iPhone"
)


@pytest.mark.parametrize("name", PAGES)
def test_no_word_on_a_page_bypasses_the_catalogues(marked: PagesHarness, name: str) -> None:
    html = marked.draw(name, "en").get_data(as_text=True)
    joined = "\n".join(shown_texts(html))
    while MARKS[0] in joined:
        joined, count = re.subn(f"{MARKS[0]}[^{MARKS}]*{MARKS[1]}", " ", joined)
        assert count
    bare = VALUES.sub(" ", joined)
    assert not re.search(r"\w{2,}", bare), re.findall(r"\w{2,}", bare)
