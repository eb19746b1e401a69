"""Verifying an authorization request as strictly as the strictest bank (RFC 9101; the FTN profile).

First what no bank answers by redirect: the request object itself, the client and the redirect URI. Then every
rule of CHECKS, in that order; the first that does not hold is the error. Parameters that a dialect does not
document are noted and ignored.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from werkzeug.datastructures import MultiDict

from mock_idp.bank import Bank
from mock_idp.people.faces import BY_FTN_IDP_ID, BY_METHOD, Face
from mock_idp.protocol import jose
from mock_idp.protocol.dialects import LEVELS
from mock_idp.protocol.issuers import Issuer
from mock_idp.protocol.refusal import Refused
from mock_idp.protocol.relying_party import CLOCK_SKEW, RelyingPartyUnknown
from mock_idp.state import AuthorizationRequest

NONCE_LENGTH = 32
STATE_LENGTH = 22
LIFETIME = 3600
SERVICE_NAME = re.compile(r"[\w ]{1,40}\Z")
_CODE_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}\Z")
_TYPES = ("JWT", "oauth-authz-req+jwt", None)


@dataclass(slots=True)
class Received:
    """A request object whose signature, client and redirect URI hold; the rest is being checked."""

    bank: Bank
    issuer: Issuer
    query: MultiDict[str, str]
    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    now: float
    warnings: list[str] = field(default_factory=list)
    face: Face | None = None
    acr: str = LEVELS[0]

    def text(self, name: str) -> str:
        """A claim that must be a non-empty string. Raises Refused."""
        value = self.claims.get(name)
        if not isinstance(value, str) or not value:
            raise Refused(name, "missing from the request object, or not a string")
        return value

    def number(self, name: str) -> float:
        """A claim that must be a number. Raises Refused."""
        value = self.claims.get(name)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise Refused(name, "missing from the request object, or not a number")
        return value


def open_request(bank: Bank, issuer: Issuer, query: MultiDict[str, str], record: dict[str, Any]) -> Received:
    """Verify what a bank would not answer by redirect; fill `record` with what was read on the way.

    Raises Refused. Source: OP Identity Service Broker API §7 (an error page, no redirect).
    """
    now = bank.now()
    if len(query.getlist("request")) != 1:
        raise Refused("request", "exactly one request parameter is needed")
    try:
        jws = jose.parse_jws(query["request"])
        record["header"] = dict(jws.header)
        claims = jose.from_json(jws.payload, "the request object")
        record["request_object"] = claims
    except jose.Malformed as error:
        raise Refused("request object", str(error), "invalid_request_object") from error
    _verify_signature(bank, jws, now)
    if claims.get("client_id") != bank.config.client_id:
        raise Refused("client_id", "not a client of this bank", "unauthorized_client")
    received = Received(bank, issuer, query, jws.header, claims, now)
    if not bank.relying_party.registered(received.text("redirect_uri"), now):
        raise Refused("redirect_uri", "not registered in the entity statement")
    return received


def _verify_signature(bank: Bank, jws: jose.Jws, now: float) -> None:
    if jws.header.get("alg") != "RS256":
        raise Refused("request object alg", "must be RS256", "invalid_request_object")
    if jws.header.get("typ") not in _TYPES:
        raise Refused("request object typ", "must be JWT, oauth-authz-req+jwt or absent", "invalid_request_object")
    kid = jws.header.get("kid")
    if not isinstance(kid, str):
        raise Refused("request object kid", "missing from the header", "invalid_request_object")
    try:
        key = bank.relying_party.signing_key(kid, now)
    except RelyingPartyUnknown as error:
        raise Refused("relying party", str(error), "unauthorized_client") from error
    if key is None:
        raise Refused("request object kid", "no signing key of that id in the signed JWKS", "invalid_request_object")
    if not jose.verify_rs256(jws, key):
        raise Refused("request object signature", "does not verify", "invalid_request_object")


def _query(received: Received) -> None:
    dialect = received.issuer.dialect
    for name, values in received.query.lists():
        if name != "request" and name not in dialect.query:
            raise Refused("query", f"only request{_beside(dialect.query)} may stand in the query")
        if len(values) != 1:
            raise Refused("query", f"{name} stands there more than once")
    if missing := dialect.query_required - received.query.keys():
        raise Refused("query", f"{', '.join(sorted(missing))} must stand beside request")
    if received.query.get("client_id", received.claims["client_id"]) != received.claims["client_id"]:
        raise Refused("query", "client_id is not the one in the request object")


def _beside(names: frozenset[str]) -> str:
    return f" and {', '.join(sorted(names))}" if names else ""


def _iss(received: Received) -> None:
    if received.claims.get("iss") != received.claims["client_id"]:
        raise Refused("iss", "must be the client_id")


def _aud(received: Received) -> None:
    config, issuer = received.bank.config, received.issuer
    value = received.claims.get("aud")
    audiences = value if isinstance(value, list) else [value]
    if issuer.dialect.audience == "optional":
        if value is not None and audiences not in ([issuer.url(config)], [issuer.endpoint(config, "authorize")]):
            raise Refused("aud", "if it is there, it must be the issuer or the authorization endpoint")
    elif audiences != [issuer.url(config)]:
        raise Refused("aud", f"must be exactly the issuer {issuer.url(config)}")


def _times(received: Received) -> None:
    exp, now = received.number("exp"), received.now
    if exp <= now:
        raise Refused("exp", "the request object has expired")
    if exp > now + LIFETIME:
        raise Refused("exp", f"more than {LIFETIME} seconds ahead")
    for name in ("iat", "nbf"):
        if name in received.claims and received.number(name) > now + CLOCK_SKEW:
            raise Refused(name, "lies in the future")


def _jti(received: Received) -> None:
    if not received.bank.memory.first_use(f"request {received.text('jti')}"):
        raise Refused("jti", "was used before: a request object is good once")


def _response_type(received: Received) -> None:
    if received.claims.get("response_type") != "code":
        raise Refused("response_type", "must be code", "unsupported_response_type")


def _scope(received: Received) -> None:
    dialect = received.issuer.dialect
    words = received.text("scope").split(" ")
    if missing := dialect.scopes_required - set(words):
        raise Refused("scope", f"{' '.join(sorted(missing))} is missing", "invalid_scope")
    if set(words) - dialect.scopes_required - dialect.scopes_optional or len(set(words)) != len(words):
        allowed = " ".join(sorted(dialect.scopes_required | dialect.scopes_optional))
        raise Refused("scope", f"each of these at most once, and no other: {allowed}", "invalid_scope")
    if {"weak", "strong"} <= set(words):
        raise Refused("scope", "weak and strong exclude each other", "invalid_scope")


def _state(received: Received) -> None:
    if len(received.text("state")) < STATE_LENGTH:
        raise Refused("state", f"shorter than {STATE_LENGTH} characters")


def _nonce(received: Received) -> None:
    if len(received.text("nonce")) < NONCE_LENGTH:
        raise Refused("nonce", f"shorter than {NONCE_LENGTH} characters")


def _prompt(received: Received) -> None:
    allowed = received.issuer.dialect.prompts
    if received.claims.get("prompt", "") not in allowed:
        raise Refused("prompt", f"must be one of: {', '.join(sorted(p or '(none)' for p in allowed))}")


def _service_name(received: Received) -> None:
    mode, agreed = received.issuer.dialect.spname, received.bank.config.service_names
    if mode == "none" or ("ftn_spname" not in received.claims and mode == "optional"):
        return
    name = received.text("ftn_spname")
    if not SERVICE_NAME.match(name):
        raise Refused("ftn_spname", "at most 40 letters, digits and spaces")
    if agreed and name not in agreed:
        raise Refused("ftn_spname", "not one of the agreed service names")


def _acr(received: Received) -> None:
    mode = received.issuer.dialect.acr
    if mode == "none":
        return
    values = received.text("acr_values").split(" ")
    if mode == "level_or_method" and len(values) == 1 and values[0] in BY_METHOD:
        received.face = BY_METHOD[values[0]]
        return
    if unknown := [value for value in values if value not in LEVELS]:
        kind = "level of assurance" if mode == "level" else "level of assurance or method"
        raise Refused("acr_values", f"no {kind} of this test environment: {unknown[0][:80]}")
    received.acr = values[0]


def _selector(received: Received) -> None:
    if "ftn_idp_id" in received.claims and "ftn_idp_id" in received.issuer.dialect.parameters:
        received.face = BY_FTN_IDP_ID.get(received.text("ftn_idp_id"))
        if received.face is None:
            raise Refused("ftn_idp_id", "no identity provider of that id")
    own = received.issuer.face
    if own is not None and received.face not in (None, own):
        raise Refused("selector", "names another bank than the one behind this issuer")
    received.face = own or received.face


def _pkce(received: Received) -> None:
    if not received.issuer.dialect.pkce:
        return
    challenge = received.claims.get("code_challenge")
    if challenge is None:
        if received.bank.config.require_pkce:
            raise Refused("code_challenge", "missing, though PKCE with S256 is advertised")
        return
    if received.claims.get("code_challenge_method") != "S256":
        raise Refused("code_challenge_method", "must be S256")
    if not isinstance(challenge, str) or not _CODE_CHALLENGE.match(challenge):
        raise Refused("code_challenge", "must be 43 characters of base64url")


CHECKS: tuple[Callable[[Received], None], ...] = (
    _query,
    _iss,
    _aud,
    _times,
    _jti,
    _response_type,
    _scope,
    _state,
    _nonce,
    _prompt,
    _service_name,
    _acr,
    _selector,
    _pkce,
)


def verify_request(received: Received) -> AuthorizationRequest:
    """Run every check. Raises Refused; the relying party may be told by redirect."""
    for check in CHECKS:
        check(received)
    claims, dialect = received.claims, received.issuer.dialect
    received.warnings += [
        f"{name} is not a parameter of this dialect: ignored" for name in claims if name not in dialect.parameters
    ]
    locale = claims.get("ui_locales", "fi")
    if locale not in ("fi", "sv", "en"):
        received.warnings.append("ui_locales is none of fi, sv, en: fi is shown")
        locale = "fi"
    organization = received.bank.relying_party.statement(received.now).organization_name
    return AuthorizationRequest(
        issuer=received.issuer,
        face=received.face,
        redirect_uri=str(claims["redirect_uri"]),
        state=str(claims["state"]),
        nonce=str(claims["nonce"]),
        acr=received.acr,
        profile=not dialect.profile_scope or "profile" in str(claims["scope"]).split(" "),
        code_challenge=claims.get("code_challenge") if dialect.pkce else None,
        ui_locale=str(locale),
        service_name=str(claims.get("ftn_spname", organization)) if dialect.spname != "none" else organization,
    )
