"""The keys of a JWKS that can verify: which are taken, and which are left out."""

from __future__ import annotations

from typing import Any

import pytest
from joserfc.jwk import RSAKey

from providers.engine.public_keys import MOST_OF_ONE_KID, keys_of, usable_keys
from tests.harness.engine.bank import Bank
from tests.harness.engine.jose import public
from tests.harness.engine.key_set import kid

MALFORMED: dict[str, Any] = {
    "no object": 7,
    "empty": {},
    "another kind": {"kty": "unheard-of", "kid": "x"},
    "a point that is none": {"kty": "EC", "crv": "P-256", "kid": "x", "x": "AA", "y": "AA"},
    "no modulus": {"kty": "RSA", "kid": "x", "e": "AQAB"},
    "a modulus that is no base64url": {"kty": "RSA", "kid": "x", "n": "!!", "e": "AQAB"},
    "a modulus that is a number": {"kty": "RSA", "kid": "x", "n": 3, "e": "AQAB"},
    "an exponent that is a number": {"e": 65537},
    "an exponent of one": {"e": "AQ"},
    "an even exponent": {"e": "Ag"},
    "no exponent": {"e": None},
    "for encryption": {"use": "enc"},
    "for another algorithm": {"alg": "RSA-OAEP"},
    "for signing, not verifying": {"key_ops": ["sign"]},
    "one operation, which is another": {"key_ops": "sign"},
    "operations that are no list": {"key_ops": 7},
    "an empty kid": {"kid": ""},
    "a kid that is a number": {"kid": 7},
    "no kid": {"kid": None},
    "a modulus of 20,000 bits": {"n": "_" * 3400},
}


@pytest.mark.parametrize("row", MALFORMED)
def test_a_malformed_key_is_left_out_and_costs_the_others_nothing(bank: Bank, next_key: RSAKey, row: str) -> None:
    changes = MALFORMED[row]
    bent = changes if not isinstance(changes, dict) or "kty" in changes or not changes else public(next_key, **changes)
    assert set(usable_keys([bent, public(bank.signing), bent])) == {kid(bank.signing)}


@pytest.mark.parametrize(
    "members",
    [
        {"use": None, "key_ops": None, "alg": None},
        {"use": "", "key_ops": [], "alg": ""},
        {"key_ops": "verify"},
        {"key_ops": ["verify"]},
        {"key_ops": ["sign", "verify"], "use": None},
        {"x5c": None, "x5t": "", "exp": None, "n2": [None]},
    ],
)
def test_an_optional_member_of_a_key_may_say_nothing_or_one_thing(bank: Bank, members: dict[str, Any]) -> None:
    assert set(usable_keys([{**public(bank.signing), **members}])) == {kid(bank.signing)}


@pytest.mark.parametrize("name", ["a/b?c=d", "ä", "x" * 1000, " ", "0", "true", "\n"])
def test_a_kid_is_any_text(bank: Bank, name: str) -> None:
    assert set(usable_keys([public(bank.signing, kid=name)])) == {name}


def test_a_key_that_is_too_short_is_left_out(bank: Bank, weak_key: RSAKey) -> None:
    assert set(usable_keys([public(weak_key), public(bank.signing)])) == {kid(bank.signing)}


def test_private_and_unknown_members_of_a_key_are_not_kept(bank: Bank) -> None:
    jwk = bank.signing.as_dict(private=True) | {"use": "sig", "x5c": 7, "key_ops": ["verify"], "oth": "x"}
    (found,) = usable_keys([jwk])[kid(bank.signing)]
    assert not found.is_private
    assert set(found.as_dict()) == {"kty", "n", "e", "kid"}


def test_keys_with_one_kid_are_all_kept_each_once_and_not_without_end(bank: Bank, next_key: RSAKey) -> None:
    first, second = public(bank.signing, kid="same"), public(next_key, kid="same")
    found = usable_keys([first, second, first])["same"]
    assert [key.thumbprint() for key in found] == [bank.signing.thumbprint(), next_key.thumbprint()]
    many = [{**first, "e": exponent} for exponent in ("AQAB", "Aw", "BQ", "Bw", "CQ", "Cw", "DQ")]
    assert len(usable_keys(many)["same"]) == MOST_OF_ONE_KID


def test_of_two_keys_under_one_kid_none_goes_without_a_name(bank: Bank, next_key: RSAKey) -> None:
    found = usable_keys([public(bank.signing, kid="same"), public(next_key, kid="same")])
    assert keys_of(found, None) == ()
