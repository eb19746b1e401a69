"""What the developer page says of each claim: each check turns red where it must."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from broker.keys import KeyRing
from broker.oidc.clients import Client
from broker.oidc.identity_token import CLAIMS, half_hash
from broker.operations.developer.claims import KNOWN, Expected, Told, tell
from tests.broker.conftest import NOW

LEVEL = "http://ftn.ficora.fi/2017/loatest2"
CLIENT = Client("portal", (), frozenset({"openid"}), "private_key_jwt", "energy", "RS256")
EXPECTED = Expected("https://id.energy.fi", CLIENT, "the-nonce", "the-access-token", (LEVEL,), NOW + 5)
GOOD: dict[str, Any] = {
    "iss": "https://id.energy.fi",
    "sub": "a-subject",
    "aud": ["portal", "https://api.energy.fi"],
    "azp": "portal",
    "exp": NOW + 600,
    "iat": NOW,
    "auth_time": NOW - 5,
    "nonce": "the-nonce",
    "at_hash": half_hash("the-access-token"),
    "acr": LEVEL,
    "amr": ["of-the-bank", "another"],
    "idp": "nordea",
    "txn": "A" * 26,
    "birthdate": "1981-01-01",
}


@pytest.fixture(scope="module")
def keys(made_keys: Path) -> KeyRing:
    return KeyRing(made_keys, lambda: NOW)


def told(keys: KeyRing, expected: Expected = EXPECTED, alg: str = "RS256", **changed: Any) -> Told:
    token = keys.sign("id-token-sig", GOOD | changed, alg=alg)
    return tell(token, keys.public_set("id-token-sig"), expected)


def test_every_claim_that_can_be_read_is_explained() -> None:
    assert {*KNOWN, "personal_identity_code"} == set(CLAIMS)


def test_a_good_token_is_verified_claim_by_claim(keys: KeyRing) -> None:
    seen = told(keys)
    assert seen.verified
    assert [claim.name for claim in seen.claims] == [name for name in KNOWN if name in GOOD]
    values = {claim.name: claim.value for claim in seen.claims}
    assert values["amr"] == "of-the-bank, another"
    assert values["exp"] == f"{NOW + 600} (2026-09-21T14:23:20.000Z)"
    assert {claim.name for claim in seen.claims if claim.holds is None} == {"amr", "idp", "txn", "birthdate"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("iss", "https://id.energy.fi/"),
        ("sub", ""),
        ("sub", 7),
        ("aud", "another"),
        ("aud", ["https://api.energy.fi"]),
        ("azp", "another"),
        ("exp", NOW + 5),
        ("iat", NOW + 60),
        ("iat", NOW - 700),
        ("auth_time", NOW + 60),
        ("nonce", "another"),
        ("at_hash", half_hash("another")),
        ("acr", "http://ftn.ficora.fi/2017/loatest3"),
    ],
)
def test_a_claim_that_is_wrong_is_said_to_be(keys: KeyRing, name: str, value: Any) -> None:
    seen = told(keys, **{name: value})
    assert [claim.name for claim in seen.claims if claim.holds is False] == [name]
    assert not seen.verified


def test_a_token_of_other_keys_or_another_algorithm_does_not_verify(keys: KeyRing) -> None:
    other = tell(keys.sign("rp-sig", GOOD), keys.public_set("id-token-sig"), EXPECTED)
    assert (other.signed, other.verified, list(other.claims)) == (False, False, [])
    assert not told(keys, alg="ES256").verified
    assert told(keys, replace(EXPECTED, client=replace(CLIENT, id_token_alg="ES256")), alg="ES256").verified
