"""The ID token, refused and taken: a row for each rule."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from joserfc.jwk import RSAKey

from providers.engine.id_token import CHECKS, Expected, VerifiedToken, verify_id_token
from providers.errors import IntegrityError, Step, Unavailable
from tests.harness.engine.jose import b64, encrypt, public_jwk, rsa_key, sign
from tests.harness.engine.parts import (
    CLIENT_ID,
    HIGH_PRODUCTION_LEVEL,
    HIGH_TEST_LEVEL,
    ISSUER,
    NONCE,
    NOW,
    PRODUCTION_LEVEL,
    TEST_LEVEL,
    MemoryKeys,
    make_connection,
)

ACCESS_TOKEN = "an-access-token"
AT_HASH = b64(hashlib.sha256(ACCESS_TOKEN.encode()).digest()[:16])
JWS_HEADER: dict[str, Any] = {"alg": "RS256", "kid": "bank-sig", "typ": "JWT"}
JWE_HEADER: dict[str, Any] = {"alg": "RSA-OAEP", "enc": "A128CBC-HS256", "kid": "our-enc", "cty": "JWT"}
CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "aud": [CLIENT_ID],
    "azp": CLIENT_ID,
    "exp": NOW + 600,
    "iat": NOW,
    "nonce": NONCE,
    "sub": "event-17",
    "acr": TEST_LEVEL,
    "auth_time": NOW - 20,
    "at_hash": AT_HASH,
    "amr": [f"{ISSUER}/saml2/names/ac/oidc.nordea.1"],
}
EXPECTED = Expected(
    issuer=ISSUER,
    client_id=CLIENT_ID,
    nonce=NONCE,
    acr_values=(TEST_LEVEL,),
    test=True,
    started_at=NOW - 120,
    now=NOW,
    skew=60,
    access_token=ACCESS_TOKEN,
)
ABSENT = object()


def with_members(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """The base with the changes; ABSENT takes a member away."""
    return {name: value for name, value in (base | changes).items() if value is not ABSENT}


def token(
    claims: dict[str, Any] | bytes = CLAIMS,
    *,
    jws: dict[str, Any] | bytes | None = None,
    jwe: dict[str, Any] | bytes | None = None,
    key: str = "bank-sig",
    how: str = "RS256",
    wrap: str = "RSA-OAEP",
    enc: str = "A128CBC-HS256",
    inner: Callable[[str], str] = lambda text: text,
) -> str:
    """A nested token; jws, jwe: headers. inner: what becomes of the signed token before it is encrypted."""
    signed = inner(sign(jws or JWS_HEADER, claims, key, how))
    return encrypt(jwe or JWE_HEADER, signed.encode(), "our-enc", wrap, enc)


def find_key(kid: str | None, refused: RSAKey | None = None) -> RSAKey:
    """The bank's keys, which do not change; without a name one of them."""
    kid = kid or "bank-sig"
    if kid not in ("bank-sig", "bank-sig-2"):
        raise Unavailable(Step.ID_TOKEN, "unknown", claim="kid")
    return rsa_key(kid)


def verify(text: str, dialect: str = "telia", expected: Expected = EXPECTED, **fields: Any) -> VerifiedToken:
    """What the engine makes of a token; fields: of the connection."""
    return verify_id_token(text, make_connection(dialect, **fields), expected, MemoryKeys(), find_key)


# --- claims -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Claim:
    """A change of the claims, and the claim that it is refused for."""

    changes: dict[str, Any]
    claim: str
    reason: str
    expected: dict[str, Any] = field(default_factory=dict)


def _claim(name: str, value: object, reason: str, **expected: Any) -> Any:
    shown = "absent" if value is ABSENT else json.dumps(value)[:32]
    return pytest.param(Claim({name: value}, name, reason, expected), id=f"{name}-{shown}-{len(expected)}")


