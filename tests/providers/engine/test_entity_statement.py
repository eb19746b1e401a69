"""Entity statements: pinning a bank's, making ours."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from providers.engine.entity_statement import (
    EntityStatement,
    NotTrusted,
    build_entity_statement,
    build_signed_jwks,
    parse_entity_statement,
    verify_signed_jwks,
)
from providers.engine.public_keys import usable_keys
from providers.model import UnknownKey
from tests.harness.engine.bank import Bank
from tests.harness.engine.jose import header_of, payload_of, public, sign
from tests.harness.engine.parts import NOW, MemoryKeys

OURS = "https://tunnus.example"


def statement(bank: Bank, header: dict[str, Any] | None = None, **changes: Any) -> str:
    """A bank's entity statement, members changed; None leaves one out."""
    claims = {
        "iss": "https://bank.example",
        "sub": "https://bank.example",
        "iat": NOW,
        "exp": NOW + 3600,
        "jwks": {"keys": [public(bank.entity)]},
        "metadata": {"openid_provider": {"issuer": "https://bank.example/uas"}},
    } | changes
    members = {"alg": "RS256", "kid": bank.entity.kid, "typ": "entity-statement+jwt"} | (header or {})
    return sign(
        {name: value for name, value in members.items() if value is not None},
        {name: value for name, value in claims.items() if value is not None},
        bank.entity,
    )


def test_a_self_signed_statement_gives_its_keys_and_metadata(bank: Bank) -> None:
    parsed = parse_entity_statement(statement(bank) + "\n", NOW)
    assert isinstance(parsed, EntityStatement)
    assert (parsed.entity_id, parsed.exp) == ("https://bank.example", NOW + 3600)
    assert parsed.metadata["openid_provider"]["issuer"] == "https://bank.example/uas"
    assert set(usable_keys(parsed.keys)) == {bank.entity.kid}
    assert all("d" not in key for key in parsed.keys)


def _by_another(bank: Bank) -> str:
    head, body, _ = statement(bank).split(".")
    return f"{head}.{body}.{sign({}, {}, bank.attacker).rpartition('.')[2]}"


REFUSED: dict[str, tuple[str, Callable[[Bank], str]]] = {
    "typ missing": ("typ", lambda b: statement(b, {"typ": None})),
    "typ JWT": ("typ", lambda b: statement(b, {"typ": "JWT"})),
    "typ of a key set": ("typ", lambda b: statement(b, {"typ": "jwk-set+jwt"})),
    "alg none": ("alg", lambda b: statement(b, {"alg": "none"})),
    "alg HS256": ("alg", lambda b: statement(b, {"alg": "HS256"})),
    "kid missing": ("kid", lambda b: statement(b, {"kid": None})),
    "kid not among its keys": ("kid", lambda b: statement(b, {"kid": "another"})),
    "its keys another's": ("kid", lambda b: statement(b, jwks={"keys": [public(b.attacker)]})),
    "signed by another": ("signature", _by_another),
    "crit": ("crit", lambda b: statement(b, {"crit": ["x"], "x": 1})),
    "iss missing": ("sub", lambda b: statement(b, iss=None)),
    "iss empty": ("sub", lambda b: statement(b, iss="", sub="")),
    "sub another": ("sub", lambda b: statement(b, sub="https://attacker.example")),
    "iat missing": ("iat", lambda b: statement(b, iat=None)),
    "iat ahead": ("iat", lambda b: statement(b, iat=NOW + 61)),
    "exp missing": ("exp", lambda b: statement(b, exp=None)),
    "exp past": ("exp", lambda b: statement(b, exp=NOW - 60)),
    "exp no number": ("exp", lambda b: statement(b, exp="2030")),
    "exp beyond all numbers": ("exp", lambda b: statement(b, exp=10**400)),
    "jwks missing": ("kid", lambda b: statement(b, jwks=None)),
    "jwks a list": ("kid", lambda b: statement(b, jwks=[public(b.entity)])),
    "metadata a list": ("metadata", lambda b: statement(b, metadata=[])),
    "no compact JWS": ("parts", lambda b: json.dumps({"keys": [public(b.entity)]})),
    "a length no bytes have": ("base64url", lambda _b: "AAAA.A.AAAA"),
    "padding": ("base64url", lambda b: statement(b) + "=="),
    "a body that is no object": ("payload", lambda b: sign({"alg": "RS256", "kid": b.entity.kid}, [1], b.entity)),
}


