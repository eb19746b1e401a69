"""How the pages look and what they say, as the configuration has it: read and checked once, at start."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from babel import Locale
from markupsafe import Markup

from kit.pages.assets import Asset, picture_asset, read_assets, text_asset, urls_of
from kit.pages.brand import theme_css
from kit.pages.languages import LOCALES, Languages
from kit.pages.pictures import read_picture
from kit.pages.prose import read_prose
from kit.pages.settings import LookSettings, TextsSettings
from kit.pages.texts import SHARED, TextsOfPages, read_texts
from kit.settings.report import ConfigurationError, Problem

ACCESSIBILITY_PATH = "/accessibility"
_TELEPHONE = re.compile(r"\+?(?:[0-9]|\([0-9]{1,4}\)(?= ?[0-9])|[ \u00a0.-](?=[0-9(]))+")


@dataclass(frozen=True)
class Statement:
    """A text in the language that was found."""

    html: Markup
    lang: str


@dataclass(frozen=True)
class Look:
    """What every page is made with. urls: of the static files by their own names.

    accessibility: the statement by language, empty if there is none.
    """

    brand: LookSettings
    languages: Languages
    texts: TextsOfPages
    assets: Mapping[str, Asset]
    urls: Mapping[str, str]
    accessibility: Mapping[str, Markup]

    def for_base(self, locale: str) -> dict[str, Any]:
        """The values of base.html in a language, but for those that differ from page to page."""
        service = self.brand.customer_service
        return {
            "locale": locale,
            "right_to_left": Locale.parse(locale).text_direction == "rtl",
            "brand": self.brand.name.get(locale),
            "phone": service.phone,
            "telephone": telephone(service.phone),
            "email": service.email,
            "logo": next((url for name, url in self.urls.items() if name.startswith("brand.")), None),
            "theme": self.urls.get("theme.css"),
            "script": None,
            "footer_links": [(link.name.get(locale), link.uri) for link in self.brand.links],
            "accessibility": ACCESSIBILITY_PATH if self.accessibility else None,
        }

    def statement(self, locale: str) -> Statement | None:
        """The accessibility statement in a language; in English where it has none."""
        lang = locale if locale in self.accessibility else "en"
        return Statement(self.accessibility[lang], lang) if self.accessibility else None


def telephone(text: str) -> tuple[str, str, str]:
    """A number as it is written, what stands after it, such as opening hours, and as it is dialled; empty for none.

    The zero of `+358 (0)9` is not dialled (ITU-T E.123 §7.4).
    """
    found = _TELEPHONE.match(text)
    written = found[0].rstrip() if found else ""
    dialled = re.sub("[^+0-9]", "", written.replace("(0)", "") if written.startswith("+") else written)
    return written, text.removeprefix(written), dialled


def read_look(pages: Path, brand: LookSettings, texts: TextsSettings) -> Look:
    """Read the static files and what the operator gave. pages: the folder of a service's pages.

    Raises ConfigurationError, or OSError for files of ours.
    """
    more = []
    if brand.logo is not None:
        found = read_picture(brand.logo)
        if isinstance(found, Problem):
            problem = Problem(("brand", "logo"), found.wrong, f'"{brand.logo}"', found.allowed, found.mend)
            raise ConfigurationError(brand.logo, [problem])
        more.append(picture_asset("brand", found))
    if brand.colours is not None:
        more.append(text_asset("theme.css", theme_css(brand.colours.accent, brand.colours.accent_dark)))
    assets = read_assets((SHARED / "static", pages / "static"), more)
    languages = Languages.of_service(texts.languages, brand.default_locale)
    statement = _statement(brand.accessibility, languages) if brand.accessibility else {}
    return Look(brand, languages, read_texts(texts, pages), assets, urls_of(assets), statement)


def look_readers(pages: Path, brand: LookSettings, texts: TextsSettings) -> tuple[Callable[[], Look], ...]:
    """Each reads one thing that the operator gave, and raises as `read_look` does: for one report of all of them."""
    none = {"logo": None, "colours": None, "accessibility": None}
    parts = [(none | {name: getattr(brand, name)}, TextsSettings()) for name in none]
    return tuple(
        partial(read_look, pages, brand.model_copy(update=update), own) for update, own in [*parts, (none, texts)]
    )


def _statement(folder: Path, languages: Languages) -> Mapping[str, Markup]:
    files = {code: folder / f"{code}.md" for code in languages.codes}
    lacking = [f"{code}.md" for code in LOCALES if not files[code].is_file()]
    if lacking:
        mend = f"write {', '.join(lacking)} in {folder}, or remove brand.accessibility"
        problem = Problem(("brand", "accessibility"), "has no statement in every language", f'"{folder}"', mend=mend)
        raise ConfigurationError(folder, [problem])
    return {code: read_prose(file) for code, file in files.items() if file.is_file()}
