"""The kinds of value that settings are made of: paths, URLs, words in three languages."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo

from kit.settings.report import refusal


class Section(BaseModel):
    """A table of the file: frozen, and an unknown key is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True, hide_input_in_errors=True)


Words = Annotated[str, Field(min_length=1, max_length=200)]


class Texts(Section):
    """Words for people, in our three languages, and in further ones that the configuration names."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Words]

    fi: Words
    sv: Words
    en: Words

    def get(self, locale: str) -> str:
        """The words in a language; in English where there are none."""
        return self.as_dict().get(locale, self.en)

    def as_dict(self) -> dict[str, str]:
        """The words by language."""
        return {"fi": self.fi, "sv": self.sv, "en": self.en} | (self.__pydantic_extra__ or {})


def _at_least_one(value: tuple[Any, ...]) -> tuple[Any, ...]:
    if not value:
        raise refusal("has too few entries", mend="add at least one")
    return value


AtLeastOne = AfterValidator(_at_least_one)
"""For lists. Pydantic's own bound also complains of a list whose entries are what is wrong."""


def resolve(value: Path, info: ValidationInfo) -> Path:
    """A path of the configuration; a relative one counts from its file."""
    base = (info.context or {}).get("base")
    return Path(base, value) if base else value


FolderOrFile = Annotated[Path, AfterValidator(resolve)]
"""A path; a relative one counts from the configuration file."""


def _existing(value: Path) -> Path:
    if not value.is_file():
        raise refusal("names a file that is not there", mend="make the file, or mend the path")
    return value


ExistingFile = Annotated[Path, AfterValidator(resolve), AfterValidator(_existing)]


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _url(value: str) -> str:
    try:
        parts = urlsplit(value)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or re.search(r"[\s\"<>\\]", value) or not value.isascii() or "@" in parts.netloc:
        raise refusal("is not a URL", allowed="https://host/path (http:// on this machine only)")
    if "#" in value:
        raise refusal("has a fragment", mend="remove # and what follows it")
    return value


Url = Annotated[str, AfterValidator(_url)]


def _origin(value: str) -> str:
    parts = urlsplit(_url(value))
    if parts.path or parts.query:
        raise refusal("is more than scheme, host and port", mend="remove the path, the query and a trailing slash")
    return value


Origin = Annotated[str, AfterValidator(_origin)]
