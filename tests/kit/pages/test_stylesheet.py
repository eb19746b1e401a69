"""The stylesheet of all services: contrast of its colours in both schemes, and nothing in it that is not used."""

from __future__ import annotations

import re

import pytest

from broker.chooser.marks import FILLS
from kit.pages.texts import SHARED

ROOT = SHARED.parents[1]
TEMPLATES = [ROOT / name / "pages" / "templates" for name in ("kit", "broker", "registration", "customer_service")]
CSS = (SHARED / "static" / "tunnus.css").read_text(encoding="utf-8")


def variables(scheme: str) -> dict[str, str]:
    light, dark = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
    found = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", light))
    return found | dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", dark)) if scheme == "dark" else found


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, contrast ratio."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("ink", "ground", "least"),
    [
        ("ink", "bg", 7),
        ("ink", "surface", 7),
        ("ink", "info-tint", 7),
        ("ink", "warn-tint", 7),
        ("ink2", "bg", 4.5),
        ("ink2", "surface", 4.5),
        ("accent", "bg", 4.5),
        ("accent", "surface", 4.5),
        ("accent", "warn-tint", 4.5),
        ("accent-hover", "surface", 4.5),
        ("on-accent", "accent", 4.5),
        ("on-accent", "accent-hover", 4.5),
        ("edge", "bg", 3),
        ("focus", "bg", 3),
        ("focus", "surface", 3),
        ("warn", "warn-tint", 3),
        ("danger", "bg", 4.5),
        ("ok", "ok-tint", 3),
        ("ink", "ok-tint", 7),
    ],
)
def test_colours_are_told_apart(scheme: str, ink: str, ground: str, least: float) -> None:
    colours = variables(scheme)
    assert contrast(colours[ink], colours[ground]) >= least


def test_marks_have_the_same_colours_on_pages_and_as_pictures() -> None:
    assert tuple(re.findall(r"\.fill-\d rect \{ fill: (#[0-9a-f]{6}); \}", CSS)) == FILLS
    assert all(contrast(fill, "#ffffff") >= 6.4 for fill in FILLS)


def test_nothing_is_fetched_from_elsewhere() -> None:
    assert not re.search(r"@import|url\(|@font-face", CSS)


def test_every_variable_of_the_stylesheet_is_set() -> None:
    used, light, dark = set(re.findall(r"var\(--([\w-]+)\)", CSS)), variables("light"), variables("dark")
    assert used <= set(light) | {"sans", "mono"}
    assert set(dark) == set(light)


def test_every_class_of_a_template_is_in_the_stylesheet() -> None:
    own = (ROOT / "customer_service" / "pages" / "static" / "service.css").read_text(encoding="utf-8")
    known = set(re.findall(r"\.([a-z][\w-]*)", CSS + own)) | {"nothing"}
    for file in sorted(file for folder in TEMPLATES for file in folder.rglob("*.html")):
        text = re.sub(r"\{[%{].*?[%}]\}", " ", file.read_text(encoding="utf-8"))
        classes = {name for value in re.findall(r'class="([^"]*)"', text) for name in value.split()}
        unknown = {name for name in classes if name not in known and not name.endswith("-")}
        assert not unknown, (file.name, unknown)
