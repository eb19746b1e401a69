"""One stylesheet in broker and registration, its colours told apart, and a drawing that fetches nothing."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from registration.pages import FOLDER

CSS = (FOLDER / "static" / "tunnus.css").read_text(encoding="utf-8")
BROKER = FOLDER.parent / "broker" / "static"


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


@pytest.mark.parametrize("name", ["tunnus.css", "favicon.svg"])
def test_broker_and_registration_have_the_same_look(name: str) -> None:
    assert (FOLDER / "static" / name).read_bytes() == (BROKER / name).read_bytes()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("ink", "ground", "least"),
    [
        ("danger", "bg", 4.5),
        ("ok", "ok-tint", 3),
        ("ink", "ok-tint", 7),
        ("edge", "bg", 3),
        ("accent", "bg", 4.5),
        ("ink2", "bg", 4.5),
    ],
)
def test_colours_of_forms_are_told_apart(scheme: str, ink: str, ground: str, least: float) -> None:
    colours = variables(scheme)
    assert contrast(colours[ink], colours[ground]) >= least


def test_every_variable_of_the_stylesheet_is_set() -> None:
    used, light, dark = set(re.findall(r"var\(--([\w-]+)\)", CSS)), variables("light"), variables("dark")
    assert used <= set(light) | {"sans", "mono"}
    assert set(dark) == set(light)


def test_every_class_of_a_template_is_in_the_stylesheet() -> None:
    known = set(re.findall(r"\.([a-z][\w-]*)", CSS)) | {"nothing"}
    for file in sorted((FOLDER / "templates").rglob("*.html")):
        text = re.sub(r"\{[%{].*?[%}]\}", " ", file.read_text(encoding="utf-8"))
        classes = {name for value in re.findall(r'class="([^"]*)"', text) for name in value.split()}
        unknown = {name for name in classes if name not in known and not name.endswith("-")}
        assert not unknown, (file.name, unknown)


def test_the_drawing_of_the_invoice_is_on_a_white_plate_and_fetches_nothing() -> None:
    text = (FOLDER / "static" / "invoice.svg").read_text(encoding="utf-8")
    root = ElementTree.fromstring(text)  # noqa: S314 - our own file
    plate = root[0]
    assert plate.get("fill") == "#ffffff"
    words = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert words == ["1", "2", "3"]
    assert not re.search(r"href|url\(|<script|<style|style=| on\w+=", text)


def test_the_script_is_small_and_fetches_nothing() -> None:
    script = (FOLDER / "static" / "forms.js").read_text(encoding="utf-8")
    assert len(script) < 4000
    assert not re.search(r"fetch|XMLHttp|import|eval|innerHTML|https?:|cookie|Storage", script)
