"""What the operator sets: logo, colours, links, the accessibility statement; and what is refused of it."""

from __future__ import annotations

import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import html5lib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.pages.brand import GROUNDS, contrast, hover_of, least_contrast, on_accent_of
from kit.pages.texts import SHARED
from kit.settings.report import ConfigurationError
from tests.harness.broker_pages import SETTINGS, Harness, build_harness, chooser, problem, texts

ROOT = Path(__file__).parents[3]
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="120" height="40"><title>E</title>{}</svg>'
COLOURS = {"accent": "#7A1F5C", "accent_dark": "#f0a8d8"}
CSS = (SHARED / "static" / "tunnus.css").read_text(encoding="utf-8")


def branded(**changes: Any) -> Harness:
    return build_harness(brand=deepcopy(SETTINGS["brand"]) | changes)


def page(harness: Harness, locale: str = "fi") -> str:
    with harness.app.test_request_context("/choose/abcdef"):
        return chooser(harness, locale).get_data(as_text=True)


def refused(**changes: Any) -> str:
    with pytest.raises((ConfigurationError, ValueError)) as caught:
        branded(**changes)
    return str(caught.value)


def test_a_page_without_a_brand_has_neither_theme_nor_more_links(harness: Harness) -> None:
    html = page(harness)
    assert "theme" not in re.sub("theme-color", "", html)
    assert "footer-links" not in html
    assert '<p class="brand">Esimerkkienergia</p>' in html


class TestLogo:
    def test_it_stands_at_the_top_and_is_called_as_the_company(self, tmp_path: Path) -> None:
        (tmp_path / "ours.svg").write_text(SVG.format(""))
        harness = branded(logo=str(tmp_path / "ours.svg"))
        found = re.search(
            r'<p class="brand"><img src="(/static/brand\.[0-9a-f]{12}\.svg)" alt="Exempelenergi"', page(harness, "sv")
        )
        assert found
        answer = harness.app.test_client().get(found[1])
        assert answer.content_type == "image/svg+xml"
        assert answer.headers["Content-Security-Policy"] == "default-src 'none'; style-src 'unsafe-inline'; sandbox"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"

    @pytest.mark.parametrize(
        ("name", "content", "wrong"),
        [
            ("logo.svg", SVG.format("<script>1</script>").encode(), "has a <script>"),
            ("logo.svg", SVG.format('<image href="https://x.example/a.png"/>').encode(), "has a link"),
            ("logo.svg", b"<svg", "is not well-formed XML"),
            ("logo.png", b"GIF89a", "is not a PNG picture"),
            ("logo.gif", b"GIF89a", "is no picture that we show"),
            ("logo.svg", SVG.format("<!--" + "x" * 65_536 + "-->").encode(), "is too large"),
        ],
    )
    def test_a_picture_that_cannot_be_shown_is_refused_with_its_key(
        self, tmp_path: Path, name: str, content: bytes, wrong: str
    ) -> None:
        (tmp_path / name).write_bytes(content)
        report = refused(logo=str(tmp_path / name))
        assert "brand.logo" in report
        assert wrong in report

    def test_a_picture_that_is_not_there_is_refused(self, tmp_path: Path) -> None:
        assert "names a file that is not there" in refused(logo=str(tmp_path / "none.svg"))