WRONG_CLAIMS = [
    *(_claim("iss", v, "another issuer") for v in (ABSENT, ISSUER + "/", ISSUER.upper(), "", None, 1, [ISSUER], {})),
    *(_claim("aud", v, "not for us alone") for v in (ABSENT, "other", "", [], None, 7, {}, [[CLIENT_ID]])),
    *(_claim("aud", v, "not for us alone") for v in ([CLIENT_ID, "other"], ["other", CLIENT_ID], {CLIENT_ID: 1})),
    _claim("aud", [CLIENT_ID, CLIENT_ID], "not for us alone"),
    *(_claim("azp", v, "another client") for v in ("other", " ", [], [CLIENT_ID], 1, False)),
    *(_claim("exp", v, "no time") for v in (ABSENT, None, str(NOW + 600), True, [NOW], 2**53, {})),
    *(_claim("exp", v, "has expired") for v in (NOW - 60, NOW - 3600, 0, -5)),
    *(_claim("iat", v, "no time") for v in (ABSENT, None, str(NOW), True, {}, -(2**53))),
    *(_claim("iat", v, "from the future") for v in (NOW + 61, NOW + 60.5)),
    *(_claim("iat", v, "too old") for v in (NOW - 3601, 0, -1)),
    *(_claim("nbf", v, "no time") for v in ([], str(NOW), True, False)),
    *(_claim("nbf", v, "not valid yet") for v in (NOW + 61, NOW + 600)),
    *(_claim("nonce", v, "another nonce") for v in (ABSENT, "", NONCE[:-1], NONCE.upper(), None, [NONCE], 0)),
    *(_claim("sub", v, "missing or no string") for v in (ABSENT, "", None, 5, ["a"], "s" * 256)),
    *(_claim("acr", v, "none of the FTN's") for v in (ABSENT, "", None, [TEST_LEVEL], TEST_LEVEL + "/", 2, {})),
    *(_claim("acr", v, "none of the FTN's") for v in (TEST_LEVEL.replace("http:", "https:"), TEST_LEVEL.upper())),
    _claim("acr", "urn:loa", "none of the FTN's", acr_values=("urn:loa",)),
    *(_claim("acr", v, "another environment") for v in (PRODUCTION_LEVEL, HIGH_PRODUCTION_LEVEL)),
    _claim("acr", PRODUCTION_LEVEL, "another environment", acr_values=(PRODUCTION_LEVEL,)),
    *(_claim("acr", v, "another environment", test=False) for v in (TEST_LEVEL, HIGH_TEST_LEVEL)),
    _claim("acr", TEST_LEVEL, "not accepted", acr_values=(HIGH_TEST_LEVEL,)),
    _claim("acr", HIGH_TEST_LEVEL, "not accepted", acr_values=(PRODUCTION_LEVEL,)),
    *(_claim("acr", HIGH_TEST_LEVEL, "not accepted", acr_values=v) for v in ((), ("urn:loa",))),
    *(_claim("auth_time", v, "no time") for v in (ABSENT, None, str(NOW), True, [])),
    *(_claim("auth_time", v, "older than the request") for v in (NOW - 181, 0)),
    *(_claim("auth_time", v, "in the future") for v in (NOW + 61, NOW + 3600)),
    *(_claim("at_hash", v, "no access token") for v in (" ", AT_HASH[:-1] + "_", [AT_HASH], 3, AT_HASH + "==")),
    _claim("at_hash", AT_HASH, "no access token", access_token=None),
    _claim("at_hash", b64(hashlib.sha256(b"").digest()[:16]), "no access token", access_token=None),
    *(_claim("amr", v, "no list of strings") for v in (4, 0, False, {}, [1], [None], [["a"]], ["a", None])),
    *(_claim("amr", v, "too long") for v in (["a"] * 11, ["a" * 256], "a" * 256)),
]


