"""The page of all pictures: a row for each state and language; it loads nothing but the files beside it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from urllib.parse import quote

from tests.gallery.state import State

KINDS = ("phone.light", "phone.dark", "desktop.light", "desktop.dark", "paper.print")
HEAD = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src file:; style-src 'unsafe-inline'">
<title>Every page in every state</title>
<style>
:root { color-scheme: light dark; }
body { margin: 1rem; font: 1rem/1.5 system-ui, sans-serif; }
nav ul { columns: 16rem; padding-left: 1.25rem; }
.row { display: flex; flex-wrap: wrap; gap: 0.75rem; align-items: flex-start; margin: 0 0 1.5rem; }
figure { margin: 0; }
figcaption { font-size: 0.8125rem; }
img { display: block; border: 1px solid #888; height: 18rem; width: auto; object-fit: cover; object-position: top; }
</style>
</head>
<body>
<h1>Every page in every state</h1>
"""


def write_index(out: Path, states: Sequence[State]) -> Path:
    """Write index.html for the pictures that stand in a folder; its path."""
    groups: dict[tuple[str, str], list[State]] = {}
    for state in states:
        if _pictures(out, state):
            groups.setdefault((state.service, state.group), []).append(state)
    links = "".join(f'<li><a href="#{_anchor(group)}">{escape(" / ".join(group))}</a></li>\n' for group in groups)
    body = "".join(_group(out, group, members) for group, members in groups.items())
    index = out / "index.html"
    index.write_text(f'{HEAD}<nav aria-label="Pages"><ul>\n{links}</ul></nav>\n{body}</body>\n</html>\n', "utf-8")
    return index


def _group(out: Path, group: tuple[str, str], states: Sequence[State]) -> str:
    rows = "".join(_row(out, state) for state in states)
    return f'<h2 id="{_anchor(group)}">{escape(" / ".join(group))}</h2>\n{rows}'


def _row(out: Path, state: State) -> str:
    figures = "".join(
        f'<figure><a href="{quote(name)}"><img src="{quote(name)}" alt="" loading="lazy"></a>'
        f"<figcaption>{locale}, {kind.replace('.', ', ')}</figcaption></figure>\n"
        for name, locale, kind in _pictures(out, state)
    )
    return f'<h3>{escape(state.name)}</h3>\n<div class="row">\n{figures}</div>\n' if figures else ""


def _pictures(out: Path, state: State) -> list[tuple[str, str, str]]:
    """File name, language and kind of each picture of a state."""
    named = [(f"{state.id}.{locale}.{kind}.png", locale, kind) for locale in state.locales for kind in KINDS]
    return [picture for picture in named if (out / picture[0]).is_file()]


def _anchor(group: tuple[str, str]) -> str:
    return quote("-".join(group).replace(" ", "-"))
