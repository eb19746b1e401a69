"""The tables of the configuration file, as frozen models. What holds between tables is in `checks`."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from kit.settings import service
from kit.settings.report import refusal
from kit.settings.types import (
    AtLeastOne,
    FolderSettings,
    Line,
    NoneTwice,
    Origin,
    Port,
    RotationDays,
    Seconds,
    Section,
    Url,
)


class ServerSettings(service.ServerSettings):
    """See there."""

    port: Port = 8005
    operations_port: Port = 9005


class KeysSettings(FolderSettings):
    """The folder of keys. rotate_every: days, by purpose, for `tunnus-customer-service keys rotate --due`."""

    rotate_every: dict[Annotated[str, StringConstraints(pattern="^(client|sealing|cookie)$")], RotationDays] = Field(
        default_factory=dict
    )


Groups = Annotated[tuple[Line, ...], NoneTwice]


class RolesSettings(Section):
    """Which groups of the employer's provider have which role; who is in none of them may do nothing here."""

    agent: Groups = ()
    supervisor: Groups = ()
    auditor: Groups = ()

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if not (self.agent or self.supervisor or self.auditor):
            raise refusal("gives nobody a role", mend='name a group: agent = ["customer-service"]')
        return self


class SignInSettings(Section):
    """The employer's OpenID Provider. groups_claim: its claim with a person's groups; a dot leads into an object.

    back_url: the issuer as this service itself reaches it, if that is not where browsers do. auth_method,
    client_secret: how we prove ourselves; by our key unless told otherwise. max_age: seconds after which the provider
    has to ask a person anew, whatever session they have there. longest, idle: seconds of a session here, in all and
    without a request.
    """

    issuer: Url
    back_url: Url | None = None
    client_id: Line = "customer-service"
    auth_method: Literal["private_key_jwt", "client_secret_basic", "client_secret_post"] = "private_key_jwt"
    client_secret: Line | None = Field(default=None, repr=False)
    scopes: Annotated[tuple[Line, ...], AtLeastOne, NoneTwice] = ("openid", "profile", "email")
    id_token_algs: Annotated[tuple[Literal["RS256", "PS256", "ES256", "EdDSA"], ...], AtLeastOne, NoneTwice] = (
        "RS256",
        "PS256",
        "ES256",
    )
    groups_claim: Line = "groups"
    roles: RolesSettings
    max_age: Annotated[int, Field(ge=0, le=86_400)] | None = None
    timeout: Seconds = 10
    longest: Annotated[int, Field(ge=300, le=28_800)] = 28_800
    idle: Annotated[int, Field(ge=60, le=3600)] = 1800

    @model_validator(mode="after")
    def _secret_for_its_method(self) -> Self:
        if (self.auth_method == "private_key_jwt") != (self.client_secret is None):
            allowed = "client_secret with client_secret_basic or client_secret_post; none with private_key_jwt"
            raise refusal("has a secret that is not used, or needs one", allowed=allowed, mend="set auth_method")
        if "openid" not in self.scopes:
            raise refusal("asks for no ID token", allowed="scopes with openid", mend='add "openid" to scopes')
        return self


class RegistrationSettings(Section):
    """Registration's staff API. url: its own address. back_url: where we reach it, if that is elsewhere."""

    url: Origin
    back_url: Origin | None = None
    client_id: Line = "customer-service"
    timeout: Seconds = 10


class BrokerSettings(Section):
    """The brokers' operations ports, for error codes of theirs; without one only registration's codes are looked up.

    Brokers with an audit folder in common are one; each that has a folder of its own is asked.
    """

    operations_urls: Annotated[tuple[Origin, ...], NoneTwice] = ()
    timeout: Seconds = 3


class Settings(service.FormServiceSettings):
    """The whole file."""

    server: ServerSettings = ServerSettings()
    keys: KeysSettings
    sign_in: SignInSettings
    registration: RegistrationSettings
    broker: BrokerSettings = BrokerSettings()
