"""The tables of the configuration file, as frozen models. What holds between tables is in `checks`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from broker.settings.connections import Printable, ServiceNames
from broker.settings.profiles import broken_fapi_rules
from kit.client_authentication.assertion import ALGORITHMS, FAPI_ALGORITHMS
from kit.keys.sets import KeySet
from kit.pages.settings import Link, LookSettings
from kit.settings.assurance import Level
from kit.settings.report import refusal
from kit.settings.types import (
    AtLeastOne,
    CertificatesFile,
    FolderOrFile,
    FolderSettings,
    HttpsUrl,
    Id,
    Line,
    NoneTwice,
    RotationDays,
    SecretHash,
    Section,
    Texts,
    Url,
)


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


InToken = Literal["entity", "rp-sig", "rp-enc", "id-token-sig", "audit-sig"]


class Pkcs11Settings(Section):
    """A token that holds private keys. module: the library. token: its label. purposes: whose next keys it makes.

    pin_file, pin_variable: a file of ours alone, or an environment variable, that holds the PIN; one of the two.
    """

    module: FolderOrFile
    token: Line
    purposes: Annotated[
        tuple[Literal["entity", "rp-sig", "rp-enc", "id-token-sig", "audit-sig"], ...], AtLeastOne, NoneTwice
    ]
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
        Annotated[str, StringConstraints(pattern="^(rp-sig|rp-enc|id-token-sig|audit-sig|store)$")], RotationDays
    ] = Field(default_factory=dict)
    pkcs11: Pkcs11Settings | None = None


class AssuranceSettings(Section):
    """The levels of assurance that are accepted, as the FTN profile's URIs."""

    accepted: Annotated[tuple[Level, ...], AtLeastOne, NoneTwice]


Scope = Literal["openid", "profile", "personal_identity_code"]
AuthMethod = Literal["private_key_jwt", "client_secret_basic", "client_secret_post"]
Needed = Literal["required", "optional"]
Profile = Literal["plain", "fapi2", "fapi2-message-signing"]
SenderConstraint = Literal["none", "dpop", "mtls"]


class ClientSettings(Section):
    """A service that sends people here. sector: what its `sub` values are computed for.

    creates_credential: what the service makes of an identification; some banks price it by that.
    show_step: its requests may say which step of how many the identification is, and the chooser shows it.
    pkce, nonce, state: whether each request must bring it; what is brought is enforced either way.
    iss_in_errors: whether error responses name us, too (RFC 9207 §2); some software trips over it.
    jwks_uri: where its signing keys are published, instead of in jwks, which then holds only the one to encrypt to.
    jwks_ca_bundle: instead of the usual authorities there. software: what it is made with; see `settings.software`.
    profile: the rules it is held to: of FAPI 2.0 Security Profile, or of Message Signing, too.
    sender_constrained: what its access tokens are bound by; unless given, "dpop" for the profiles of FAPI.
    signed_userinfo: whether `/userinfo` answers it with a signed JWT.
    """

    name: Texts
    redirect_uris: Annotated[tuple[Url, ...], AtLeastOne, NoneTwice]
    auth_method: AuthMethod
    jwks: KeySet | None = None
    jwks_uri: HttpsUrl | None = None
    jwks_ca_bundle: CertificatesFile | None = None
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
    software: Line | None = None
    profile: Profile = "plain"
    sender_constrained: SenderConstraint | None = None
    signed_userinfo: bool = False

    @property
    def sender_constraint(self) -> SenderConstraint:
        """What its access tokens are bound by."""
        return self.sender_constrained or ("none" if self.profile == "plain" else "dpop")

    @property
    def signing_algorithms(self) -> tuple[str, ...]:
        """What it may sign assertions and request objects with."""
        return ALGORITHMS if self.profile == "plain" else FAPI_ALGORITHMS

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
        if self.auth_method == "private_key_jwt" and not signing and self.jwks_uri is None:
            mend = 'add jwks with a key of use "sig", or name its jwks_uri'
            raise refusal("private_key_jwt needs a public key to verify with", mend=mend)
        if (self.auth_method != "private_key_jwt") != (self.secret_hash is not None):
            raise refusal(
                "client_secret_basic or client_secret_post and secret_hash go together",
                mend="make a secret and its hash with: tunnus client-secret",
            )
        return self

    @model_validator(mode="after")
    def _keys_come_from_one_place(self) -> Self:
        if self.jwks_uri is None and self.jwks_ca_bundle is not None:
            raise refusal("jwks_ca_bundle is never used", mend="remove it, or name the jwks_uri that it is for")
        if self.jwks_uri is None:
            return self
        if self.auth_method != "private_key_jwt":
            raise refusal(f"jwks_uri is never used with {self.auth_method}", mend="remove it")
        if any(key.get("use") != "enc" for key in self.jwks or ()):
            # A key that was taken out of what the client publishes must not go on by a copy of ours.
            mend = 'keep in jwks only the key of use "enc", which is never fetched'
            raise refusal("its signing keys come from jwks_uri and from jwks", mend=mend)
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
    def _profile_is_held(self) -> Self:
        for wrong, mend in broken_fapi_rules(self) if self.profile != "plain" else ():
            raise refusal(f'{wrong}, which profile "{self.profile}" does not allow', mend=mend)
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

    otlp_endpoint: Annotated[str, StringConstraints(pattern=r"^https?://[^\s/:?#]\S*$", max_length=500)] | None = None


class NoticesSettings(Section):
    """Texts that change often; the file is read again when it changes."""

    file: FolderOrFile | None = None


class ChooserSettings(Section):
    """order: ids of rows that come first, in that order; the rest follow by group and name."""

    order: Annotated[tuple[Id, ...], NoneTwice] = ()
