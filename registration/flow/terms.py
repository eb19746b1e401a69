"""Terms of use: versioned Markdown, `<dir>/<version>/<language>.md`, read once when the process starts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from markupsafe import Markup

from kit.pages.languages import LOCALES
from kit.pages.prose import read_prose
from kit.settings.report import ConfigurationError, Problem


class Terms:
    """The terms of use in force, and all earlier ones that are still in the folder.

    version: the one in force. languages: that a text is read in, if it is there.
    """

    def __init__(self, folder: Path, version: str, languages: Iterable[str] = LOCALES) -> None:
        self.version = version
        self._texts = _read(folder, version, tuple(languages))

    def html(self, locale: str, version: str | None = None) -> Markup | None:
        """The text in a language as HTML, in English where there is none; None if there is no such version.

        version: the one in force unless given.
        """
        texts = self._texts.get(version or self.version)
        if texts is None:
            return None
        return texts[locale] if locale in texts else Markup('<div lang="en">\n{}</div>\n').format(texts["en"])


def _read(folder: Path, version: str, languages: tuple[str, ...]) -> Mapping[str, Mapping[str, Markup]]:
    """Raises ConfigurationError if the version in force is not whole, or a file cannot be used."""
    texts: dict[str, dict[str, Markup]] = {}
    for place in sorted(path for path in folder.glob("*") if path.is_dir()):
        files = {locale: place / f"{locale}.md" for locale in languages}
        if all(files[locale].is_file() for locale in LOCALES):
            texts[place.name] = {locale: read_prose(file) for locale, file in files.items() if file.is_file()}
    if version not in texts:
        mend = f"write {', '.join(f'{version}/{locale}.md' for locale in LOCALES)} in {folder}"
        problem = Problem(("terms", "version"), "has no text in every language", f'"{version}"', mend=mend)
        raise ConfigurationError("terms of use", [problem])
    return texts
