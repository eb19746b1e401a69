"""Terms of use: versioned Markdown, `<dir>/<version>/<fi|sv|en>.md`, read once when the process starts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from markdown_it import MarkdownIt
from markupsafe import Markup

from registration import i18n
from registration.settings_report import ConfigurationError, Problem


class Terms:
    """The terms of use in force, and all earlier ones that are still in the folder. version: the one in force."""

    def __init__(self, folder: Path, version: str) -> None:
        self.version = version
        self._texts = _read(folder, version)

    def html(self, locale: str, version: str | None = None) -> Markup | None:
        """The text in a language as HTML; version: the one in force unless given; None if there is no such version."""
        texts = self._texts.get(version or self.version)
        return texts[locale] if texts else None


def _read(folder: Path, version: str) -> Mapping[str, Mapping[str, Markup]]:
    """Raises ConfigurationError if the version in force is not whole; raw HTML in the Markdown is shown as text."""
    markdown = MarkdownIt("commonmark", {"html": False})
    texts: dict[str, dict[str, Markup]] = {}
    for place in sorted(path for path in folder.glob("*") if path.is_dir()):
        files = {locale: place / f"{locale}.md" for locale in i18n.LOCALES}
        if all(file.is_file() for file in files.values()):
            texts[place.name] = {
                locale: Markup(markdown.render(file.read_text(encoding="utf-8")))  # noqa: S704 - raw HTML is off
                for locale, file in files.items()
            }
    if version not in texts:
        mend = f"write {', '.join(f'{version}/{locale}.md' for locale in i18n.LOCALES)} in {folder}"
        problem = Problem(("terms", "version"), "has no text in every language", f'"{version}"', mend=mend)
        raise ConfigurationError("terms of use", [problem])
    return texts
