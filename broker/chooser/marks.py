"""The pictures beside the names: neutral marks of our own, and logos that the operator has leave to use.

Logos come from `brand.logo_dir`, files `<row id>.svg` or `<row id>.png`. They are read and looked through once, at
start; what could run a script or reach outside itself is refused then.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from html import escape
from pathlib import Path

from kit.pages.pictures import TYPES, Picture, read_picture
from kit.settings.report import ConfigurationError, Problem

FILLS = ("#1d5c8f", "#0f6b5c", "#6a3f8f", "#8a4b12", "#9b2f4f", "#4b5a68")
"""White on each of them is 6.4:1 or better. The stylesheet's classes `fill-0` … say the same."""

GLYPHS = {
    "phone": (
        '<path fill="#fff" fill-rule="evenodd" d="M14.5 7h11A2.5 2.5 0 0 1 28 9.5v21a2.5 2.5 0 0 1-2.5 2.5h-11'
        'a2.5 2.5 0 0 1-2.5-2.5v-21A2.5 2.5 0 0 1 14.5 7zM15 11v16h10V11zM18.5 29v1.5h3V29z"/>'
    ),
    "card": (
        '<path fill="#fff" fill-rule="evenodd" d="M9 10h22a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3H9a3 3 0 0 1-3-3V13'
        "a3 3 0 0 1 3-3zM14 14.5a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6zM9.5 25.5h9a4.5 4.5 0 0 0-9 0z"
        'M22 15.5v2h8v-2zM22 20.5v2h6v-2z"/>'
    ),
}
"""Drawn instead of letters."""


def mark_svg(mark: str, fill: int) -> str:
    """The neutral mark as an SVG document; mark: 1-2 letters, `phone` or `card`; fill: which of FILLS."""
    size = 17 if len(mark) > 1 else 20
    inside = GLYPHS.get(mark) or (
        f'<text x="20" y="{20 + round(size * 0.36)}" fill="#fff" font-family="system-ui, sans-serif" '
        f'font-size="{size}" font-weight="600" text-anchor="middle">{escape(mark)}</text>'
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40" width="40" height="40">'
        f'<rect width="40" height="40" rx="8" fill="{FILLS[fill % len(FILLS)]}"/>{inside}</svg>'
    )


def load_logos(folder: Path | None, rows: Collection[str]) -> dict[str, Picture]:
    """The logos by row id; rows: ids that may have one. Raises ConfigurationError with every file it refuses."""
    if folder is None:
        return {}
    if not folder.is_dir():
        raise ConfigurationError(folder, [Problem((), "is not a folder", mend="make it, or remove brand.logo_dir")])
    logos: dict[str, Picture] = {}
    problems: list[Problem] = []
    for file in sorted(path for path in folder.iterdir() if not path.name.startswith(".")):
        found = _name_refused(file, rows, logos) or read_picture(file)
        if isinstance(found, Problem):
            problems.append(replace(found, key=(file.name,)))
        else:
            logos[file.stem] = found
    if problems:
        raise ConfigurationError(folder, problems)
    return logos


def _name_refused(file: Path, rows: Collection[str], logos: Collection[str]) -> Problem | None:
    if file.suffix not in TYPES or not file.is_file():
        return Problem((), "is no logo", allowed="<provider id>.svg, <provider id>.png")
    if file.stem not in rows:
        return Problem((), "is named after no row of the chooser", allowed=", ".join(sorted(rows)))
    if file.stem in logos:
        return Problem((), "is the second logo of its row", mend="keep one of .png and .svg")
    return None