class TestColours:
    def test_they_come_after_our_stylesheet_and_set_what_is_derived_too(self) -> None:
        harness = branded(colours=COLOURS)
        sheets = re.findall(r'<link rel="stylesheet" href="/static/([a-z]+)\.[0-9a-f]{12}\.css">', page(harness))
        assert sheets == ["tunnus", "theme"]
        theme = next(asset for asset in harness.pages.assets.values() if asset.source == "theme.css").content.decode()
        light, dark = re.findall(r":root \{(.*?)\}", theme, re.DOTALL)
        assert "--accent: #7a1f5c;" in light
        assert "--on-accent: #ffffff;" in light
        assert "--accent: #f0a8d8;" in dark
        assert "--on-accent: #10171d;" in dark
        assert set(re.findall(r"--([\w-]+):", theme)) == {"accent", "accent-hover", "on-accent"}

    @pytest.mark.parametrize(
        ("key", "colour", "wrong", "mend"),
        [
            ("accent", "#00a0c8", "has a contrast of 2.70 : 1 with #e8f3f7", "choose a darker colour"),
            ("accent", "#777777", "has a contrast of 3.96 : 1 with #e8f3f7", "choose a darker colour"),
            ("accent_dark", "#00566e", "has a contrast of 1.69 : 1 with #12303b", "choose a lighter colour"),
        ],
    )
    def test_a_colour_that_cannot_be_read_is_refused_with_what_it_lacks(
        self, key: str, colour: str, wrong: str, mend: str
    ) -> None:
        with pytest.raises(ValueError, match=key) as caught:
            branded(colours=COLOURS | {key: colour})
        assert wrong in str(caught.value)

    def test_the_report_names_key_ratio_and_what_is_needed(self, tmp_path: Path) -> None:
        from broker.settings import load_settings

        text = (ROOT / "config" / "test.toml").read_text()
        text = text.replace("[brand]\n", '[brand]\ncolours = { accent = "#00a0c8", accent_dark = "#7fcbe2" }\n')
        (tmp_path / "test.toml").write_text(text)
        with pytest.raises(ConfigurationError) as caught:
            load_settings(tmp_path / "test.toml", {})
        lines = "\n".join(
            line for found in caught.value.problems if found.key[:1] == ("brand",) for line in found.lines()
        )
        assert 'brand.colours.accent = "#00a0c8"' in lines
        assert "has a contrast of 2.70 : 1 with #e8f3f7" in lines
        assert "allowed: 4.5 : 1 or more" in lines
        assert "mend: choose a darker colour" in lines

    @pytest.mark.parametrize("colour", ["#fff", "red", "#00566e;}", "rgb(0,0,0)"])
    def test_a_colour_is_written_in_one_way(self, colour: str) -> None:
        assert "accent" in refused(colours=COLOURS | {"accent": colour})

    def test_the_grounds_are_the_stylesheets(self) -> None:
        light, dark = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
        for scheme, part in (("light", light), ("dark", dark)):
            colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", part))
            assert {name: colours[name] for name in GROUNDS[scheme]} == GROUNDS[scheme]
            tints = {name for name in colours if name.endswith("-tint")} - {"danger-tint"}
            assert tints <= set(GROUNDS[scheme])

    @given(st.integers(0, 0xFFFFFF), st.sampled_from(["light", "dark"]))
    def test_what_is_derived_of_a_colour_that_is_taken_can_be_read(self, number: int, scheme: str) -> None:
        colour = f"#{number:06x}"
        if least_contrast(colour, scheme)[0] < 4.5:
            return
        hover = hover_of(colour, scheme)
        assert all(contrast(hover, ground) >= 4.5 for ground in GROUNDS[scheme].values())
        assert contrast(on_accent_of(colour), colour) >= 4.5
        assert contrast(on_accent_of(colour), hover) >= 4.5


def test_links_stand_in_the_footer_in_the_pages_language() -> None:
    harness = branded(links=[{"name": texts("Tietosuoja"), "uri": "https://example.fi/privacy?a=1&b=2"}])
    assert '<li><a href="https://example.fi/privacy?a=1&amp;b=2">Tietosuoja sv</a></li>' in page(harness, "sv")


def test_a_link_to_another_machine_by_plain_http_is_refused() -> None:
    assert "brand.links[0].uri" in refused(links=[{"name": texts("x"), "uri": "http://example.fi/"}])


class TestAccessibility:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        for locale in ("fi", "sv", "en"):
            (tmp_path / f"{locale}.md").write_text(f"## Part {locale}\n\n<b>x</b> [mail](mailto:a@example.fi)\n")
        return tmp_path

    def test_the_statement_is_a_page_that_every_footer_links(self, folder: Path) -> None:
        harness = branded(accessibility=str(folder))
        assert '<a href="/accessibility">Saavutettavuus\u00adseloste</a>' in page(harness)
        with harness.app.test_request_context("/problem/abcdef"):
            assert 'href="/accessibility"' in problem(harness, "unavailable").get_data(as_text=True)
            assert 'href="/accessibility"' in harness.pages.bad_request().get_data(as_text=True)
        with harness.app.test_request_context("/accessibility?ui_locales=sv"):
            answer = harness.pages.accessibility()
        assert answer is not None
        html = answer.get_data(as_text=True)
        html5lib.HTMLParser(strict=True).parse(html)
        assert "<h1>Tillgänglighets\u00adutlåtande</h1>" in html
        assert "<h2>Part sv</h2>" in html
        assert "&lt;b&gt;x&lt;/b&gt;" in html
        assert 'href="/accessibility?ui_locales=fi"' in html

    def test_without_one_there_is_no_page(self, harness: Harness) -> None:
        assert harness.pages.accessibility() is None

    def test_headings_begin_below_the_pages_own(self, folder: Path) -> None:
        (folder / "fi.md").write_text("\ufeff# First\n\n## Second\n")  # as an editor on Windows may write it
        with (harness := branded(accessibility=str(folder))).app.test_request_context("/accessibility"):
            answer = harness.pages.accessibility()
        assert answer is not None
        assert "<h2>First</h2>\n<h3>Second</h3>" in answer.get_data(as_text=True)

    def test_a_language_that_lacks_is_refused(self, folder: Path) -> None:
        (folder / "sv.md").unlink()
        report = refused(accessibility=str(folder))
        assert "brand.accessibility" in report
        assert "write sv.md" in report

    def test_a_file_that_is_no_text_is_refused(self, folder: Path) -> None:
        (folder / "sv.md").write_bytes(b"\xff")
        assert "is not UTF-8" in refused(accessibility=str(folder))

    @pytest.mark.parametrize("locale", ["fi", "sv", "en"])
    def test_the_template_says_where_to_write_and_who_supervises(self, locale: str) -> None:
        text = (ROOT / "config" / "accessibility" / f"{locale}.md").read_text(encoding="utf-8")
        assert "14" in text
        assert "Traficom" in text
        assert "@example.com" in text
        assert text.count("\n## ") == 4
