"""Pictures that the operator gives, SVG or PNG: looked through once, at start.

What could run a script or reach outside itself is refused then, and what is too large for a page.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from kit.settings.report import Problem

MOST_BYTES = 64 * 1024
PICTURE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
"""The Content-Security-Policy of a picture, for whoever opens it by itself."""
TYPES = {".svg": "image/svg+xml", ".png": "image/png"}

_SVG = "{http://www.w3.org/2000/svg}"
_REFUSED_ELEMENTS = {
    "script", "foreignobject", "iframe", "object", "embed", "audio", "video", "handler", "listener",
    "set", "animate", "animatemotion", "animatetransform",
}  # fmt: skip
_OUTSIDE_CSS = re.compile(r"@import|url\(\s*['\"]?(?!#)|expression\(|\\", re.IGNORECASE)
_PICTURE = re.compile(r"data:image/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]*\Z")


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that was looked through. file: its name."""

    file: str
    content_type: str
    content: bytes = field(repr=False)

    @property
    def digest(self) -> str:
        """Changes when the picture does."""
        return hashlib.sha256(self.content).hexdigest()[:12]


def read_picture(file: Path) -> Picture | Problem:
    """A picture, or why it may not be served (without its key: the caller knows where it is named)."""
    if file.suffix not in TYPES:
        return Problem((), "is no picture that we show", allowed=".svg, .png")
    try:
        if file.stat().st_size > MOST_BYTES:
            return Problem((), "is too large", allowed="at most 64 KiB")
        content = file.read_bytes()
    except OSError:
        return Problem((), "names a file that cannot be read", mend="make the file, or mend the path")
    wrong = _content_refused(content, file.suffix)
    return wrong or Picture(file.name, TYPES[file.suffix], content)


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
