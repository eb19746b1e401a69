"""The operator's colours: whether they can be read on our grounds, and the stylesheet that sets them.

Only the accent is the operator's: links, buttons and the bar of a notice. Its shade under the pointer and the text on
it are derived. The grounds are the stylesheet's; a test compares them.
"""

from __future__ import annotations

from collections.abc import Mapping

LEAST = 4.5
"""The contrast that text needs (WCAG 2.2, success criterion 1.4.3)."""
GROUNDS: Mapping[str, Mapping[str, str]] = {
    "light": {
        "bg": "#ffffff",
        "surface": "#f3f6f8",
        "warn-tint": "#fff5dd",
        "ok-tint": "#edf7f1",
        "info-tint": "#e8f3f7",
    },
    "dark": {
        "bg": "#10171d",
        "surface": "#1a242c",
        "warn-tint": "#33270d",
        "ok-tint": "#12301f",
        "info-tint": "#12303b",
    },
}
"""What text in the accent colour stands on, by scheme."""
_HOVER = {"light": ("#000000", 0.25), "dark": ("#ffffff", 0.35)}
_ON_ACCENT = ("#ffffff", "#10171d")


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, `#rrggbb`, 1 to 21 (WCAG 2.2)."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def least_contrast(accent: str, scheme: str) -> tuple[float, str]:
    """The lowest contrast of an accent colour on a scheme's grounds, or of the text on it, and with which colour."""
    on_accent, hover = on_accent_of(accent), hover_of(accent, scheme)
    pairs = [(contrast(accent, ground), ground) for ground in GROUNDS[scheme].values()]
    pairs += [(contrast(on_accent, shade), on_accent) for shade in (accent, hover)]
    return min(pairs)


def on_accent_of(accent: str) -> str:
    """The text on a button of this colour: white or near black, whichever is read better."""
    return max(_ON_ACCENT, key=lambda text: contrast(text, accent))


def hover_of(accent: str, scheme: str) -> str:
    """The colour under the pointer: further from the ground."""
    towards, share = _HOVER[scheme]
    parts = zip(_parts(accent), _parts(towards), strict=True)
    return "#" + "".join(f"{round(ours + (theirs - ours) * share):02x}" for ours, theirs in parts)


def theme_css(accent: str, accent_dark: str) -> str:
    """The stylesheet that sets the operator's colours after ours."""
    return (
        f":root {{\n{_rules(accent, 'light')}}}\n\n"
        f"@media (prefers-color-scheme: dark) {{\n:root {{\n{_rules(accent_dark, 'dark')}}}\n}}\n"
    )


def _rules(accent: str, scheme: str) -> str:
    values = {"accent": accent, "accent-hover": hover_of(accent, scheme), "on-accent": on_accent_of(accent)}
    return "".join(f"  --{name}: {value};\n" for name, value in values.items())


def _parts(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[place : place + 2], 16) for place in (1, 3, 5))


def _luminance(colour: str) -> float:
    parts = (part / 255 for part in _parts(colour))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
