"""The kinds of value that settings are made of: paths, URLs, words in three languages, key sets."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from joserfc.errors import JoseError
from joserfc.jwk import import_key
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo

from .settings_report import refusal

_MOST_BYTES = 256 * 1024
_PRIVATE_MEMBERS = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}
_LEAST_RSA_BYTES = 256


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


def _resolve(value: Path, info: ValidationInfo) -> Path:
    base = (info.context or {}).get("base")
    return Path(base, value) if base else value


FolderOrFile = Annotated[Path, AfterValidator(_resolve)]
"""A path; a relative one counts from the configuration file."""


def _existing(value: Path) -> Path:
    if not value.is_file():
        raise refusal("names a file that is not there", mend="make the file, or mend the path")
    return value


ExistingFile = Annotated[Path, AfterValidator(_resolve), AfterValidator(_existing)]


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


def _key_set(value: Any, info: ValidationInfo) -> Any:
    """Read a JWKS: a path, a table with `keys`, or the list of keys itself."""
    if isinstance(value, str | Path):
        path = _resolve(Path(value), info)
        try:
            if path.stat().st_size > _MOST_BYTES:
                raise refusal("names a file that is too large for a JWKS", allowed="at most 256 KiB")
            value = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise refusal("names a file that cannot be read", mend="make the file, or mend the path") from error
        except ValueError as error:
            raise refusal("names a file that is not JSON", mend='write a JWKS: {"keys": [ … ]}') from error
    if isinstance(value, Mapping):
        value = value.get("keys")
    if not isinstance(value, list | tuple) or not value:
        raise refusal("is no JWKS", allowed='a file, or a table, with {"keys": [ … ]} and at least one key')
    keys = tuple(_public_key(key) for key in value)
    if len({key["kid"] for key in keys}) < len(keys):
        raise refusal("has two keys of one kid", mend='give each key its own "kid"')
    return keys


def _public_key(key: Any) -> dict[str, Any]:
    if not isinstance(key, Mapping) or not isinstance(key.get("kid"), str):
        raise refusal("has a key without kid", mend='give each key its own "kid"')
    if _PRIVATE_MEMBERS & set(key):
        raise refusal("holds a private or secret key", mend="put only public keys here, and replace the key it shows")
    if key.get("kty") == "RSA":
        if len(str(key.get("n", ""))) * 3 // 4 < _LEAST_RSA_BYTES or not key.get("e"):
            raise refusal("has an RSA key that is too short", allowed="2048 bits or more")
    elif key.get("kty") != "EC" or key.get("crv") != "P-256":
        raise refusal("has a key of a kind that is not used", allowed="RSA of 2048 bits or more, EC P-256")
    try:
        _ = import_key(dict(key)).public_key
    except (ValueError, TypeError, KeyError, JoseError) as error:
        raise refusal("has a key that cannot be read", mend="export the public key as a JWK again") from error
    return dict(key)


KeySet = Annotated[tuple[dict[str, Any], ...], BeforeValidator(_key_set)]
"""Public JWKs; written as a file's path, or in place."""
