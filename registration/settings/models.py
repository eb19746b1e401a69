"""The tables of the configuration file, as frozen models. What holds between tables is in `checks`."""

from __future__ import annotations

from email.errors import MessageError
from email.headerregistry import Address
from typing import Annotated, Literal, Self

from email_validator import validate_email
from pydantic import AfterValidator, Field, StringConstraints, model_validator

from kit.audit.settings import CollectorSettings
from kit.client_authentication.assertion import signing_keys
from kit.keys.sets import KeySet
from kit.pages.settings import Email
from kit.settings import service
from kit.settings.assurance import Level
from kit.settings.hosts import PRIVATE_KINDS, Kind
from kit.settings.report import refusal
from kit.settings.types import (
    AtLeastOne,
    ExistingFile,
    FolderOrFile,
    FolderSettings,
    Id,
    Line,
    NoneTwice,
    Port,
    RotationDays,
    Seconds,
    SecretHash,
    Section,
    Url,
)
from registration.settings.database import DatabaseSettings
from registration.settings.rules import RulesSettings


class ServerSettings(service.ServerSettings):
    """See there."""

    port: Port = 8001
    operations_port: Port = 9001
    threads: service.Threads = 32


class ErasuresSettings(Section):
    """file: the list of who was erased, for after a restore; outside the database and where its copies are not."""

    file: FolderOrFile | None = None


class LinkSettings(Section):
    """Where people go from here. private_customers: who serves them. online_service: where representatives sign in."""

    private_customers: Url
    online_service: Url


class BrokerSettings(Section):
    """The OpenID Provider. token_endpoint, jwks_uri: where we reach it ourselves, if not where browsers do.

    accepted_acr: levels of assurance that are enough. timeout: seconds of one call.
    """

    issuer: Url
    client_id: Line = "registration"
    authorization_endpoint: Url | None = None
    token_endpoint: Url | None = None
    jwks_uri: Url | None = None
    accepted_acr: Annotated[tuple[Level, ...], AtLeastOne, NoneTwice]
    id_token_alg: Literal["ES256", "RS256"] = "ES256"
    timeout: Seconds = 10


class TermsSettings(Section):
    """The terms of use: `<dir>/<version>/<fi|sv|en>.md`. version: the one in force."""

    dir: FolderOrFile
    version: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9.\-]{0,63}$")]


class LettersSettings(Section):
    """dir: the folder that letters with activation codes are written to. font: a TrueType font for them.

    Without one it is Bitstream Vera, which has the letters of western Europe.
    """

    dir: FolderOrFile | None = None
    font: ExistingFile | None = None


class KeysSettings(FolderSettings):
    """The folder of keys. rotate_every: days, by purpose, for `tunnus-registration keys rotate --due`."""

    rotate_every: dict[
        Annotated[str, StringConstraints(pattern="^(client|sealing|cookie|audit-sig|event-sig)$")], RotationDays
    ] = Field(default_factory=dict)


class AuditSettings(Section):
    """Where the heads of the audit trail are kept."""

    collector: CollectorSettings | None = None


class PasswordSettings(Section):
    """Argon2id (RFC 9106): passes, KiB of memory, lanes. Where they grow, a password is hashed anew at sign-in."""

    time_cost: Annotated[int, Field(ge=1, le=20)] = 3
    memory_kib: Annotated[int, Field(ge=8, le=1_048_576)] = 65_536
    parallelism: Annotated[int, Field(ge=1, le=16)] = 4

    @model_validator(mode="after")
    def _memory_for_each_lane(self) -> Self:
        if self.memory_kib < 8 * self.parallelism:
            raise refusal("memory_kib is too little for so many lanes", allowed="8 KiB or more for each of parallelism")
        return self


class CustomerRegisterSettings(Section):
    """Who knows the customers. adapter: `table` in our database, or `http`. token: for its Authorization header.

    keypad: what phones show for a customer number; `numeric` where every number is of digits alone.
    """

    adapter: Literal["table", "http"] = "table"
    url: Url | None = None
    token: Line | None = Field(default=None, repr=False)
    timeout: Seconds = 3
    keypad: Literal["text", "numeric"] = "text"

    @model_validator(mode="after")
    def _url_for_http(self) -> Self:
        if (self.adapter == "http") != (self.url is not None):
            raise refusal("adapter http needs a url, and adapter table has none", mend="set url, or remove it")
        return self