@pytest.mark.parametrize("row", WRONG_CLAIMS)
def test_a_claim_that_does_not_hold_is_refused_by_name(row: Claim) -> None:
    with pytest.raises(IntegrityError) as caught:
        verify(token(with_members(CLAIMS, row.changes)), expected=replace(EXPECTED, **row.expected))
    assert (caught.value.code, caught.value.step, caught.value.claim) == ("integrity_error", "id_token", row.claim)
    assert row.reason in caught.value.reason


def test_every_check_has_a_row() -> None:
    names = {row.values[0].claim for row in WRONG_CLAIMS}
    assert names == {"iss", "aud", "azp", "exp", "iat", "nbf", "nonce", "sub", "acr", "auth_time", "at_hash", "amr"}
    assert len(CHECKS) == len(names) - 1  # iat and nbf are one check


@pytest.mark.parametrize(
    ("acr", "accepted"),
    [
        (HIGH_TEST_LEVEL, (TEST_LEVEL,)),
        (HIGH_TEST_LEVEL, (HIGH_TEST_LEVEL,)),
        (HIGH_TEST_LEVEL, (HIGH_TEST_LEVEL, TEST_LEVEL)),
        (TEST_LEVEL, (HIGH_TEST_LEVEL, TEST_LEVEL)),
    ],
)
def test_a_level_at_or_above_the_lowest_accepted_one_is_taken_as_it_is(acr: str, accepted: tuple[str, ...]) -> None:
    verified = verify(token({**CLAIMS, "acr": acr}), expected=replace(EXPECTED, acr_values=accepted))
    assert verified.claims["acr"] == acr


RIGHT_CLAIMS = {
    "audience as a string": {"aud": CLIENT_ID},
    "no authorized party": {"azp": ABSENT},
    "expired within the skew": {"exp": NOW - 59},
    "issued ahead of our clock, within the skew": {"iat": NOW + 60},
    "an hour old": {"iat": NOW - 3600},
    "times with fractions": {"iat": NOW + 0.25, "exp": NOW + 10.5, "auth_time": NOW - 1.5},
    "not before, in the past": {"nbf": NOW - 5},
    "not before, within the skew": {"nbf": NOW + 60},
    "longest subject": {"sub": "s" * 255},
    "authenticated at the start, less the skew": {"auth_time": NOW - 180},
    "authenticated ahead of our clock": {"auth_time": NOW + 60},
    "no access token hash": {"at_hash": ABSENT},
    "no methods": {"amr": ABSENT},
    "an empty list of methods": {"amr": []},
    "ten long methods": {"amr": ["a" * 255] * 10},
    "claims that nobody knows": {"https://bank.example/new": {"a": [1, None]}, "": "x", "exp2": "x"},
}


@pytest.mark.parametrize("name", RIGHT_CLAIMS)
def test_a_variant_of_the_claims_that_is_allowed_is_taken(name: str) -> None:
    claims = with_members(CLAIMS, RIGHT_CLAIMS[name])
    assert verify(token(claims)).claims == claims


NOTHING_SAID = ("azp", "nbf", "at_hash", "amr", "session_index", "urn:oid:1.3.6.1.5.5.7.9.1", "x")


@pytest.mark.parametrize("nothing", [None, ""])
def test_an_optional_claim_that_says_nothing_is_as_if_it_were_not_there(nothing: object) -> None:
    claims = CLAIMS | dict.fromkeys(NOTHING_SAID, nothing)
    assert verify(token(claims)).claims == {name: CLAIMS[name] for name in CLAIMS if name not in NOTHING_SAID}


@pytest.mark.parametrize(
    ("methods", "read"), [("oidc.nordea.1", ["oidc.nordea.1"]), (["", "a", ""], ["a"]), ([""], []), ([], [])]
)
def test_methods_are_read_as_a_list_of_those_that_are_named(methods: object, read: list[str]) -> None:
    assert verify(token({**CLAIMS, "amr": methods})).claims["amr"] == read


