"""What the broker and registration hold in common is a copy in each: they know nothing of each other."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
COPIES = (
    "assets.py",
    "brand.py",
    "i18n.py",
    "logs.py",
    "look.py",
    "picture.py",
    "prose.py",
    "settings_file.py",
    "settings_look.py",
    "settings_report.py",
    "settings_types.py",
    "texts.py",
    "withheld.py",
    "static/tunnus.css",
    "static/favicon.svg",
    "templates/accessibility.html",
    "templates/base.html",
    "templates/parts.html",
)


@pytest.mark.parametrize("name", COPIES)
def test_the_copy_in_registration_is_the_same_as_in_the_broker(name: str) -> None:
    assert (ROOT / "broker" / name).read_bytes() == (ROOT / "registration" / name).read_bytes()


@pytest.mark.parametrize("folder", ["mock_idp", "demo"])
def test_the_stylesheet_is_the_same_in_the_mock_banks_and_the_demo(folder: str) -> None:
    """Each sets its own accent in a small file beside it."""
    ours = (ROOT / "broker" / "static" / "tunnus.css").read_bytes()
    assert (ROOT / folder / "static" / "tunnus.css").read_bytes() == ours
