"""The tables of the configuration file, as frozen models. What holds between tables is in `checks`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, model_validator

from kit.keys.sets import KeySet
from kit.pages.settings import Link, LookSettings
from kit.settings.assurance import Level
from kit.settings.proxies import Proxies
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
    SecretHash,
    Section,
    Texts,
    Url,
)

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


class ServerSettings(Section):
    """The two ports. threads: requests at a time.

    outcome_wait: seconds from the claim of a callback until the waiting page says that it was interrupted.
    trusted_proxies: how many proxies in front of the first one add to X-Forwarded-For.
    """

    host: Line = "127.0.0.1"
    port: Port = 8000
    operations_host: Line = "127.0.0.1"
    operations_port: Port = 9000
    threads: Annotated[int, Field(ge=8, le=1024)] = 64
    outcome_wait: Annotated[int, Field(ge=1, le=120)] = 30
    trusted_proxies: Proxies = None


class LimitSettings(Section):
    """What one address may begin, and all together, in ten minutes; what is under way is never limited.

    open_per_address: authorization requests that nobody has acted on. starts_per_address, starts_in_all:
    authorization requests. repeats_per_browser, repeats_per_address, repeats_in_all: attempts beyond the third of a
    request. looks_per_address: looks of the waiting page, in a minute. An address is an IPv4 address or an IPv6 /64;
    a /48 may have four times as much.
    """

    open_per_address: Annotated[int, Field(ge=1, le=10_000_000)] = 300
    starts_per_address: Annotated[int, Field(ge=1, le=10_000_000)] = 1000
    starts_in_all: Annotated[int, Field(ge=1, le=10_000_000)] = 5000
    repeats_per_browser: Annotated[int, Field(ge=1, le=10_000_000)] = 40
    repeats_per_address: Annotated[int, Field(ge=1, le=10_000_000)] = 300
    repeats_in_all: Annotated[int, Field(ge=1, le=10_000_000)] = 2000
    looks_per_address: Annotated[int, Field(ge=1, le=10_000_000)] = 600


class BrandSettings(LookSettings):
    """What people see of the company.

    home_links: the services' home pages, for a person whose way back is lost. logo_dir: licensed bank logos,
    `<provider id>.svg` or `.png`.
    """

    home_links: Annotated[tuple[Link, ...], AtLeastOne]
    logo_dir: FolderOrFile | None = None


class RelyingPartySettings(Section):
    """What banks know of us. entity_id: `iss` of our entity statement. statement_lifetime: its seconds.

    entity_statement: the one that banks were given last, so that we know what they know.
    """

    entity_id: Url
    organization_name: Line
    service_name: ServiceNames
    statement_lifetime: Annotated[int, Field(ge=86_400, le=315_360_000)] = 315_360_000
    entity_statement: FolderOrFile | None = None


class Pkcs11Settings(Section):
    """A token that holds private keys. module: the library. token: its label. purposes: whose next keys it makes.

    pin_file, pin_variable: a file of ours alone, or an environment variable, that holds the PIN; one of the two.
    """

    module: FolderOrFile
    token: Line
    purposes: Annotated[tuple[Literal["entity", "rp-sig", "rp-enc", "id-token-sig"], ...], AtLeastOne, NoneTwice]
    pin_file: FolderOrFile | None = None
    pin_variable: Annotated[str, StringConstraints(pattern="^[A-Z][A-Z0-9_]{0,63}$")] | None = None

    @model_validator(mode="after")
    def _one_pin(self) -> Self:
        if (self.pin_file is None) == (self.pin_variable is None):
            raise refusal("needs the PIN from one place", allowed="pin_file, or pin_variable")
        return self


class KeysSettings(FolderSettings):
    """The folder of keys. rotate_every: days, by purpose, for `tunnus keys rotate --due`."""

    rotate_every: dict[
        Annotated[str, StringConstraints(pattern="^(rp-sig|rp-enc|id-token-sig|store)$")], RotationDays
    ] = Field(default_factory=dict)
    pkcs11: Pkcs11Settings | None = None


class AssuranceSettings(Section):
    """The levels of assurance that are accepted, as the FTN profile's URIs."""

    accepted: Annotated[tuple[Level, ...], AtLeastOne, NoneTwice]