def test_what_held_is_told_with_the_claims() -> None:
    verified = verify(token(jws={**JWS_HEADER, "kid": "bank-sig-2"}, key="bank-sig-2"))
    assert (verified.signing_kid, verified.encryption_kid) == ("bank-sig-2", "our-enc")


# --- the nest ---------------------------------------------------------------------------------------------------

HEADERS = {"jwk": public_jwk("attacker"), "jku": "https://attacker.example/jwks", "x5u": "https://attacker.example/x"}


def attackers(**members: Any) -> str:
    """Signed by the attacker, whose key the header brings along or points to."""
    return token(jws={**JWS_HEADER, **members}, key="attacker")


def swapped(text: str, part: int, change: Callable[[str], str]) -> str:
    """A compact token with one part changed."""
    parts = text.split(".")
    parts[part] = change(parts[part])
    return ".".join(parts)


def last_bits(segment: str) -> str:
    """The same content with a stray last bit: a second form of one signature or tag."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return segment[:-1] + alphabet[alphabet.index(segment[-1]) + 1]


def jws(**members: Any) -> dict[str, Any]:
    """The signed token's header with other members."""
    return with_members(JWS_HEADER, members)


def jwe(**members: Any) -> dict[str, Any]:
    """The encrypted token's header with other members."""
    return with_members(JWE_HEADER, members)


def doubled(header: dict[str, Any], member: str) -> bytes:
    """A header in which one member stands twice, with the same value."""
    text = json.dumps(header)
    return f'{text[:-1]}, "{member}": {json.dumps(header[member])}}}'.encode()


CLAIMS_TWICE = json.dumps(CLAIMS)[:-1].encode() + b', "nonce": "' + NONCE.encode() + b'"}'
DEEP_TWICE = json.dumps(CLAIMS)[:-1].encode() + b', "extra": [{"a": 1, "a": 1}]}'

