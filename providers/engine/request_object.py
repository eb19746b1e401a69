"""The signed authorization request (RFC 9101): every parameter stands inside the JWS."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from authlib.oauth2.rfc7636 import create_s256_code_challenge

from providers.connection import Connection
from providers.errors import RelyingPartyRejected, Step
from providers.model import BeginRequest, KeyFailure, Keys


@dataclass(frozen=True, slots=True)
class Expected:
    """What the answer to one request object must fit: kept in the attempt's private values."""

    nonce: str = field(repr=False)
    code_verifier: str | None = field(repr=False)


def request_claims(connection: Connection, request: BeginRequest, expected: Expected) -> dict[str, Any]:
    """The claims of the request object, by the dialect's table.

    Source: OpenID Connect Core §6.1; RFC 9101 §4; OP Identity Service Broker API §7; Telia guide §2.4.
    """
    dialect = connection.dialect
    claims: dict[str, Any] = {
        "iss": connection.client_id,
        "client_id": connection.client_id,
        "response_type": "code",
        "redirect_uri": connection.redirect_uri,
        "scope": " ".join(_scopes(connection, request)),
        "state": request.handle,
        "nonce": expected.nonce,
        "ui_locales": request.ui_locale,
        "jti": secrets.token_hex(16),
        "iat": request.now,
        "exp": request.now + connection.request_lifetime,
    }
    if dialect.request_audience == "issuer":
        claims["aud"] = connection.issuer
    if dialect.prompt:
        claims["prompt"] = dialect.prompt
    if dialect.acr_in_request:
        claims["acr_values"] = " ".join(request.acr_values)
    if dialect.selector and (selector := _selector(connection, request)):
        claims[dialect.selector] = selector
    if dialect.spname_claim and request.ui_locale in connection.service_names:
        claims[dialect.spname_claim] = connection.service_names[request.ui_locale]
    if expected.code_verifier:
        claims["code_challenge"] = create_s256_code_challenge(expected.code_verifier)
        claims["code_challenge_method"] = "S256"
    return claims


def build_authorization_url(connection: Connection, request: BeginRequest, keys: Keys) -> tuple[str, Expected]:
    """The address to send the browser to, and what the answer must fit.

    Raises RelyingPartyRejected at `request` if our own signing key cannot be used.
    """
    expected = Expected(
        nonce=secrets.token_hex(32),
        code_verifier=secrets.token_urlsafe(48) if connection.pkce else None,
    )
    try:
        signed = keys.sign("rp-sig", request_claims(connection, request, expected))
    except KeyFailure as error:
        raise RelyingPartyRejected(Step.REQUEST, "no signing key is in use") from error
    query = {"request": signed}
    if connection.dialect.query_client_id:
        query = {"client_id": connection.client_id, **query}
    joiner = "&" if "?" in connection.authorization_endpoint else "?"
    return f"{connection.authorization_endpoint}{joiner}{urlencode(query)}", expected


def _scopes(connection: Connection, request: BeginRequest) -> list[str]:
    dialect = connection.dialect
    scopes = list(dialect.scopes)
    if request.profile and dialect.profile_scope:
        scopes.append(dialect.profile_scope)
    if request.credential in dialect.credential_scopes:
        scopes.append(dialect.credential_scopes[request.credential])
    return scopes


def _selector(connection: Connection, request: BeginRequest) -> str | None:
    if request.provider is None or not connection.selectors:
        return None
    try:
        return connection.selectors[request.provider.id]
    except KeyError as error:
        raise RelyingPartyRejected(Step.REQUEST, "the contract has no selector for this provider") from error