@pytest.mark.parametrize("row", REFUSED)
def test_a_statement_that_does_not_verify_is_not_trusted(bank: Bank, row: str) -> None:
    where, make = REFUSED[row]
    with pytest.raises(NotTrusted) as caught:
        parse_entity_statement(make(bank), NOW)
    assert caught.value.where == where


@pytest.mark.parametrize("metadata", [None, ""])
def test_a_statement_may_say_nothing_of_its_metadata(bank: Bank, metadata: Any) -> None:
    claims = payload_of(statement(bank)) | {"metadata": metadata}
    header = {"alg": "RS256", "kid": bank.entity.kid, "typ": "Application/Entity-Statement+JWT"}
    assert parse_entity_statement(sign(header, claims, bank.entity), NOW).metadata == {}


def test_a_minute_of_skew_is_allowed(bank: Bank) -> None:
    assert parse_entity_statement(statement(bank, iat=NOW + 60, exp=NOW - 59), NOW).exp == NOW - 59


def test_our_statement_says_what_op_demands_and_verifies(keys: MemoryKeys) -> None:
    token = build_entity_statement(
        keys,
        entity_id=OURS,
        redirect_uris=[f"{OURS}/callback/a", f"{OURS}/callback/b"],
        organization_name="Energia Oy",
        signed_jwks_uri=f"{OURS}/signed-jwks",
        now=NOW,
        lifetime=1000,
    )
    parsed = parse_entity_statement(token, NOW)
    assert (parsed.entity_id, parsed.exp) == (OURS, NOW + 1000)
    assert header_of(token)["typ"] == "entity-statement+jwt"
    assert parsed.metadata == {
        "openid_relying_party": {
            "redirect_uris": [f"{OURS}/callback/a", f"{OURS}/callback/b"],
            "application_type": "web",
            "id_token_signed_response_alg": "RS256",
            "id_token_encrypted_response_alg": "RSA-OAEP",
            "id_token_encrypted_response_enc": "A128CBC-HS256",
            "request_object_signing_alg": "RS256",
            "token_endpoint_auth_method": "private_key_jwt",
            "token_endpoint_auth_signing_alg": "RS256",
            "client_registration_types": [],
            "organization_name": "Energia Oy",
            "signed_jwks_uri": f"{OURS}/signed-jwks",
        }
    }


def test_our_signed_key_set_holds_our_public_keys_and_nothing_private(keys: MemoryKeys) -> None:
    token = build_signed_jwks(keys, OURS, now=NOW, lifetime=90000)
    claims = payload_of(token)
    assert header_of(token)["typ"] == "jwk-set+jwt"
    assert (claims["iss"], claims["sub"], claims["iat"], claims["exp"]) == (OURS, OURS, NOW, NOW + 90000)
    assert [(key["use"], key["kid"]) for key in claims["keys"]] == [
        ("sig", "our-sig"),
        ("enc", "our-enc"),
        ("enc", "our-old-enc"),
    ]
    assert not {"d", "p", "q", "dp", "dq", "qi"} & {member for key in claims["keys"] for member in key}
    # As a bank would read it: only the key for signatures is one that verifies.
    verified = verify_signed_jwks(token, OURS, usable_keys(keys.public_set("entity")), NOW)
    assert set(verified) == {"our-sig"}


def test_without_an_entity_key_nothing_is_made() -> None:
    with pytest.raises(UnknownKey):
        build_signed_jwks(MemoryKeys({}), OURS, now=NOW, lifetime=1)