WRONG_TOKENS: dict[str, tuple[Callable[[], str], str]] = {
    # algorithms of the signed token
    "alg none": (lambda: token(jws=jws(alg="none"), how="none"), "alg"),
    "alg None in other letters": (lambda: token(jws=jws(alg="nOnE"), how="none"), "alg"),
    "alg RS256 without a signature": (lambda: token(how="none"), "signature"),
    "HS256 with the public key as the secret": (lambda: token(jws=jws(alg="HS256"), how="HS256"), "alg"),
    "HS256 that says RS256": (lambda: token(how="HS256"), "signature"),
    "PS256": (lambda: token(jws=jws(alg="PS256"), how="PS256"), "alg"),
    "RS512": (lambda: token(jws=jws(alg="RS512"), how="RS512"), "alg"),
    "alg missing": (lambda: token(jws=jws(alg=ABSENT)), "alg"),
    "alg a list": (lambda: token(jws=jws(alg=["RS256"])), "alg"),
    # algorithms of the encrypted token
    "RSA1_5": (lambda: token(jwe=jwe(alg="RSA1_5"), wrap="RSA1_5"), "alg"),
    "dir": (lambda: token(jwe=jwe(alg="dir"), wrap="dir"), "alg"),
    "JWE alg missing": (lambda: token(jwe=jwe(alg=ABSENT)), "alg"),
    "RSA-OAEP-256 where the contract says RSA-OAEP": (
        lambda: token(jwe=jwe(alg="RSA-OAEP-256"), wrap="RSA-OAEP-256"),
        "alg",
    ),
    "A256GCM at telia": (lambda: token(jwe=jwe(enc="A256GCM"), enc="A256GCM"), "enc"),
    "enc missing": (lambda: token(jwe=jwe(enc=ABSENT)), "enc"),
    "enc a list": (lambda: token(jwe=jwe(enc=["A128CBC-HS256"])), "enc"),
    # the nest itself
    "signed, not encrypted": (lambda: sign(JWS_HEADER, CLAIMS, "bank-sig"), "parts"),
    "encrypted, not signed": (lambda: encrypt(JWE_HEADER, json.dumps(CLAIMS).encode(), "our-enc"), "parts"),
    "encrypted twice": (lambda: encrypt(JWE_HEADER, token().encode(), "our-enc"), "parts"),
    "an unsecured token inside": (lambda: token(jws=jws(alg="none", kid=ABSENT), how="none"), "alg"),
    "content that is no text": (lambda: encrypt(JWE_HEADER, b"\xff\xfe", "our-enc"), "payload"),
    "no content": (lambda: encrypt(JWE_HEADER, b"", "our-enc"), "parts"),
    "empty": (lambda: "", "parts"),
    "five dots only": (lambda: "....", "header"),
    # keys
    "encrypted to another's key id": (lambda: token(jwe=jwe(kid="somebody")), "kid"),
    "encrypted to our signing key": (lambda: token(jwe=jwe(kid="our-sig")), "kid"),
    "encrypted to one key, named another": (lambda: token(jwe=jwe(kid="our-old-enc")), "decryption"),
    "JWE kid missing": (lambda: token(jwe=jwe(kid=ABSENT)), "kid"),
    "JWE kid a number": (lambda: token(jwe=jwe(kid=1)), "kid"),
    "JWS kid missing": (lambda: token(jws=jws(kid=ABSENT)), "kid"),
    "JWS kid null": (lambda: token(jws=jws(kid=None)), "kid"),
    "JWS kid a list": (lambda: token(jws=jws(kid=["bank-sig"])), "kid"),
    "signed by another key of the bank": (lambda: token(key="bank-sig-2"), "signature"),
    "signed by the attacker": (lambda: token(key="attacker"), "signature"),
    **{f"embedded {name}": (lambda n=name: attackers(**{n: HEADERS[n]}), "signature") for name in HEADERS},
    # extensions
    "crit in the signed": (lambda: token(jws=jws(crit=["exp"], exp=1)), "crit"),
    "crit, empty": (lambda: token(jws=jws(crit=[])), "crit"),
    "b64": (lambda: token(jws=jws(b64=True)), "b64"),
    "crit in the encrypted": (lambda: token(jwe=jwe(crit=["x"], x=1)), "crit"),
    "zip": (lambda: token(jwe=jwe(zip="DEF")), "zip"),
    "zip null": (lambda: token(jwe=jwe(zip=None)), "zip"),
    # types
    "an entity statement": (lambda: token(jws=jws(typ="entity-statement+jwt")), "typ"),
    "an access token": (lambda: token(jws=jws(typ="at+jwt")), "typ"),
    "a key set": (lambda: token(jws=jws(typ="jwk-set+jwt")), "typ"),
    "typ a number": (lambda: token(jws=jws(typ=1)), "typ"),
    "cty another": (lambda: token(jwe=jwe(cty="json")), "cty"),
    # strict JSON
    "JWS header member twice": (lambda: token(jws=doubled(JWS_HEADER, "alg")), "duplicate"),
    "JWE header member twice": (lambda: token(jwe=doubled(JWE_HEADER, "kid")), "duplicate"),
    "claim twice": (lambda: token(CLAIMS_TWICE), "duplicate"),
    "member twice in the depth of a claim": (lambda: token(DEEP_TWICE), "duplicate"),
    "claims a list": (lambda: token(b"[]"), "payload"),
    "claims a string": (lambda: token(b'"iss"'), "payload"),
    "claims not JSON": (lambda: token(b"{"), "payload"),
    "claims not UTF-8": (lambda: token(b'{"iss": "\xff"}'), "payload"),
    "claims with a byte order mark": (lambda: token(b"\xef\xbb\xbf" + json.dumps(CLAIMS).encode()), "payload"),
    "claims with half a surrogate pair": (lambda: token(json.dumps({**CLAIMS, "x": "\ud800"}).encode()), "payload"),
    "NaN": (lambda: token(json.dumps({**CLAIMS, "exp": float("nan")}).encode()), "number"),
    "Infinity": (lambda: token(json.dumps({**CLAIMS, "exp": float("inf")}).encode()), "number"),
    "a float beyond floats": (lambda: token(json.dumps(CLAIMS)[:-1].encode() + b', "x": 1e999}'), "number"),
    "a number of 5000 digits": (
        lambda: token(json.dumps(CLAIMS)[:-1].encode() + b', "x": ' + b"9" * 5000 + b"}"),
        "payload",
    ),
    "JWS header a list": (lambda: token(jws=b"[]"), "header"),
    "JWE header not JSON": (lambda: token(jwe=b"{alg}"), "header"),
    # strict base64url and form
    "padding behind the signature": (lambda: token(inner=lambda text: text + "=="), "base64url"),
    "padding behind the claims": (lambda: token(inner=lambda text: swapped(text, 1, lambda p: p + "=")), "base64url"),
    "padding in the encrypted": (lambda: swapped(token(), 1, lambda part: part + "=="), "base64url"),
    "a stray bit in the signature": (lambda: token(inner=lambda text: swapped(text, 2, last_bits)), "base64url"),
    "a stray bit in the tag": (lambda: swapped(token(), 4, last_bits), "base64url"),
    "base64 letters": (lambda: swapped(token(), 3, lambda part: "+/" + part[2:]), "base64url"),
    "a space in front": (lambda: " " + token(), "base64url"),
    "a line break behind": (lambda: token() + "\n", "base64url"),
    "a line break behind the signed": (lambda: token(inner=lambda text: text + "\n"), "base64url"),
    "a space within": (lambda: swapped(token(), 3, lambda part: part[:9] + " " + part[9:]), "base64url"),
    "letters of another script": (lambda: swapped(token(), 3, lambda part: "ａ" + part[1:]), "base64url"),
    "one part more": (lambda: token() + ".AA", "parts"),
    "one part more in the signed": (lambda: token(inner=lambda text: text + ".AA"), "parts"),
    # tampering
    "ciphertext changed": (
        lambda: swapped(token(), 3, lambda part: ("B" if part[0] == "A" else "A") + part[1:]),
        "decryption",
    ),
    "tag cut": (lambda: swapped(token(), 4, lambda part: b64(base64.urlsafe_b64decode(part + "==")[:8])), "decryption"),
    "JWE header changed": (lambda: swapped(token(), 0, lambda _: b64(json.dumps(jwe(x=1)).encode())), "decryption"),
    "key of no length": (lambda: swapped(token(), 1, lambda _: ""), "decryption"),
    "claims changed": (
        lambda: token(inner=lambda text: swapped(text, 1, lambda _: b64(json.dumps({**CLAIMS, "x": 1}).encode()))),
        "signature",
    ),
    "signature empty": (lambda: token(inner=lambda text: swapped(text, 2, lambda _: "")), "signature"),
    # size
    "too long": (lambda: token({**CLAIMS, "x": "x" * 49 * 1024}), "size"),
    "JWS header too long": (lambda: token(jws=jws(x="x" * 8 * 1024)), "header"),
    "JWE header too long": (lambda: token(jwe=jwe(x="x" * 8 * 1024)), "header"),
}