class ConnectionSettings(Section):
    """An OpenID Provider as the contract with it says. clock_skew: seconds.

    entity_id: where it differs from the issuer. entity_statement: a file, reviewed by hand and pinned.
    selects: `provider` if its providers are rows of the chooser, `none` if the OpenID Provider lets the
    person choose on its own page: then it is one row, named chooser_name.
    kid: `optional` if the bank, as one with a single key may, leaves it out of its tokens and its key set.
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
    ca_bundle: ExistingFile | None = None
    proxy: Annotated[str, StringConstraints(pattern=r"^https?://\S+$")] | None = None
    clock_skew: Annotated[int, Field(ge=0, le=300)] = 60
    selects: Literal["provider", "none"] = "provider"
    chooser_name: Texts | None = None
    allowed_identity_codes: tuple[Annotated[str, StringConstraints(pattern=r"^[0-9A-Z+\-]{11}$")], ...] = ()

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


Scope = Literal["openid", "profile", "personal_identity_code"]
AuthMethod = Literal["private_key_jwt", "client_secret_basic", "client_secret_post"]
Needed = Literal["required", "optional"]


class ClientSettings(Section):
    """A service that sends people here. sector: what its `sub` values are computed for.

    creates_credential: what the service makes of an identification; some banks price it by that.
    show_step: its requests may say which step of how many the identification is, and the chooser shows it.
    pkce, nonce, state: whether each request must bring it; what is brought is enforced either way.
    iss_in_errors: whether error responses name us, too (RFC 9207 §2); some software trips over it.
    """

    name: Texts
    redirect_uris: Annotated[tuple[Url, ...], AtLeastOne, NoneTwice]
    auth_method: AuthMethod
    jwks: KeySet | None = None
    secret_hash: SecretHash | None = None
    sector: Printable
    home_uri: Url
    scopes: Annotated[tuple[Scope, ...], AtLeastOne, NoneTwice]
    id_token_alg: Literal["RS256", "ES256"] = "RS256"
    audiences: Annotated[tuple[Printable, ...], NoneTwice] = ()
    creates_credential: Literal["weak", "strong", "none"] = "none"
    show_step: bool = False
    pkce: Needed = "required"
    nonce: Needed = "required"
    state: Needed = "required"
    iss_in_errors: bool = True

    @property
    def encryption_key(self) -> Mapping[str, Any] | None:
        """The public JWK to encrypt identity tokens to: the first RSA key with use `enc` that may do RSA-OAEP-256."""
        for key in self.jwks or ():
            if key.get("use") == "enc" and key["kty"] == "RSA" and key.get("alg", "RSA-OAEP-256") == "RSA-OAEP-256":
                return key
        return None

    @model_validator(mode="after")
    def _authenticates(self) -> Self:
        signing = any(key.get("use", "sig") == "sig" for key in self.jwks or ())
        if self.auth_method == "private_key_jwt" and not signing:
            raise refusal("private_key_jwt needs a public key to verify with", mend='add jwks with a key of use "sig"')
        if (self.auth_method != "private_key_jwt") != (self.secret_hash is not None):
            raise refusal(
                "client_secret_basic or client_secret_post and secret_hash go together",
                mend="make a secret and its hash with: tunnus client-secret",
            )
        return self

    @model_validator(mode="after")
    def _codes_cannot_be_injected(self) -> Self:
        # RFC 9700 §2.1.1: one of the two binds the code to the request that it was issued for.
        if (self.pkce, self.nonce) == ("optional", "optional"):
            raise refusal(
                "pkce and nonce are both optional, so that a stolen code could be used in another login",
                mend="keep one of them required: the one that the client's software sends",
            )
        return self

    @model_validator(mode="after")
    def _scopes_fit(self) -> Self:
        if "openid" not in self.scopes:
            raise refusal("scopes lacks openid", mend='add "openid" to scopes')
        if "personal_identity_code" in self.scopes:
            if self.encryption_key is None:
                raise refusal(
                    "personal_identity_code needs an encrypted identity token",
                    mend='add an RSA key of use "enc" to jwks, or drop the scope',
                )
            if self.audiences:
                raise refusal("personal_identity_code goes to one audience only", mend="remove audiences")
        return self


class TracingSettings(Section):
    """otlp_endpoint: the address of a collector that spans of logins are sent to, by OTLP over HTTP; None: to none."""

    otlp_endpoint: Annotated[str, StringConstraints(pattern=r"^https?://\S+$", max_length=500)] | None = None


class NoticesSettings(Section):
    """Texts that change often; the file is read again when it changes."""

    file: FolderOrFile | None = None


class ChooserSettings(Section):
    """order: ids of rows that come first, in that order; the rest follow by group and name."""

    order: Annotated[tuple[Id, ...], NoneTwice] = ()
