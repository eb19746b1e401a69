"""A connection: the OpenID Provider that the broker really talks to, and how its kind deviates (the dialect).

Both are data. They choose and tighten; nothing in them can switch a check off.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from providers.errors import IdentificationError
from providers.model import Texts


@dataclass(frozen=True, slots=True)
class ClaimNames:
    """What a dialect calls the claims of a person (FTN profile, claims).

    reference: where the bank's own reference of the event stands, the first that is there.
    """

    personal_identity_code: str
    given_name: str
    family_name: str
    name: str
    birthdate: str
    reference: tuple[str, ...] = ("sub",)
    known: frozenset[str] = frozenset()
    """Claims that are known and ignored; any other unknown claim is counted and dropped."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one kind of OpenID Provider deviates from the FTN profile, as data.

    query_client_id: `client_id` stands beside `request`. request_audience: `aud` of the request object.
    selector: the request claim that names the bank; None where there is none. acr_in_request: the levels of
    assurance stand in `acr_values` when no selector takes that place. spname_claim: where the service name goes.
    credential_scopes: scope that tells what the client makes of the identification. names_bank_in: the claim in
    which the answer names the bank. cancel_errors: error values that mean the person backed out. errors: others,
    to the class they mean; an unlisted one is ProviderFailed. used_code: descriptions (lower case) by which the token
    endpoint says under another error that a code was used or never given. token_parameters: beside the RFC's minimum.
    publishes: what it tells of its own state, unsigned (`engine.published`).
    """

    name: str
    claims: ClaimNames
    scopes: tuple[str, ...]
    query_client_id: bool
    request_audience: Literal["issuer", "none"]
    selector: Literal["acr_values", "ftn_idp_id"] | None
    acr_in_request: bool
    spname_claim: str | None
    prompt: str | None
    cancel_errors: frozenset[str]
    profile_scope: str | None = None
    credential_scopes: Mapping[str, str] = field(default_factory=dict)
    assertion_audience: Literal["token_endpoint", "issuer"] = "token_endpoint"
    names_bank_in: Literal["amr"] | None = None
    errors: Mapping[str, type[IdentificationError]] = field(default_factory=dict)
    used_code: frozenset[str] = frozenset()
    token_parameters: tuple[str, ...] = ("redirect_uri", "client_id")
    publishes: Literal["embedded_ui", "maintenance_text"] | None = None
    jws_algorithms: tuple[str, ...] = ("RS256",)
    jwe_algorithms: tuple[str, ...] = ("RSA-OAEP", "RSA-OAEP-256")
    jwe_encryptions: tuple[str, ...] = ("A128CBC-HS256", "A128GCM", "A256GCM")


@dataclass(frozen=True, slots=True)
class SignedJwks:
    """The bank's keys come as a signed JWKS, verified against its pinned entity keys."""

    uri: str
    entity_id: str
    entity_keys: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class PinnedJwks:
    """The bank's keys are pinned in config."""

    keys: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class UnsignedJwks:
    """The bank's keys are fetched as they are: demo and tests only, refused in production (FTN profile)."""

    uri: str


JwksSource = SignedJwks | PinnedJwks | UnsignedJwks


@dataclass(frozen=True, slots=True)
class Connection:
    """One OpenID Provider as our contract with it says.

    issuer: the exact `iss` of its tokens. selectors: provider id to the selector's value; empty where the
    connection serves one provider of its own, or cannot select. iss_parameter: it advertises RFC 9207.
    kid_required: its tokens and its signed key set must name the keys they are made with (OpenID Connect Core
    §10.1 lets a bank with one key leave that out). service_names: the agreed service name (ftn_spname) per
    language. test: test levels of assurance and artificial personal identity codes are accepted, and no others
    are; False in production. allowed_identity_codes: exact strings with a wrong check character that a test may
    accept. notices_uri: where it publishes what `dialect.publishes` says; None to leave that alone.
    """

    id: str
    dialect: Dialect
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks: JwksSource
    client_id: str
    redirect_uri: str
    selectors: Mapping[str, str] = field(default_factory=dict)
    pkce: bool = False
    iss_parameter: bool = False
    kid_required: bool = True
    service_names: Texts = field(default_factory=dict)
    test: bool = False
    allowed_identity_codes: frozenset[str] = frozenset()
    ca_bundle: Path | None = None
    proxy: str | None = None
    notices_uri: str | None = None
    request_lifetime: int = 600
    clock_skew: int = 60
