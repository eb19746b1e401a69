"""A connection to a bank or broker, and the providers that are reached through it, as frozen models."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, model_validator

from kit.keys.sets import KeySet
from kit.settings.report import refusal
from kit.settings.types import CertificatesFile, ExistingFile, Id, Section, Texts, Url
from providers.dialects import DIALECTS
from providers.engine.published import address_of

Printable = Annotated[str, StringConstraints(pattern=r"^[\x20-\x7e]{1,200}$")]


def _service_name(value: str) -> str:
    if not 1 <= len(value) <= 40 or not all(character.isalnum() or character == " " for character in value):
        raise refusal(
            "is no service name that every bank takes",
            allowed="1 to 40 characters: letters, digits and spaces",
            mend="use the name that was agreed with the bank or broker",
        )
    return value


ServiceName = Annotated[str, AfterValidator(_service_name)]


class ServiceNames(Texts):
    """The agreed service name that a bank shows, by language (OP Identity Service Broker API §7, §25)."""

    model_config = ConfigDict(extra="forbid")

    fi: ServiceName
    sv: ServiceName
    en: ServiceName


class ConnectionSettings(Section):
    """An OpenID Provider as the contract with it says. clock_skew: seconds.

    entity_id: where it differs from the issuer. entity_statement: a file, reviewed by hand and pinned.
    selects: `provider` if its providers are rows of the chooser, `none` if the OpenID Provider lets the
    person choose on its own page: then it is one row, named chooser_name.
    kid: `optional` if the bank, as one with a single key may, leaves it out of its tokens and its key set.
    notices: whether what it publishes of its state is read and shown. notices_uri: where that is, if not below the
    issuer.
    """

    dialect: Literal["ftn", "telia", "isb"]
    issuer: Url
    entity_id: Url | None = None
    authorization_endpoint: Url
    token_endpoint: Url
    client_id: Printable
    entity_statement: ExistingFile | None = None
    signed_jwks_uri: Url | None = None
    jwks: KeySet | None = None
    unsigned_jwks_uri: Url | None = None
    pkce: bool = False
    iss_parameter: bool = False
    kid: Literal["required", "optional"] = "required"
    service_name: ServiceNames | None = None
    ca_bundle: CertificatesFile | None = None
    proxy: Annotated[str, StringConstraints(pattern=r"^https?://[^\s/:?#]\S*$")] | None = None
    clock_skew: Annotated[int, Field(ge=0, le=300)] = 60
    selects: Literal["provider", "none"] = "provider"
    chooser_name: Texts | None = None
    allowed_identity_codes: tuple[Annotated[str, StringConstraints(pattern=r"^[0-9A-Z+\-]{11}$")], ...] = ()
    notices: bool = True
    notices_uri: Url | None = None

    @property
    def published_at(self) -> str | None:
        """Where its notices are read; None where it publishes none that we know of, or they are not wanted."""
        if not self.notices:
            return None
        return self.notices_uri or address_of(DIALECTS[self.dialect], self.issuer, self.client_id)

    @model_validator(mode="after")
    def _notices_are_read(self) -> Self:
        if self.notices_uri is not None and not self.notices:
            raise refusal("has notices_uri and notices = false", mend="remove one of them")
        if self.notices_uri is not None and DIALECTS[self.dialect].publishes is None:
            raise refusal(f"dialect {self.dialect} publishes no notices that can be read", mend="remove notices_uri")
        return self

    @model_validator(mode="after")
    def _one_source_of_keys(self) -> Self:
        signed = self.signed_jwks_uri is not None
        if signed != (self.entity_statement is not None):
            raise refusal("entity_statement and signed_jwks_uri go together", mend="give both, or neither")
        if [signed, self.jwks is not None, self.unsigned_jwks_uri is not None].count(True) != 1:
            raise refusal(
                "needs exactly one source of the bank's keys",
                allowed="entity_statement with signed_jwks_uri; jwks; unsigned_jwks_uri (test only)",
            )
        return self

    @model_validator(mode="after")
    def _row_of_its_own(self) -> Self:
        if self.selects == "none" and self.chooser_name is None:
            raise refusal('selects "none" and has no chooser_name', mend="name its row: chooser_name = { fi, sv, en }")
        if self.selects == "provider" and self.chooser_name is not None:
            raise refusal("chooser_name is never shown", mend='remove it, or set selects = "none"')
        return self


class ProviderSettings(Section):
    """Through which connection a provider is reached. selector: the value that names it there."""

    connection: Id | None = None
    selector: Printable | None = None
    status: Literal["open", "closed", "hidden"] = "open"
    successor: Id | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.status != "closed" and self.connection is None:
            raise refusal("has no connection", mend='name its connection, or set status = "closed"')
        if self.status != "closed" and self.successor is not None:
            raise refusal("has a successor and is not closed", mend='set status = "closed", or remove successor')
        if self.connection is None and self.selector is not None:
            raise refusal("has a selector and no connection", mend="name the connection, or remove selector")
        return self
