"""The kinds of value that settings are made of: paths, URLs, numbers, words in three languages."""

from __future__ import annotations

import ipaddress
import re
import ssl
from collections.abc import Hashable
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator, StringConstraints, ValidationInfo

from kit.settings.report import refusal, shown


class Section(BaseModel):
    """A table of the file: frozen, and an unknown key is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True, hide_input_in_errors=True)


Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
Line = Annotated[str, Field(min_length=1, max_length=200)]
Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(ge=0.1, le=60)]
Words = Line


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


def _none_twice(value: tuple[Hashable, ...]) -> tuple[Hashable, ...]:
    if twice := next((entry for number, entry in enumerate(value) if entry in value[:number]), None):
        raise refusal(f"names {shown((), twice) or 'one'} twice", mend="remove one of the two")
    return value


NoneTwice = AfterValidator(_none_twice)
"""For lists whose entries are names."""


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


def holds_certificates(file: Path) -> bool:
    """Whether TLS can trust what stands in a file: one certificate at least, in PEM, and nothing that is broken."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cafile=file)
    except OSError:
        return False
    return context.cert_store_stats()["x509"] > 0


def is_certificate_of(certificate: Path, key: Path | None) -> bool:
    """Whether TLS can show a certificate by its private key. key: None if one file holds both."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(certificate, key, password=lambda: "")
    except (OSError, ValueError):
        return False
    return True


def _certificates(value: Path) -> Path:
    if not holds_certificates(value):
        mend = f"write certificates in PEM there; of one in DER: openssl x509 -inform DER -in {value.name}"
        raise refusal("names a file that holds no certificate in PEM, or cannot be read", mend=mend)
    return value


CertificatesFile = Annotated[ExistingFile, AfterValidator(_certificates)]
"""Certificates that those of others must come from."""


def _url(value: str) -> str:
    try:
        parts = urlsplit(value)
        # As it is written: whoever asks later whether it is https looks at the text.
        usable = value.startswith(("http://", "https://")) and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    # Nothing else in the host: browsers decode `%6c`, and read what is not ASCII as something else.
    if not usable or re.search(r"[\s\"<>\\]", value) or not re.fullmatch(r"[\w.\-:\[\]]+", parts.netloc, re.ASCII):
        raise refusal("is not a URL", allowed="https://host/path (http:// on this machine only)")
    if not value.isascii():
        raise refusal("is not a URL", allowed="ASCII: other characters percent-encoded, of a host as xn--…")
    if "#" in value:
        raise refusal("has a fragment", mend="remove # and what follows it")
    return value


Url = Annotated[str, AfterValidator(_url)]


def _https(value: str) -> str:
    if not value.startswith("https:"):
        raise refusal("is not https", allowed="https://host/path", mend="use https")
    return value


HttpsUrl = Annotated[Url, AfterValidator(_https)]
"""Where a connection of ours goes that nothing but TLS protects."""


def _origin(value: str) -> str:
    parts = urlsplit(_url(value))
    if parts.path or parts.query:
        raise refusal("is more than scheme, host and port", mend="remove the path, the query and a trailing slash")
    return value


Origin = Annotated[str, AfterValidator(_origin)]


def _network(value: Any) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(value)
    except ValueError as error:
        allowed = "10.0.0.1, 10.0.0.0/24, 2001:db8::7, 2001:db8::/64"
        raise refusal("is neither an address nor a network", allowed=allowed) from error


Network = Annotated[ipaddress.IPv4Network | ipaddress.IPv6Network, PlainValidator(_network)]
"""An address, or a network with nothing set beyond its prefix."""


class FolderSettings(Section):
    """A folder."""

    dir: FolderOrFile


RotationDays = Annotated[int, Field(ge=7, le=3650)]
"""Days from one key to the next: more than the warm-up and the tail of any."""


class LogSettings(Section):
    """How much is logged."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"


def _secret_hash(value: str) -> str:
    if not re.fullmatch(r"sha256:[0-9a-f]{64}", value):
        raise refusal(
            "has characters or a form that is not allowed for the hash of a secret",
            allowed="sha256: and 64 hexadecimal digits",
            mend="put its hash here, never the secret itself: tunnus client-secret makes both",
        )
    return value


SecretHash = Annotated[str, AfterValidator(_secret_hash)]
"""A client's secret as `kit.client_authentication.secret.hash_secret` makes it."""
