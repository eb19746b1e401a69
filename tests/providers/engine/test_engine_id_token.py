"""The ID token: one row per way to bend it. Each row turns red when its check is removed."""

from __future__ import annotations

import base64
import hmac
import json
import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from forge import CODE, LOA, NOW, Bank, Ring, at_hash, encode, make_connection, public, sign
from joserfc.jwk import RSAKey

from providers.connection import Connection
from providers.engine import id_token
from providers.engine.entity_statement import usable_keys
from providers.engine.id_token import CHECKS, Expected, VerifiedToken, verify_id_token
from providers.errors import IntegrityError, Step, Unavailable

Make = Callable[[Bank, Connection], str]


def expected_of(connection: Connection, **changes: Any) -> Expected:
    expected = Expected(
        issuer=connection.issuer,
        client_id=connection.client_id,
        nonce="n" * 64,
        acr_values=(LOA,),
        test=connection.test,
        started_at=NOW - 60,
        now=NOW,
        skew=60,
        access_token="access",
    )
    return replace(expected, **changes)


def verify(token: str, bank: Bank, ring: Ring, connection: Connection | None = None, **expected: Any) -> VerifiedToken:
    connection = connection or make_connection()
    known = usable_keys([public(bank.signing)])

    def find(kid: str) -> RSAKey:
        if kid not in known:
            raise Unavailable(Step.ID_TOKEN, "unknown", claim="kid")
        return known[kid]

    return verify_id_token(token, connection, expected_of(connection, **expected), ring, find)


def refused(claim: str, token: str, bank: Bank, ring: Ring, connection: Connection | None = None, **exp: Any) -> None:
    with pytest.raises(IntegrityError) as caught:
        verify(token, bank, ring, connection, **exp)
    assert (caught.value.code, caught.value.step, caught.value.claim) == ("integrity_error", Step.ID_TOKEN, claim)


def test_a_good_token_is_verified_and_names_both_keys(bank: Bank, ring: Ring) -> None:
    verified = verify(bank.id_token(make_connection()), bank, ring)
    assert verified.claims["nonce"] == "n" * 64
    assert (verified.signing_kid, verified.encryption_kid) == (bank.signing.kid, bank.recipient.kid)
    assert CODE not in repr(verified)


def test_the_checks_run_in_the_order_of_the_profile() -> None:
    order = [check.__name__ for check in CHECKS]
    assert order == [
        "check_issuer",
        "check_audience",
        "check_authorized_party",
        "check_expiry",
        "check_issue_time",
        "check_nonce",
        "check_subject",
        "check_assurance",
        "check_authentication_time",
        "check_access_token_hash",
        "check_authentication_methods",
    ]
    assert all(check.__doc__ for check in CHECKS)


WRONG_CLAIMS: list[tuple[str, Any]] = [
    ("iss", None),
    ("iss", "https://bank.example/op/"),
    ("iss", "https://attacker.example"),
    ("iss", ["https://bank.example/op"]),
    ("aud", None),
    ("aud", "somebody-else"),
    ("aud", []),
    ("aud", ["tunnus", "somebody-else"]),
    ("aud", ["tunnus", 7]),
    ("aud", {"tunnus": True}),
    ("aud", 7),
    ("azp", "somebody-else"),
    ("azp", ["tunnus"]),
    ("azp", ""),
    ("exp", None),
    ("exp", NOW - 61),
    ("exp", str(NOW + 600)),
    ("exp", True),
    ("exp", 10**400),
    ("exp", [NOW + 600]),
    ("iat", None),
    ("iat", NOW + 61),
    ("iat", NOW - 3601),
    ("iat", str(NOW)),
    ("iat", -(10**400)),
    ("nbf", NOW + 61),
    ("nbf", "now"),
    ("nonce", None),
    ("nonce", "N" * 64),
    ("nonce", ["n" * 64]),
    ("nonce", ""),
    ("sub", None),
    ("sub", ""),
    ("sub", 7),
    ("sub", "s" * 256),
    ("acr", None),
    ("acr", LOA.upper()),
    ("acr", LOA + "/"),
    ("acr", [LOA]),
    ("acr", "http://ftn.ficora.fi/2021/loa/substantial"),
    ("acr", "http://ftn.ficora.fi/2017/loatest3"),
    ("auth_time", None),
    ("auth_time", NOW - 121),
    ("auth_time", NOW + 61),
    ("auth_time", str(NOW)),
    ("auth_time", False),
    ("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"),
    ("at_hash", 7),
    ("amr", "oidc.aktia.1"),
    ("amr", [7]),
    ("amr", {"a": 1}),
    ("amr", ["a"] * 11),
    ("amr", ["a" * 256]),
]


