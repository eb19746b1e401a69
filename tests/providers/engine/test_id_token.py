"""The ID token as a nest of two objects, refused and taken: a row for each rule."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from providers.errors import IntegrityError
from tests.harness.engine.id_token import (
    ABSENT,
    CLAIMS,
    JWE_HEADER,
    JWS_HEADER,
    jwe,
    jws,
    token,
    verify,
)
from tests.harness.engine.jose import b64, encrypt, public_jwk, sign
from tests.harness.engine.parts import (
    CLIENT_ID,
    ISSUER,
    NONCE,
)

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
    "two byte order marks": (lambda: token(b"\xef\xbb\xbf" * 2 + json.dumps(CLAIMS).encode()), "payload"),
    "NaN": (lambda: token(json.dumps({**CLAIMS, "exp": float("nan")}).encode()), "number"),
    "Infinity": (lambda: token(json.dumps({**CLAIMS, "exp": float("inf")}).encode()), "number"),
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
    "a byte order mark": ("telia", lambda: token(b"\xef\xbb\xbf" + json.dumps(CLAIMS).encode())),
    "white space around the claims": ("telia", lambda: token(b" " + json.dumps(CLAIMS, indent=2).encode() + b"\n")),
}


@pytest.mark.parametrize("name", RIGHT_TOKENS)
def test_a_token_in_a_form_that_is_allowed_is_taken(name: str) -> None:
    dialect, build = RIGHT_TOKENS[name]
    assert verify(build(), dialect).claims == CLAIMS


@pytest.mark.parametrize("value", ['"\\ud800"', '{"\\udfff": 1}', "1e999", "9" * 5000, "-" + "9" * 5000])
def test_what_an_unknown_claim_holds_breaks_nothing(value: str) -> None:
    claims = verify(token(f'{json.dumps(CLAIMS)[:-1]}, "x": {value}}}'.encode())).claims
    assert {name: claims[name] for name in claims if name != "x"} == CLAIMS


@pytest.mark.parametrize("name", ["exp", "iat", "auth_time", "nbf"])
@pytest.mark.parametrize("value", ["1e999", "9" * 5000, "-" + "9" * 5000])
def test_a_number_that_no_float_holds_is_no_time(name: str, value: str) -> None:
    members = {member: CLAIMS[member] for member in CLAIMS if member != name}
    with pytest.raises(IntegrityError, match="no time") as caught:
        verify(token(f'{json.dumps(members)[:-1]}, "{name}": {value}}}'.encode()))
    assert caught.value.claim == name


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
