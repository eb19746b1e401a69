"""The shared look for a small application that draws its pages with Flask's `render_template`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from flask import Flask, Response
from jinja2 import FileSystemLoader

from kit.pages.assets import create_blueprint, read_assets, urls_of
from kit.pages.texts import SHARED


def use_shared_look(app: Flask, pages: Path, not_found: Callable[[], Response]) -> None:
    """Give an application the shared templates and static files, and those in `templates` and `static` of pages.

    Its templates extend `page.html`. not_found: answers for a static file that there is not.
    """
    assets = read_assets((SHARED / "static", pages / "static"))
    app.jinja_env.loader = FileSystemLoader([pages / "templates", SHARED / "templates"])
    app.jinja_env.globals["asset"] = urls_of(assets).__getitem__
    app.register_blueprint(create_blueprint(assets, not_found))