@pytest.mark.parametrize(("claim", "value"), WRONG_CLAIMS)
def test_a_claim_that_does_not_hold_is_refused(bank: Bank, ring: Ring, claim: str, value: Any) -> None:
    refused(claim, bank.id_token(make_connection(), **{claim: value}), bank, ring)


GOOD_CLAIMS: list[dict[str, Any]] = [
    {"aud": ["tunnus"], "azp": "tunnus"},
    {"exp": NOW - 59},
    {"exp": NOW + 600.5},
    {"iat": NOW + 60, "nbf": NOW + 60},
    {"iat": NOW - 3599},
    {"auth_time": NOW - 120},
    {"auth_time": NOW + 60},
    {"at_hash": at_hash("access")},
    {"amr": ["https://bank.example/op/saml2/names/ac/oidc.aktia.1"]},
    {"https://bank.example/x": {"nested": [1, {"a": None}]}},
    {"urn:oid:2.5.4.4": "Äyrämö é š"},
]


@pytest.mark.parametrize("claims", GOOD_CLAIMS)
def test_what_is_allowed_is_taken(bank: Bank, ring: Ring, claims: dict[str, Any]) -> None:
    verified = verify(bank.id_token(make_connection(), **claims), bank, ring)
    assert claims.items() <= verified.claims.items()


def test_an_at_hash_without_an_access_token_fits_nothing(bank: Bank, ring: Ring) -> None:
    token = bank.id_token(make_connection(), at_hash=at_hash("access"))
    refused("at_hash", token, bank, ring, access_token=None)


def test_a_test_level_is_refused_in_production_even_if_it_was_asked_for(bank: Bank, ring: Ring) -> None:
    connection = make_connection(test=False)
    refused("acr", bank.id_token(connection, acr=LOA), bank, ring, connection)


def test_a_production_level_is_refused_in_test_even_if_it_was_asked_for(bank: Bank, ring: Ring) -> None:
    level = "http://ftn.ficora.fi/2017/loa2"
    refused("acr", bank.id_token(make_connection(), acr=level), bank, ring, acr_values=(level,))


def test_a_level_that_is_none_of_the_networks_is_refused_even_if_it_was_asked_for(bank: Bank, ring: Ring) -> None:
    refused("acr", bank.id_token(make_connection(), acr="urn:x"), bank, ring, acr_values=("urn:x",))


def _hmac_with(secret: bytes, bank: Bank, connection: Connection) -> str:
    header = encode(json.dumps({"alg": "HS256", "kid": bank.signing.kid}).encode())
    text = f"{header}.{encode(json.dumps(bank.claims(connection)).encode())}"
    return f"{text}.{encode(hmac.digest(secret, text.encode(), 'sha256'))}"


def _none(bank: Bank, connection: Connection) -> str:
    token = bank.jws(bank.claims(connection), alg="none")
    return token.rpartition(".")[0] + "."


def _duplicate_claim(bank: Bank, connection: Connection) -> str:
    payload = json.dumps(bank.claims(connection)).encode()[:-1] + b',"sub":"event-7f3a"}'
    return bank.jws(payload)


def _nested_duplicate(bank: Bank, connection: Connection) -> str:
    return bank.jws(json.dumps(bank.claims(connection)).encode()[:-1] + b',"x":[{"a":1,"a":1}]}')


def _duplicate_header(bank: Bank, connection: Connection) -> str:
    header = b'{"alg":"RS256","kid":"%s","alg":"RS256"}' % str(bank.signing.kid).encode()
    return sign(header, bank.claims(connection), bank.signing)


