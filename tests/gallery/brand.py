"""A brand with everything that an operator can set: a logo, colours, links at the foot, an accessibility statement."""

from __future__ import annotations

from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
NAMES = {"fi": "Esimerkkienergia", "sv": "Exempelenergi", "en": "Example Energy"}
LINKS = [
    {
        "name": {"fi": "Tietosuojaseloste", "sv": "Dataskyddsbeskrivning", "en": "Privacy notice"},
        "uri": "https://www.energy.example/privacy",
    },
    {
        "name": {"fi": "Käyttöehdot ja sopimukset", "sv": "Villkor och avtal", "en": "Terms and contracts"},
        "uri": "https://www.energy.example/terms",
    },
]
LOGO = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="8 0 164 40" width="164" height="40">
<style>path { fill: #6a2a00 } @media (prefers-color-scheme: dark) { path { fill: #ffc9a3 } }</style>
<path d="M8 4h24v8H16v4h12v8H16v4h16v8H8zM44 12h128v4H44zM44 24h96v4H44z"/></svg>"""


def whole_brand(folder: Path) -> dict[str, Any]:
    """What stands in `[brand]` beside name and customer service. folder: for the logo."""
    logo = folder / "logo.svg"
    logo.write_text(LOGO, encoding="utf-8")
    return {
        "logo": str(logo),
        "colours": {"accent": "#6a2a00", "accent_dark": "#ffc9a3"},
        "links": LINKS,
        "accessibility": str(ROOT / "config" / "accessibility"),
    }
