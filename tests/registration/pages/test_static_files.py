"""Registration's own static files: a drawing that fetches nothing."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from registration.pages.rendering import FOLDER


def test_the_drawing_of_the_invoice_is_on_a_white_plate_and_fetches_nothing() -> None:
    text = (FOLDER / "static" / "invoice.svg").read_text(encoding="utf-8")
    root = ElementTree.fromstring(text)  # noqa: S314 - our own file
    plate = root[0]
    assert plate.get("fill") == "#ffffff"
    words = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert words == ["1", "2", "3"]
    assert not re.search(r"href|url\(|<script|<style|style=| on\w+=", text)
