"""A bank's signed key set: what verifies and what does not."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from providers.connection import SignedJwks, UnsignedJwks
from providers.engine.jwks import SCHEDULED
from providers.errors import IntegrityError, Step
from tests.harness.engine.bank import Bank
from tests.harness.engine.jose import public, sign
from tests.harness.engine.key_set import Endpoint, MakeKeys, budget, found_key, kid
from tests.harness.engine.parts import ENTITY_ID, JWKS_URI, NOW, Clock, Seen

NAMELESS = {"kid_required": False}


@pytest.mark.parametrize("typ", ["JWS", "JWT", "jws", "jwk-set+jwt", "application/jwk-set+JWT", "", None])
def test_every_type_that_banks_send_is_taken(make_keys: MakeKeys, endpoint: Endpoint, bank: Bank, typ: Any) -> None:
    endpoint.body = bank.signed_jwks(header={"typ": typ}) + "\n"
    assert found_key(make_keys(), kid(bank.signing), budget()).kid == bank.signing.kid


@pytest.mark.parametrize("nothing", [{}, {"iat": None, "exp": None}, {"iat": "", "exp": ""}])
def test_times_are_optional_in_a_signed_key_set(
    make_keys: MakeKeys, endpoint: Endpoint, bank: Bank, nothing: dict[str, Any]
) -> None:
    claims = {"iss": ENTITY_ID, "sub": ENTITY_ID, "keys": [public(bank.signing)], "x": {"unknown": 1}}
    endpoint.body = sign({"alg": "RS256", "kid": bank.entity.kid}, claims | nothing, bank.entity)
    assert found_key(make_keys(), kid(bank.signing), budget()).kid == bank.signing.kid


def test_a_byte_order_mark_is_passed_over(make_keys: MakeKeys, endpoint: Endpoint, bank: Bank) -> None:
    endpoint.body = "\ufeff" + bank.signed_jwks()
    assert found_key(make_keys(), kid(bank.signing), budget()).kid == bank.signing.kid
    endpoint.body = "\ufeff" + json.dumps({"keys": [public(bank.signing)]})
    assert found_key(make_keys(UnsignedJwks(JWKS_URI)), kid(bank.signing), budget()).kid == bank.signing.kid


NOT_TRUSTED: dict[str, Callable[[Bank], str | bytes]] = {
    "another signer": lambda b: b.signed_jwks(by=b.attacker),
    "an attacker's kid": lambda b: b.signed_jwks(by=b.attacker, header={"kid": b.attacker.kid}),
    "an attacker's jwk": lambda b: b.signed_jwks(by=b.attacker, header={"jwk": public(b.attacker)}),
    "the signing key as the signer": lambda b: b.signed_jwks(by=b.signing, header={"kid": b.signing.kid}),
    "no kid": lambda b: b.signed_jwks(header={"kid": None}),
    "alg none": lambda b: b.signed_jwks(header={"alg": "none"}).rpartition(".")[0] + ".",
    "alg PS256": lambda b: b.signed_jwks(header={"alg": "PS256"}),
    "crit": lambda b: b.signed_jwks(header={"crit": ["x"], "x": 1}),
    "typ of an entity statement": lambda b: b.signed_jwks(header={"typ": "entity-statement+jwt"}),
    "typ of a wrong draft": lambda b: b.signed_jwks(header={"typ": "jwks+jwt"}),
    "iss another": lambda b: b.signed_jwks(iss="https://attacker.example"),
    "iss missing": lambda b: b.signed_jwks(iss=None),
    "sub another": lambda b: b.signed_jwks(sub="https://attacker.example"),
    "sub missing": lambda b: b.signed_jwks(sub=None),
    "expired": lambda b: b.signed_jwks(exp=NOW - 60),
    "from the future": lambda b: b.signed_jwks(iat=NOW + 7200, exp=NOW + 9000),
    "exp a string": lambda b: b.signed_jwks(exp=str(NOW + 600)),
    "iat a list": lambda b: b.signed_jwks(iat=[NOW]),
    "exp beyond all numbers": lambda b: b.signed_jwks(exp=10**400),
    "no keys": lambda b: b.signed_jwks(keys=[]),
    "keys no list": lambda b: b.signed_jwks(keys={"a": 1}),
    "keys for encryption only": lambda b: b.signed_jwks(keys=[public(b.signing, use="enc")]),
    "unsigned": lambda b: json.dumps({"keys": [public(b.signing)]}),
    "HTML": lambda _b: "<h1>Maintenance",
    "not ASCII": lambda b: b.signed_jwks().encode() + b"\xff",
    "empty": lambda _b: "",
}


@pytest.mark.parametrize("row", NOT_TRUSTED)
def test_a_key_set_that_does_not_verify_is_refused(
    make_keys: MakeKeys, endpoint: Endpoint, bank: Bank, seen: Seen, row: str
) -> None:
    endpoint.body = NOT_TRUSTED[row](bank)
    with pytest.raises(IntegrityError) as caught:
        found_key(make_keys(), kid(bank.signing), budget())
    assert (caught.value.step, caught.value.claim) == (Step.ID_TOKEN, "jwks")
    assert seen.count("jwks_failed") == 1


@pytest.mark.parametrize("row", NOT_TRUSTED)
def test_a_key_set_that_does_not_verify_leaves_the_last_good_one(
    make_keys: MakeKeys, endpoint: Endpoint, bank: Bank, clock: Clock, row: str
) -> None:
    keys = make_keys()
    good = found_key(keys, kid(bank.signing), budget())
    clock.now += SCHEDULED
    bent = NOT_TRUSTED[row](bank)
    endpoint.body = bent
    assert found_key(keys, kid(bank.signing), budget()) is good
    assert endpoint.calls == 2


@pytest.mark.parametrize("kid_required", [True, False])
def test_a_key_set_may_name_no_key_where_its_tokens_may(
    make_keys: MakeKeys, endpoint: Endpoint, bank: Bank, kid_required: bool
) -> None:
    endpoint.body = bank.signed_jwks(header={"kid": None})
    keys = make_keys(kid_required=kid_required)
    if not kid_required:
        assert found_key(keys, kid(bank.signing), budget()).kid == bank.signing.kid
        return
    with pytest.raises(IntegrityError):
        found_key(keys, kid(bank.signing), budget())


def test_of_two_entity_keys_none_is_guessed(make_keys: MakeKeys, endpoint: Endpoint, bank: Bank) -> None:
    endpoint.body = bank.signed_jwks(header={"kid": None})
    two = SignedJwks(JWKS_URI, ENTITY_ID, (public(bank.entity), public(bank.attacker)))
    with pytest.raises(IntegrityError):
        found_key(make_keys(two, **NAMELESS), kid(bank.signing), budget())
