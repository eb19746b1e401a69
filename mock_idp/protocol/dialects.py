"""The three dialects as data: what each demands of a request, and what its answers look like.

Sources: `isb` OP Identity Service Broker API §7-§11; `telia` Telia integration guide v2.36 §2.2-§2.6; `ftn`
our reading of the FTN profile (Idura's guide, the DVV reference provider): its text was not at hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

LEVELS = ("http://ftn.ficora.fi/2017/loatest2", "http://ftn.ficora.fi/2017/loatest3")
"""Levels of assurance of a test environment, the usual one first."""
PRODUCTION_LEVEL = "http://ftn.ficora.fi/2017/loa2"
HIGHER_PRODUCTION_LEVEL = "http://ftn.ficora.fi/2017/loa3"

EIDAS_IDENTIFIER = "http://eidas.europa.eu/attributes/naturalperson/PersonIdentifier"
_PARAMETERS = frozenset(
    [
        "client_id",
        "iss",
        "aud",
        "redirect_uri",
        "response_type",
        "scope",
        "state",
        "nonce",
        "ui_locales",
        "prompt",
        "exp",
        "iat",
        "nbf",
        "jti",
    ]
)


@dataclass(frozen=True, slots=True)
class PersonClaims:
    """What the claims of a person are called."""

    personal_identity_code: str
    given_name: str
    family_name: str
    name: str
    birthdate: str
    satu: str | None = None
    eidas: str | None = None


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one kind of provider behaves.

    query: parameters allowed beside `request`; query_required: those demanded. audience: whether `aud` of the
    request object must be the issuer, or may be absent. acr: what `acr_values` may hold. prompts: allowed
    values, "" for none. spname: whether the service name must, may or should not be sent. parameters: the
    documented ones; others are noted and ignored. cancelled, failed, timed_out: the error values of these
    outcomes, the usual one first. op_errors: token errors by OP's words, percent-encoded, always status 400.
    token_client_id: `client_id` must stand in the token request.
    """

    name: str
    claims: PersonClaims
    query: frozenset[str]
    query_required: frozenset[str]
    audience: Literal["issuer", "optional"]
    scopes_required: frozenset[str]
    scopes_optional: frozenset[str]
    acr: Literal["level", "level_or_method", "none"]
    prompts: frozenset[str]
    spname: Literal["required", "optional", "none"]
    parameters: frozenset[str]
    cancelled: tuple[str, ...]
    failed: str
    timed_out: str = "access_denied"
    audience_as_list: bool = False
    azp: bool = False
    amr: bool = False
    session_index: bool = False
    at_hash: bool = False
    family_name_first: bool = False
    profile_scope: bool = False
    pkce: bool = False
    iss_parameter: bool = False
    discovery: bool = True
    op_errors: bool = False
    token_client_id: bool = True
    entity_suffix: str = ""
    access_token_lifetime: int = 600


_URNS = PersonClaims(
    personal_identity_code="urn:oid:1.2.246.21",
    given_name="urn:oid:1.2.246.575.1.14",
    family_name="urn:oid:2.5.4.4",
    name="urn:oid:2.16.840.1.113730.3.1.241",
    birthdate="urn:oid:1.3.6.1.5.5.7.9.1",
    satu="urn:oid:1.2.246.22",
    eidas=EIDAS_IDENTIFIER,
)

FTN = Dialect(
    name="ftn",
    claims=_URNS,
    query=frozenset({"client_id"}),
    query_required=frozenset({"client_id"}),
    audience="issuer",
    scopes_required=frozenset({"openid"}),
    scopes_optional=frozenset(),
    acr="level",
    prompts=frozenset({"login"}),
    spname="required",
    parameters=_PARAMETERS | {"acr_values", "ftn_spname", "code_challenge", "code_challenge_method", "max_age"},
    cancelled=("user_cancelled", "access_denied"),
    failed="server_error",
    at_hash=True,
    pkce=True,
    iss_parameter=True,
)

TELIA = Dialect(
    name="telia",
    claims=_URNS,
    query=frozenset({"client_id"}),
    query_required=frozenset(),
    audience="issuer",
    scopes_required=frozenset({"openid"}),
    scopes_optional=frozenset(),
    acr="level_or_method",
    prompts=frozenset({"", "login"}),
    spname="none",
    parameters=_PARAMETERS | {"acr_values", "code_challenge", "code_challenge_method", "max_age"},
    cancelled=("access_denied",),
    failed="server_error",
    audience_as_list=True,
    azp=True,
    amr=True,
    session_index=True,
    pkce=True,
    # Telia's entity id is not its issuer (guide §2.2: the issuer ends in /uas): two values to keep apart.
    entity_suffix="/entity",
)

ISB = Dialect(
    name="isb",
    claims=PersonClaims("personal_identity_code", "given_name", "family_name", "name", "birthdate"),
    query=frozenset(),
    query_required=frozenset(),
    audience="optional",
    scopes_required=frozenset({"openid", "personal_identity_code"}),
    scopes_optional=frozenset({"profile", "weak", "strong"}),
    acr="none",
    prompts=frozenset({"", "consent"}),
    spname="optional",
    parameters=_PARAMETERS | {"ftn_idp_id", "ftn_spname"},
    cancelled=("cancel",),
    failed="access_denied",
    timed_out="cancel",
    family_name_first=True,
    profile_scope=True,
    discovery=False,
    op_errors=True,
    token_client_id=False,
    access_token_lifetime=3600,
)

DIALECTS: Mapping[str, Dialect] = {dialect.name: dialect for dialect in (FTN, TELIA, ISB)}