@pytest.mark.parametrize("name", WRONG_TOKENS)
def test_a_token_that_is_not_the_strict_nest_is_refused(name: str) -> None:
    build, claim = WRONG_TOKENS[name]
    with pytest.raises(IntegrityError) as caught:
        verify(build())
    assert (caught.value.code, caught.value.step, caught.value.claim) == ("integrity_error", "id_token", claim)


def test_an_unknown_signing_key_is_for_the_finder_of_keys_to_refuse() -> None:
    with pytest.raises(Unavailable) as caught:
        verify(token(jws=jws(kid="unknown")))
    assert (caught.value.code, caught.value.step, caught.value.claim) == ("unavailable", "id_token", "kid")


@pytest.mark.parametrize("kid", [1, None, ["bank-sig"]])
def test_no_key_is_looked_for_before_the_header_stands(kid: object) -> None:
    asked: list[str | None] = []

    def asking(asked_kid: str | None, refused: RSAKey | None = None) -> RSAKey:
        asked.append(asked_kid)
        return rsa_key("bank-sig")

    with pytest.raises(IntegrityError):
        verify_id_token(token(jws=jws(kid=kid)), make_connection("telia"), EXPECTED, MemoryKeys(), asking)
    assert asked == []


NAMELESS: dict[str, Callable[[], str]] = {
    "the signed": lambda: token(jws=jws(kid=ABSENT)),
    "the signed, null": lambda: token(jws=jws(kid=None)),
    "the signed, empty": lambda: token(jws=jws(kid="")),
    "the encrypted": lambda: token(jwe=jwe(kid=ABSENT)),
    "the encrypted, null": lambda: token(jwe=jwe(kid=None)),
    "both": lambda: token(jws=jws(kid=ABSENT), jwe=jwe(kid="")),
    "the encrypted, to the older of our keys": lambda: encrypt(
        jwe(kid=ABSENT), sign(JWS_HEADER, CLAIMS, "bank-sig").encode(), "our-old-enc"
    ),
}


