"""Longer texts of the operator, in Markdown: the terms of use, the accessibility statement."""

from __future__ import annotations

from pathlib import Path

from markdown_it import MarkdownIt
from markupsafe import Markup

from kit.settings.report import ConfigurationError, Problem


def read_prose(file: Path) -> Markup:
    """A file's text as HTML; HTML in it is shown as text. Raises ConfigurationError if it cannot be read.

    Its headings begin at the second level: the page has its own of the first.
    """
    markdown = MarkdownIt("commonmark", {"html": False})
    tokens = markdown.parse(_text(file))
    headings = [token for token in tokens if token.type in {"heading_open", "heading_close"}]
    if any(token.tag == "h1" for token in headings):
        for token in headings:
            token.tag = f"h{min(int(token.tag[1]) + 1, 6)}"
    return Markup(markdown.renderer.render(tokens, markdown.options, {}))  # noqa: S704 - HTML in it is off


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        problem = Problem((file.name,), "is not UTF-8", mend="save it as UTF-8")
    except OSError as error:
        problem = Problem((file.name,), f"cannot be read: {error.strerror}", mend="mend who may read it")
    raise ConfigurationError(file, [problem])
