"""The ID token of a bank: a JWS (RS256) nested in a JWE (RSA-OAEP, A128CBC-HS256) to the relying party's key.

Sources: OP Identity Service Broker API §9; Telia integration guide §2.6.3-§2.6.4; FTN profile.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from typing import Any

from mock_idp.bank import Bank
from mock_idp.faults.model import Fault, Minting
from mock_idp.people.personas import Persona
from mock_idp.protocol import jose
from mock_idp.protocol.dialects import Dialect
from mock_idp.protocol.keys import SigningKey
from mock_idp.protocol.relying_party import PublishedKey
from mock_idp.state import Login

LIFETIME = 600


def person_claims(persona: Persona, dialect: Dialect, *, profile: bool) -> dict[str, Any]:
    """The claims of a person in a dialect; without profile, what OP sends without that scope."""
    names = dialect.claims
    claims: dict[str, Any] = {names.personal_identity_code: persona.personal_identity_code}
    if names.satu:
        claims[names.satu] = persona.satu
    if names.eidas:
        claims[names.eidas] = persona.eidas
    if profile:
        claims |= {
            names.given_name: persona.given_name,
            names.family_name: persona.family_name,
            names.name: persona.display_name(family_name_first=dialect.family_name_first),
            names.birthdate: persona.born,
        }
    return {name: value for name, value in claims.items() if value is not None}


def access_token_hash(access_token: str) -> str:
    """`at_hash`: the left half of the SHA-256 (OpenID Connect Core §3.1.3.6)."""
    return jose.encode(hashlib.sha256(access_token.encode()).digest()[:16])


def standard_claims(bank: Bank, login: Login, access_token: str) -> dict[str, Any]:
    """All claims of an ID token but those of the person."""
    request, now = login.request, int(bank.now())
    dialect, issuer = request.issuer.dialect, request.issuer.url(bank.config)
    client_id = bank.config.client_id
    claims: dict[str, Any] = {
        "iss": issuer,
        "sub": secrets.token_hex(16),
        "aud": [client_id] if dialect.audience_as_list else client_id,
        "exp": now + LIFETIME,
        "iat": now,
        "auth_time": login.auth_time,
        "nonce": request.nonce,
        "acr": request.acr,
    }
    if dialect.azp:
        claims["azp"] = client_id
    if dialect.amr:
        claims["amr"] = [f"{issuer}/saml2/names/ac/{login.face.method}"]
    if dialect.session_index:
        claims["session_index"] = secrets.token_hex(16)
    if dialect.at_hash:
        claims["at_hash"] = access_token_hash(access_token)
    return claims


def mint(
    bank: Bank,
    login: Login,
    access_token: str,
    signing: SigningKey,
    recipient: PublishedKey,
    faults: Sequence[tuple[Fault, dict[str, float]]],
) -> Any:
    """The ID token for a login, each fault applied at its step; a fault may make it anything."""

    def minting(options: dict[str, float]) -> Minting:
        return Minting(bank, login.request, options, signing, recipient, jws_header, jwe_header)

    jws_header: dict[str, Any] = {"alg": "RS256", "kid": signing.kid, "typ": "JWT"}
    jwe_header: dict[str, Any] = {"alg": "RSA-OAEP", "enc": "A128CBC-HS256", "cty": "JWT", "kid": recipient.kid}
    dialect = login.request.issuer.dialect
    claims = standard_claims(bank, login, access_token)
    claims |= person_claims(login.persona, dialect, profile=login.request.profile)
    for fault, options in faults:
        if fault.claims:
            fault.claims(claims, minting(options))
    payload = jose.to_json(claims)
    for fault, options in faults:
        if fault.payload:
            payload = fault.payload(payload, minting(options))
    signed = next((f.jws(payload, minting(o)) for f, o in faults if f.jws), None)
    if signed is None:
        signed = jose.sign(jws_header, payload, signing.private)
    token: Any = next((f.jwe(signed.encode(), minting(o)) for f, o in faults if f.jwe), None)
    if token is None:
        token = jose.encrypt(jwe_header, signed.encode(), recipient.key)
    for fault, options in faults:
        if fault.id_token:
            token = fault.id_token(token, minting(options))
    return token