@pytest.mark.parametrize("name", NAMELESS)
def test_a_token_that_names_no_key_is_taken_where_the_connection_says_so_only(name: str) -> None:
    assert verify(NAMELESS[name](), kid_required=False).claims == CLAIMS
    with pytest.raises(IntegrityError) as caught:
        verify(NAMELESS[name]())
    assert caught.value.claim == "kid"


@pytest.mark.parametrize(
    ("build", "claim"),
    [
        (lambda: token(jws=jws(kid=ABSENT), key="bank-sig-2"), "signature"),
        (lambda: token(jws=jws(kid=ABSENT), key="attacker"), "signature"),
        (lambda: token(jws=jws(kid=ABSENT, alg="none"), how="none"), "alg"),
        (lambda: token(jws=jws(kid=ABSENT), how="HS256"), "signature"),
        (lambda: encrypt(jwe(kid=ABSENT), b"x", "attacker"), "decryption"),
        (lambda: token(jwe=jwe(kid="somebody")), "kid"),
        (lambda: token(jwe=jwe(kid=1)), "kid"),
        (lambda: token(jws=jws(kid=1)), "kid"),
        (lambda: token(jws=jws(kid=[])), "kid"),
    ],
)
def test_to_name_no_key_opens_nothing_else(build: Callable[[], str], claim: str) -> None:
    with pytest.raises(IntegrityError) as caught:
        verify(build(), kid_required=False)
    assert caught.value.claim == claim


@pytest.mark.parametrize(
    ("key", "now_published", "claim"), [("attacker", "attacker", None), ("attacker", "bank-sig-2", "signature")]
)
def test_the_same_token_is_tried_once_more_under_what_took_the_place_of_a_key(
    key: str, now_published: str, claim: str | None
) -> None:
    asked: list[tuple[str | None, RSAKey | None]] = []

    def replaced(kid: str | None, refused: RSAKey | None = None) -> RSAKey:
        asked.append((kid, refused))
        return rsa_key(now_published if refused else "bank-sig")

    def act() -> VerifiedToken:
        return verify_id_token(token(key=key), make_connection("telia"), EXPECTED, MemoryKeys(), replaced)

    if claim is None:
        assert act().claims == CLAIMS
    else:
        with pytest.raises(IntegrityError) as caught:
            act()
        assert caught.value.claim == claim
    assert asked == [("bank-sig", None), ("bank-sig", rsa_key("bank-sig"))]