class CompanyCheckSettings(Section):
    """Whether PRH's open data (YTJ v3) is asked before an account is made. url: of its v3 API, without path."""

    enabled: bool = False
    url: Url = "https://avoindata.prh.fi/opendata-ytj-api/v3"
    timeout: Seconds = 3


def _sender(text: str) -> str:
    """An address that every mail server takes as a sender's: its domain in ASCII (RFC 5891). Raises for any other."""
    before, _, domain = text.rpartition("@")
    try:
        if before.isascii():
            if not domain.isascii():
                domain = validate_email(f"x@{domain}", check_deliverability=False).ascii_domain
            return Address(addr_spec=f"{before}@{domain}").addr_spec
    except (MessageError, ValueError, IndexError):
        pass
    raise refusal("is no address that every mail server takes", allowed="name@example.fi, the name of ASCII letters")


class MailSettings(Section):
    """Where e-mail goes out. security: `starttls`, `tls`, or `none` on this machine or in the demo only."""

    host: Line
    port: Port = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: Line | None = None
    password: Line | None = Field(default=None, repr=False)
    sender: Annotated[Email, AfterValidator(_sender)]
    timeout: Seconds = 20


class ClientSettings(Section):
    """A service that may use the API. jwks: its public keys, secret_hash: `sha256:` of its secret; one of the two.

    roles: what it may do as, or for, customer service. acts_for_staff: it says by `act` for which member of staff.
    """

    jwks: KeySet | None = None
    secret_hash: SecretHash | None = None
    roles: Annotated[tuple[Literal["agent", "supervisor", "auditor"], ...], NoneTwice] = ()
    acts_for_staff: bool = False

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.jwks is None) == (self.secret_hash is None):
            raise refusal("needs exactly one way to authenticate", allowed="jwks, or secret_hash")
        if self.jwks is not None and not signing_keys(self.jwks):
            allowed = 'EC P-256 for ES256, RSA for RS256, "use": "sig"'
            raise refusal("has no key for signing", allowed=allowed, mend="add one to jwks")
        if self.roles and self.jwks is None:
            raise refusal("has roles, and a secret", allowed="jwks for a client with roles", mend="give it jwks")
        if self.acts_for_staff and not self.roles:
            raise refusal("acts for staff without a role", mend='give it roles = ["agent", "supervisor", "auditor"]')
        return self


class ApiSettings(Section):
    """The API. authorized_parties: clients of the broker whose identity tokens are taken (their `azp`)."""

    clients: dict[Id, ClientSettings] = Field(default_factory=dict)
    authorized_parties: Annotated[tuple[Id, ...], NoneTwice] = ()


class WebhookSettings(Section):
    """A system that is told of events. url: where they are pushed to. timeout: seconds of one call."""

    url: Url
    events: Annotated[tuple[Literal["registered", "joined", "ended"], ...], AtLeastOne, NoneTwice] = (
        "registered", "joined", "ended",
    )  # fmt: skip
    timeout: Seconds = 5


class Settings(service.FormServiceSettings):
    """The whole file. Only we call the broker, the customer register, the database and the mail server."""

    server: ServerSettings = ServerSettings()
    database: DatabaseSettings
    erasures: ErasuresSettings = ErasuresSettings()
    keys: KeysSettings
    links: LinkSettings
    broker: BrokerSettings
    terms: TermsSettings
    rules: RulesSettings = RulesSettings()
    letters: LettersSettings = LettersSettings()
    audit: AuditSettings = AuditSettings()
    passwords: PasswordSettings = PasswordSettings()
    customer_register: CustomerRegisterSettings = CustomerRegisterSettings()
    company_check: CompanyCheckSettings = CompanyCheckSettings()
    mail: MailSettings
    api: ApiSettings = ApiSettings()
    webhooks: dict[Id, WebhookSettings] = Field(default_factory=dict)

    @property
    def addresses_of_receivers(self) -> frozenset[Kind]:
        """The kinds of address at which a webhook may be; this machine's own in a test only."""
        own: frozenset[Kind] = PRIVATE_KINDS if self.private_network else frozenset()
        here: frozenset[Kind] = frozenset({"this machine"} if self.environment == "test" else ())
        return frozenset[Kind]({"public"}) | own | here