def _flip(token: str) -> str:
    head, _, last = token.rpartition(".")
    data = bytearray(base64.urlsafe_b64decode(last + "=="))
    data[0] ^= 1
    return f"{head}.{encode(bytes(data))}"


def _claims(bank: Bank, connection: Connection, **header: Any) -> str:
    return bank.jws(bank.claims(connection), **header)


def _loose_last_bits(token: str) -> str:
    """The same bytes to a lenient decoder, but other text: the unused last bits are not zero."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    assert len(token.rpartition(".")[2]) % 4 == 2
    return token[:-1] + alphabet[alphabet.index(token[-1]) + 1]


BENT_JWS: dict[str, tuple[str, Make]] = {
    "alg none": ("alg", _none),
    "alg nOnE": ("alg", lambda b, c: _claims(b, c, alg="nOnE")),
    "alg missing": ("alg", lambda b, c: _claims(b, c, alg=None)),
    "alg PS256": ("alg", lambda b, c: _claims(b, c, alg="PS256")),
    "alg RS384": ("alg", lambda b, c: _claims(b, c, alg="RS384")),
    "HS256 with the public key as PEM": ("alg", lambda b, c: _hmac_with(b.signing.as_pem(private=False), b, c)),
    "HS256 with the public JWK": ("alg", lambda b, c: _hmac_with(json.dumps(public(b.signing)).encode(), b, c)),
    "signature empty": ("signature", lambda b, c: _claims(b, c).rpartition(".")[0] + "."),
    "signature flipped": ("signature", lambda b, c: _flip(_claims(b, c))),
    "by an attacker": ("signature", lambda b, c: b.jws(b.claims(c), b.attacker)),
    "by an attacker with jwk": ("signature", lambda b, c: b.jws(b.claims(c), b.attacker, jwk=public(b.attacker))),
    "by an attacker with jku": ("signature", lambda b, c: b.jws(b.claims(c), b.attacker, jku="https://a.example")),
    "by an attacker with x5u": ("signature", lambda b, c: b.jws(b.claims(c), b.attacker, x5u="https://a.example")),
    "by an attacker with x5c": ("signature", lambda b, c: b.jws(b.claims(c), b.attacker, x5c=["MIIB"])),
    "kid missing": ("kid", lambda b, c: _claims(b, c, kid=None)),
    "kid a number": ("kid", lambda b, c: _claims(b, c, kid=7)),
    "crit": ("crit", lambda b, c: _claims(b, c, crit=["exp"], exp=1)),
    "crit empty": ("crit", lambda b, c: _claims(b, c, crit=[])),
    "b64": ("b64", lambda b, c: _claims(b, c, b64=True)),
    "zip": ("zip", lambda b, c: _claims(b, c, zip="DEF")),
    "typ of an entity statement": ("typ", lambda b, c: _claims(b, c, typ="entity-statement+jwt")),
    "typ of an access token": ("typ", lambda b, c: _claims(b, c, typ="at+jwt")),
    "typ a list": ("typ", lambda b, c: _claims(b, c, typ=["JWT"])),
    "header with a member twice": ("duplicate", _duplicate_header),
    "header a list": ("header", lambda b, c: sign([{"alg": "RS256"}], b.claims(c), b.signing)),
    "header no JSON": ("header", lambda b, c: sign(b"{", b.claims(c), b.signing)),
    "header too long": ("header", lambda b, c: _claims(b, c, x="a" * 8192)),
    "claim twice": ("duplicate", _duplicate_claim),
    "claim twice, deep": ("duplicate", _nested_duplicate),
    "claims a list": ("payload", lambda b, c: b.jws([b.claims(c)])),
    "claims a string": ("payload", lambda b, c: b.jws("claims")),
    "claims not UTF-8": ("payload", lambda b, c: b.jws(b'{"x":"\xff"}')),
    "claims with NaN": ("number", lambda b, c: b.jws(b'{"exp":NaN}')),
    "claims with 1e400": ("number", lambda b, c: b.jws(b'{"exp":1e400}')),
    "claims with 5,000 digits": ("payload", lambda b, c: b.jws(b'{"exp":' + b"9" * 5000 + b"}")),
    "claims with half a surrogate pair": ("payload", lambda b, c: b.jws(b'{"x":"\\ud800"}')),
    "claims too deep": ("payload", lambda b, c: b.jws(b'{"x":' + b"[" * 9000 + b"]" * 9000 + b"}")),
    "stray padding": ("base64url", lambda b, c: _claims(b, c) + "=="),
    "standard base64": ("base64url", lambda b, c: _claims(b, c)[:-4] + "+/+/"),
    "a line break": ("base64url", lambda b, c: _claims(b, c) + "\n"),
    "last bits loose": ("base64url", lambda b, c: _loose_last_bits(_claims(b, c))),
    "a length no bytes have": ("base64url", lambda b, c: _claims(b, c)[:-1]),
    "two parts": ("parts", lambda b, c: _claims(b, c).rpartition(".")[0]),
    "a JWE inside": ("parts", lambda b, c: b.jwe(_claims(b, c))),
    "claims only": ("parts", lambda b, c: json.dumps(b.claims(c))),
    "empty": ("parts", lambda _b, _c: ""),
}


@pytest.mark.parametrize("row", BENT_JWS)
def test_a_bent_signed_token_is_refused(bank: Bank, ring: Ring, row: str) -> None:
    claim, make = BENT_JWS[row]
    refused(claim, bank.jwe(make(bank, make_connection())), bank, ring)


def test_a_signed_token_that_is_no_text_is_refused(bank: Bank, ring: Ring) -> None:
    refused("payload", bank.jwe(b"\xff\xfe"), bank, ring)


def test_a_key_that_is_not_known_is_unavailable(bank: Bank, ring: Ring) -> None:
    token = bank.jwe(bank.jws(bank.claims(make_connection()), kid="nobody"))
    with pytest.raises(Unavailable) as caught:
        verify(token, bank, ring)
    assert (caught.value.step, caught.value.claim) == (Step.ID_TOKEN, "kid")


def _direct(inner: str, bank: Bank) -> str:
    header = encode(json.dumps({"alg": "dir", "enc": "A128GCM", "kid": bank.recipient.kid}).encode())
    return f"{header}..{encode(b'i' * 12)}.{encode(inner.encode())}.{encode(b't' * 16)}"


def _headed(inner: str, bank: Bank, header: bytes) -> str:
    return f"{encode(header)}.{bank.jwe(inner).partition('.')[2]}"


def _password(inner: str, bank: Bank) -> str:
    header = {"alg": "PBES2-HS256+A128KW", "enc": "A128GCM", "kid": bank.recipient.kid, "p2c": 2**31, "p2s": "AAAA"}
    return _headed(inner, bank, json.dumps(header).encode())


def _bomb(inner: str, bank: Bank) -> str:
    assert len(zlib.compress(b" " * 1_000_000)) < 2000
    return bank.jwe(inner + " " * 200_000, zip="DEF")


BENT_JWE: dict[str, tuple[str, Callable[[str, Bank], str]]] = {
    "signed only": ("parts", lambda inner, _b: inner),
    "RSA1_5": ("alg", lambda inner, b: b.jwe(inner, alg="RSA1_5")),
    "dir": ("alg", _direct),
    "PBES2 with 2^31 rounds": ("alg", _password),
    "enc A192GCM": ("enc", lambda inner, b: b.jwe(inner, enc="A192GCM")),
    "enc missing": ("enc", lambda inner, b: _headed(inner, b, b'{"alg":"RSA-OAEP","kid":"x"}')),
    "kid missing": ("kid", lambda inner, b: b.jwe(inner, kid=None)),
    "kid unknown": ("kid", lambda inner, b: b.jwe(inner, kid="nobody")),
    "kid a list": ("kid", lambda inner, b: _headed(inner, b, b'{"alg":"RSA-OAEP","enc":"A128GCM","kid":["x"]}')),
    "to somebody else": ("decryption", lambda inner, b: b.jwe(inner, b.attacker)),
    "tag flipped": ("decryption", lambda inner, b: _flip(b.jwe(inner))),
    "zip": ("zip", lambda inner, b: b.jwe(inner, zip="DEF")),
    "zip bomb": ("zip", _bomb),
    "crit": ("crit", lambda inner, b: _headed(inner, b, b'{"alg":"RSA-OAEP","enc":"A128GCM","kid":"x","crit":["a"]}')),
    "cty": ("cty", lambda inner, b: b.jwe(inner, cty="text/plain")),
    "member twice": ("duplicate", lambda inner, b: _headed(inner, b, b'{"alg":"RSA-OAEP","alg":"RSA-OAEP"}')),
    "stray padding": ("base64url", lambda inner, b: b.jwe(inner) + "="),
    "line break": ("base64url", lambda inner, b: b.jwe(inner) + "\n"),
    "four parts": ("parts", lambda inner, b: b.jwe(inner).rpartition(".")[0]),
    "six parts": ("parts", lambda inner, b: b.jwe(inner) + ".AAAA"),
    "too long": ("size", lambda _inner, _b: "A" * 49_153),
}


@pytest.mark.parametrize("row", BENT_JWE)
def test_a_bent_encrypted_token_is_refused(bank: Bank, ring: Ring, row: str) -> None:
    claim, make = BENT_JWE[row]
    inner = bank.jws(bank.claims(make_connection()))
    refused(claim, make(inner, bank), bank, ring)


GOOD_JWE: list[tuple[str, dict[str, Any]]] = [
    ("ftn", {"enc": "A128GCM"}),
    ("ftn", {"alg": "RSA-OAEP-256", "enc": "A256GCM"}),
    ("telia", {"enc": "A128GCM"}),
    ("telia", {"cty": "jwt"}),
    ("isb", {"cty": None}),
    ("isb", {"iss": "https://bank.example/op", "aud": "tunnus", "typ": "JWT", "x-bank": "1"}),
]


@pytest.mark.parametrize(("dialect", "header"), GOOD_JWE)
def test_the_forms_that_banks_use_decrypt(bank: Bank, ring: Ring, dialect: str, header: dict[str, Any]) -> None:
    connection = make_connection(dialect)
    token = bank.jwe(bank.jws(bank.claims(connection)), **header)
    assert verify(token, bank, ring, connection).claims["acr"] == LOA


@pytest.mark.parametrize(
    ("dialect", "claim", "header"),
    [
        ("isb", "enc", {"enc": "A128GCM"}),
        ("isb", "alg", {"alg": "RSA-OAEP-256"}),
        ("telia", "alg", {"alg": "RSA-OAEP-256"}),
        ("telia", "enc", {"enc": "A256GCM"}),
    ],
)
def test_an_algorithm_that_a_dialect_does_not_document_is_refused(
    bank: Bank, ring: Ring, dialect: str, claim: str, header: dict[str, Any]
) -> None:
    connection = make_connection(dialect)
    refused(claim, bank.jwe(bank.jws(bank.claims(connection)), **header), bank, ring, connection)


@pytest.mark.parametrize("header", [{"typ": None}, {"typ": "jwt"}, {"typ": "JOSE"}, {"x-bank": {"a": [1]}}])
def test_the_forms_of_header_that_banks_use_verify(bank: Bank, ring: Ring, header: dict[str, Any]) -> None:
    token = bank.jwe(bank.jws(bank.claims(make_connection()), **header))
    assert verify(token, bank, ring).claims["sub"] == "event-7f3a"


def test_no_reason_holds_a_value_of_the_token(bank: Bank, ring: Ring) -> None:
    token = bank.id_token(make_connection(), nonce="<b>secret</b>")
    with pytest.raises(IntegrityError) as caught:
        verify(token, bank, ring)
    assert "secret" not in str(caught.value)


def test_an_old_token_is_refused_whatever_its_exp_says(bank: Bank, ring: Ring) -> None:
    token = bank.id_token(make_connection(), iat=NOW - id_token.OLDEST - 1, exp=NOW + 10**6)
    refused("iat", token, bank, ring)