RIGHT_TOKENS: dict[str, tuple[str, Callable[[], str]]] = {
    "as the guide says": ("telia", token),
    "A128GCM at telia": ("telia", lambda: token(jwe=jwe(enc="A128GCM"), enc="A128GCM")),
    "RSA-OAEP-256 and A256GCM at ftn": (
        "ftn",
        lambda: token(jwe=jwe(alg="RSA-OAEP-256", enc="A256GCM"), wrap="RSA-OAEP-256", enc="A256GCM"),
    ),
    "RSA-OAEP at ftn": ("ftn", token),
    "A128CBC-HS256 at isb": ("isb", token),
    "a key of ours that is on its way out": (
        "telia",
        lambda: encrypt(jwe(kid="our-old-enc"), sign(JWS_HEADER, CLAIMS, "bank-sig").encode(), "our-old-enc"),
    ),
    "no cty": ("telia", lambda: token(jwe=jwe(cty=ABSENT))),
    "cty in small letters": ("telia", lambda: token(jwe=jwe(cty="jwt"))),
    "cty with its tree": ("telia", lambda: token(jwe=jwe(cty="application/jwt"))),
    "iss and aud repeated in the JWE header": ("telia", lambda: token(jwe=jwe(iss=ISSUER, aud=CLIENT_ID))),
    "typ in the JWE header": ("telia", lambda: token(jwe=jwe(typ="JWT"))),
    "cty null": ("telia", lambda: token(jwe=jwe(cty=None))),
    "typ null": ("telia", lambda: token(jws=jws(typ=None))),
    "header members that mean nothing to us": (
        "telia",
        lambda: token(jws=jws(x5c=None, jku=7, x5t="", jwk=[]), jwe=jwe(x5c=None, jku=7, typ=None, apu=3)),
    ),
    "typ empty": ("telia", lambda: token(jws=jws(typ=""))),
    "no typ": ("telia", lambda: token(jws=jws(typ=ABSENT))),
    "typ in small letters": ("telia", lambda: token(jws=jws(typ="jwt"))),
    "typ JOSE": ("telia", lambda: token(jws=jws(typ="JOSE"))),
    "typ with its tree": ("telia", lambda: token(jws=jws(typ="application/JWT"))),
    "unknown header members": ("telia", lambda: token(jws=jws(foo={"a": 1}), jwe=jwe(foo=[1]))),
    "a key in the header that is not used": ("telia", lambda: token(jws=jws(jwk=public_jwk("attacker")))),
    "a certificate chain in the header": ("telia", lambda: token(jws=jws(x5c=["MIID" + "A" * 2000]))),
    "an x5u that is never fetched": ("telia", lambda: token(jws=jws(x5u="https://attacker.example/x"))),
    "white space around the claims": ("telia", lambda: token(b" " + json.dumps(CLAIMS, indent=2).encode() + b"\n")),
}


@pytest.mark.parametrize("name", RIGHT_TOKENS)
def test_a_token_in_a_form_that_is_allowed_is_taken(name: str) -> None:
    dialect, build = RIGHT_TOKENS[name]
    assert verify(build(), dialect).claims == CLAIMS


@pytest.mark.parametrize("enc", ["A128GCM", "A256GCM"])
def test_a_content_encryption_of_another_dialect_is_refused_at_isb(enc: str) -> None:
    with pytest.raises(IntegrityError) as caught:
        verify(token(jwe=jwe(enc=enc), enc=enc), "isb")
    assert caught.value.claim == "enc"


def test_nothing_of_a_token_stands_in_what_it_is_refused_with() -> None:
    secret = "270996-997L"
    with pytest.raises(IntegrityError) as caught:
        verify(token({**CLAIMS, "nonce": secret, "sub": secret}))
    assert secret not in str(caught.value)
    assert secret not in repr(verify(token({**CLAIMS, "urn:oid:1.2.246.21": secret})))
