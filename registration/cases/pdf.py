"""Letters on paper: A4, a page each. The address stands 20 mm from the left and 50 mm from the top, for a window."""

from __future__ import annotations

import html
import io
from collections.abc import Iterable
from pathlib import Path

from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph

from registration.cases.letters import FontLacks, Letter

FONT, SIZE, LINE = "letter", 11, 15
LEFT, ADDRESS, TEXT, WIDTH = 20 * mm, A4[1] - 50 * mm, A4[1] - 100 * mm, A4[0] - 45 * mm


def draw(letters: Iterable[tuple[Letter, str]], font: Path | None) -> bytes:
    """A PDF. letters: each with its text, of paragraphs that are escaped for XML. font: Bitstream Vera unless given.

    Raises FontLacks.
    """
    face = TTFont(FONT, str(font or "Vera.ttf"))
    pdfmetrics.registerFont(face)
    plain = ParagraphStyle("plain", fontName=FONT, fontSize=SIZE, leading=LINE, spaceAfter=9)
    large = ParagraphStyle("large", plain, fontSize=20, leading=30)
    made = io.BytesIO()
    canvas = Canvas(made, A4)
    for letter, text in letters:
        address = [letter.company_name, *letter.postal_address.split(", ")]
        written = html.unescape(text) + "".join(address)
        if lacking := {c for c in written if ord(c) not in face.face.charToGlyph} - {"\n"}:
            raise FontLacks(" ".join(sorted(lacking)))
        canvas.setFont(FONT, SIZE)
        for number, line in enumerate(address):
            canvas.drawString(LEFT, ADDRESS - number * LINE, line)
        top = TEXT
        for paragraph in text.strip().split("\n\n"):
            style = large if paragraph == letter.code else plain
            drawn = Paragraph(paragraph.replace("\n", "<br/>"), style)
            top -= drawn.wrap(WIDTH, TEXT)[1]
            drawn.drawOn(canvas, LEFT, top)
            top -= style.spaceAfter
        canvas.showPage()
    canvas.save()
    return made.getvalue()
