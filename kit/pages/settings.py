"""The tables of the configuration that say how pages look and which languages they speak."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Self

from babel import Locale, UnknownLocaleError
from pydantic import AfterValidator, BaseModel, Field, StringConstraints, model_validator

from kit.pages.brand import LEAST, least_contrast
from kit.pages.languages import LOCALES
from kit.settings.report import KeyPath, Problem, refusal
from kit.settings.types import ExistingFile, FolderOrFile, Section, Texts, Url

Email = Annotated[str, StringConstraints(pattern=r"^[^@\s<>\"]+@[^@\s<>\"]+$")]


def _readable(scheme: str) -> Callable[[str], str]:
    def check(value: str) -> str:
        ratio, ground = least_contrast(value.lower(), scheme)
        if ratio < LEAST:
            found = int(ratio * 100) / 100  # never rounded up to what is enough
            raise refusal(
                f"has a contrast of {found:.2f} : 1 with {ground}",
                allowed=f"{LEAST} : 1 or more, so that people can read it (WCAG 2.2, 1.4.3)",
                mend="choose a darker colour" if scheme == "light" else "choose a lighter colour",
            )
        return value.lower()

    return check


Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9A-Fa-f]{6}$")]


class Colours(Section):
    """The operator's colour, `#rrggbb`: accent on light pages, accent_dark on dark ones."""

    accent: Annotated[Colour, AfterValidator(_readable("light"))]
    accent_dark: Annotated[Colour, AfterValidator(_readable("dark"))]


class Link(Section):
    """A link with its name in every language."""

    name: Texts
    uri: Url


class CustomerService(Section):
    """How people reach the company."""

    phone: Annotated[str, Field(min_length=1, max_length=200)]
    email: Email


class LookSettings(Section):
    """What people see of the company on every page.

    default_locale: the language of who asks for none of ours. logo: SVG or PNG, shown in place of the name. links:
    at the foot of each page. accessibility: a folder with the accessibility statement, `<language>.md`.
    """

    name: Texts
    customer_service: CustomerService
    default_locale: str = "fi"
    logo: ExistingFile | None = None
    colours: Colours | None = None
    links: tuple[Link, ...] = ()
    accessibility: FolderOrFile | None = None


def _code(value: str) -> str:
    if value in LOCALES:
        raise refusal("is a language that is there already", mend="remove it")
    try:
        Locale.parse(value)
    except (UnknownLocaleError, ValueError):
        raise refusal("is no language whose dates are known", allowed="an ISO 639 code such as de or et") from None
    return value


LanguageCode = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$"), AfterValidator(_code)]


class TextsSettings(Section):
    """Texts of the operator's own: `<dir>/<language>.po`. languages: further ones, each with its own name."""

    dir: FolderOrFile | None = None
    languages: dict[LanguageCode, Annotated[str, Field(min_length=1, max_length=40)]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _texts_of_languages(self) -> Self:
        if self.languages and self.dir is None:
            raise refusal("has languages and no dir", mend="name the folder that holds <language>.po")
        return self


def foreign_words(part: Any, languages: TextsSettings, key: KeyPath = ()) -> Iterator[Problem]:
    """Words in a language that the pages do not have, in a table and all tables in it."""
    if isinstance(part, Texts):
        for code in sorted(set(part.as_dict()) - {*LOCALES, *languages.languages}):
            yield Problem((*key, code), "is no language of the pages", mend="mend it, or name it in texts.languages")
    elif isinstance(part, BaseModel):
        for name in type(part).model_fields:
            yield from foreign_words(getattr(part, name), languages, (*key, name))
    elif isinstance(part, Mapping):
        for name, value in part.items():
            yield from foreign_words(value, languages, (*key, name))
    elif isinstance(part, tuple):
        for number, value in enumerate(part):
            yield from foreign_words(value, languages, (*key, number))


def languages_exist(settings: Any) -> Iterator[Problem]:
    """Words of the settings in a language that the pages do not have; the default language, if they do not have it."""
    default, known = settings.brand.default_locale, [*LOCALES, *settings.texts.languages]
    if default not in known:
        key = ("brand", "default_locale")
        yield Problem(key, "is none of the allowed values", f'"{default}"', ", ".join(known))
    yield from foreign_words(settings, settings.texts)
