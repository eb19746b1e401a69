"""Tokens that are encrypted to the service."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import OctKey, RSAKey

from tunnus_verifier import BadSignature, Malformed, NotDecrypted, VerificationError, Verifier, WrongAudience
from tunnus_verifier.testing import TokenMint
from tunnus_verifier.testing.bad_tokens import BAD_TOKENS
from tunnus_verifier.testing.mint import make_key


def verifier_of(mint: TokenMint, **settings: Any) -> Verifier:
    whole = {"decryption_keys": [mint.decryption_key], "fetch": mint.fetch, **settings}
    return Verifier(mint.issuer, mint.audience, **whole)


@pytest.fixture
def mint() -> TokenMint:
    return TokenMint()


@pytest.mark.parametrize("header", [{}, {"kid": None}, {"cty": "jwt"}])
def test_an_encrypted_token_is_opened_and_verified(mint: TokenMint, header: dict[str, Any]) -> None:
    token = mint.encrypt(mint.token(personal_identity_code="010280-952L"), **header)
    assert verifier_of(mint).verify(token).personal_identity_code == "010280-952L"


def test_while_a_key_is_replaced_both_open_tokens(mint: TokenMint) -> None:
    newer = {**RSAKey.generate_key(2048).as_dict(private=True), "kid": "newer"}
    verifier = verifier_of(mint, decryption_keys=[newer, mint.decryption_key])
    assert verifier.verify(mint.encrypt(mint.token()))
    assert verifier.verify(mint.encrypt(mint.token(), kid=None))
    with pytest.raises(NotDecrypted):
        verifier.verify(mint.encrypt(mint.token(), kid="unknown"))


def test_a_plain_token_is_refused_where_encrypted_ones_are_expected_unless_asked_for(mint: TokenMint) -> None:
    with pytest.raises(NotDecrypted):
        verifier_of(mint).verify(mint.token())
    assert verifier_of(mint, accept_unencrypted=True).verify(mint.token())
    assert verifier_of(mint, accept_unencrypted=True).verify(mint.encrypt(mint.token()))


def test_an_encrypted_token_is_refused_where_there_are_no_keys(mint: TokenMint) -> None:
    with pytest.raises(NotDecrypted):
        verifier_of(mint, decryption_keys=None).verify(mint.encrypt(mint.token()))


@pytest.mark.parametrize(
    ("header", "claim"),
    [
        ({"alg": "RSA-OAEP"}, "alg"),
        ({"alg": "RSA1_5"}, "alg"),
        ({"enc": "A128CBC-HS256"}, "enc"),
        ({"cty": None}, "cty"),
        ({"cty": "json"}, "cty"),
        ({"zip": "DEF"}, "zip"),
        ({"crit": ["kid"]}, "crit"),
    ],
)
@pytest.mark.filterwarnings("ignore::UserWarning")  # joserfc warns of RSA1_5, which is the point
def test_only_one_way_of_encrypting_is_accepted(mint: TokenMint, header: dict[str, Any], claim: str) -> None:
    with pytest.raises(NotDecrypted) as refused:
        verifier_of(mint).verify(mint.encrypt(mint.token(), **header))
    assert refused.value.claim == claim


def test_a_token_for_another_key_is_refused(mint: TokenMint) -> None:
    other = {**RSAKey.generate_key(2048).as_dict(private=True), "kid": "service-enc"}
    with pytest.raises(NotDecrypted):
        verifier_of(mint, decryption_keys=[other]).verify(mint.encrypt(mint.token()))


def test_a_changed_ciphertext_is_refused(mint: TokenMint) -> None:
    parts = mint.encrypt(mint.token()).split(".")
    for number in range(1, 5):
        changed = parts.copy()
        changed[number] = ("B" if parts[number][0] == "A" else "A") + parts[number][1:]
        with pytest.raises(NotDecrypted):
            verifier_of(mint).verify(".".join(changed))


def test_what_is_inside_must_be_a_signed_token(mint: TokenMint) -> None:
    for inside in ("no token", mint.encrypt(mint.token()), "Henkilö"):
        with pytest.raises((Malformed, NotDecrypted)):
            verifier_of(mint).verify(mint.encrypt(inside))
    with pytest.raises(Malformed):
        verifier_of(mint).verify(mint.encrypt(BAD_TOKENS["alg_none"].make(mint)))


def test_what_is_inside_is_verified_as_any_token(mint: TokenMint) -> None:
    with pytest.raises(WrongAudience):
        verifier_of(mint).verify(mint.encrypt(mint.token(aud="another")))
    with pytest.raises(BadSignature):
        verifier_of(mint).verify(mint.encrypt(mint.sign(mint.claims(), key=make_key("ES256", "foreign"))))


@pytest.mark.parametrize(
    "keys",
    [
        [],
        [{}],
        [{"kty": "RSA"}],
        [OctKey.generate_key(256).as_dict(private=True)],
        [RSAKey.generate_key(2048).as_dict(private=False)],
    ],
)
def test_keys_that_decrypt_nothing_are_told_at_start(mint: TokenMint, keys: list[dict[str, Any]]) -> None:
    with pytest.raises(ValueError, match="decryption_keys"):
        verifier_of(mint, decryption_keys=keys)


def test_without_joserfc_the_error_says_what_to_install(mint: TokenMint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "joserfc", None)
    with pytest.raises(ImportError, match=r"tunnus-verifier\[encrypted\]"):
        verifier_of(mint)
    assert verifier_of(mint, decryption_keys=None).verify(mint.token())


MINT = TokenMint()
VERIFIER = verifier_of(MINT)


@given(st.from_regex(r"([A-Za-z0-9_-]{0,20}\.){4}[A-Za-z0-9_-]{0,20}", fullmatch=True))
def test_garbage_in_five_parts_is_refused(token: str) -> None:
    with pytest.raises(VerificationError):
        VERIFIER.verify(token)
    with pytest.raises(VerificationError):
        VERIFIER.verify(".".join([MINT.encrypt("x").partition(".")[0], *token.split(".")[1:]]))
