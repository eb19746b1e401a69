"""The pictures beside the names: neutral marks of our own, and logos that the operator has leave to use.

Logos come from `brand.logo_dir`, files `<row id>.svg` or `<row id>.png`. They are read and looked through once, at
start; what could run a script or reach outside itself is refused then.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from xml.etree import ElementTree

from broker.settings_report import ConfigurationError, Problem

FILLS = ("#1d5c8f", "#0f6b5c", "#6a3f8f", "#8a4b12", "#9b2f4f", "#4b5a68")
"""White on each of them is 6.4:1 or better. The stylesheet's classes `fill-0` … say the same."""
MOST_BYTES = 64 * 1024

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

_SVG = "{http://www.w3.org/2000/svg}"
_REFUSED_ELEMENTS = {
    "script", "foreignobject", "iframe", "object", "embed", "audio", "video", "handler", "listener",
    "set", "animate", "animatemotion", "animatetransform",
}  # fmt: skip
_OUTSIDE_CSS = re.compile(r"@import|url\(\s*['\"]?(?!#)|expression\(|\\", re.IGNORECASE)
_PICTURE = re.compile(r"data:image/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]*\Z")


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


@dataclass(frozen=True, slots=True)
class Logo:
    """A logo that was looked through. file: its name in the URL. digest: of its content, for that URL."""

    file: str
    content_type: str
    content: bytes = field(repr=False)

    @property
    def digest(self) -> str:
        """Changes when the picture does."""
        return hashlib.sha256(self.content).hexdigest()[:12]


def load_logos(folder: Path | None, rows: Collection[str]) -> dict[str, Logo]:
    """The logos by row id; rows: ids that may have one. Raises ConfigurationError with every file it refuses."""
    if folder is None:
        return {}
    if not folder.is_dir():
        raise ConfigurationError(folder, [Problem((), "is not a folder", mend="make it, or remove brand.logo_dir")])
    logos: dict[str, Logo] = {}
    problems: list[Problem] = []
    for file in sorted(path for path in folder.iterdir() if not path.name.startswith(".")):
        wrong = _name_refused(file, rows, logos)
        content = b"" if wrong else file.read_bytes()
        wrong = wrong or _content_refused(content, file.suffix)
        if wrong:
            problems.append(wrong if wrong.key else Problem((file.name,), wrong.wrong, None, wrong.allowed, wrong.mend))
        else:
            kind = "image/svg+xml" if file.suffix == ".svg" else "image/png"
            logos[file.stem] = Logo(file.name, kind, content)
    if problems:
        raise ConfigurationError(folder, problems)
    return logos


def _name_refused(file: Path, rows: Collection[str], logos: Collection[str]) -> Problem | None:
    if file.suffix not in {".svg", ".png"} or not file.is_file():
        return Problem((), "is no logo", allowed="<provider id>.svg, <provider id>.png")
    if file.stem not in rows:
        return Problem((), "is named after no row of the chooser", allowed=", ".join(sorted(rows)))
    if file.stem in logos:
        return Problem((), "is the second logo of its row", mend="keep one of .png and .svg")
    if file.stat().st_size > MOST_BYTES:
        return Problem((), "is too large", allowed="at most 64 KiB")
    return None


def _content_refused(content: bytes, suffix: str) -> Problem | None:
    if suffix == ".png":
        return None if content.startswith(b"\x89PNG\r\n\x1a\n") else Problem((), "is not a PNG picture")
    wrong = svg_refused(content)
    return Problem((), wrong, mend="export it as a plain SVG, without scripts and links") if wrong else None


def svg_refused(content: bytes) -> str | None:
    """Why an SVG may not be served; None if it holds nothing that runs or reaches outside."""
    if b"<!" in content.replace(b"<!--", b"") or b"\x00" in content:
        return "has a document type, an entity or a CDATA section"
    if re.search(rb"<\?(?!xml\s)", content):
        return "has a processing instruction"
    try:
        root = ElementTree.fromstring(content)  # noqa: S314 - no document type, so no entities
    except ElementTree.ParseError:
        return "is not well-formed XML"
    if root.tag != f"{_SVG}svg":
        return "is not an SVG picture"
    return next((wrong for element in root.iter() if (wrong := _element_refused(element))), None)


def _element_refused(element: ElementTree.Element) -> str | None:
    name = str(element.tag).rpartition("}")[2].lower()
    if name in _REFUSED_ELEMENTS:
        return f"has a <{name}>"
    if name == "style" and _OUTSIDE_CSS.search("".join(element.itertext())):
        return "has a style that reaches outside"
    for key, value in element.attrib.items():
        attribute = key.rpartition("}")[2].lower()
        if attribute.startswith("on"):
            return f"has an {attribute} attribute"
        if attribute in {"href", "src"} and not value.startswith("#") and not _PICTURE.match(value):
            return "has a link"
        if _OUTSIDE_CSS.search(value):
            return f"has a {attribute} attribute that reaches outside"
    return None
