"""The faults: data that holds together, and each bends what it says, at every dialect it names."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from joserfc import jwe
from joserfc.errors import JoseError

from mock_idp.bank import Bank
from mock_idp.faults import FAULTS, Fault, Where
from mock_idp.protocol import jose
from mock_idp.protocol.dialects import DIALECTS
from tests.harness import tables
from tests.harness.relying_party import BASE, REDIRECT_URI, SmallRelyingParty, Trip, answer_of

CODES = {
    "cancelled",
    "idp_failed",
    "unavailable",
    "expired",
    "replay",
    "not_supported",
    "bad_request",
    "integrity_error",
    "config_error",
}
STEPS = {"request", "response", "token_exchange", "id_token", "normalise"}
QUICK = {"seconds": 0.0, "pause": 0.0}


def rows(*where: Where) -> list[Any]:
    """Each fault in one dialect, in turn: what it bends is the same in all."""
    faults = [fault for fault in FAULTS.values() if fault.where in where]
    return list(
        tables.rows(
            (f"{fault.name}-{dialect}", number == place % len(fault.dialects), (fault, dialect))
            for place, fault in enumerate(faults)
            for number, dialect in enumerate(fault.dialects)
        )
    )


def use(fault: Fault) -> dict[str, Any]:
    return {"name": fault.name, **{option: QUICK[option] for option in fault.options if option in QUICK}}


def bent(rp: SmallRelyingParty, fault: Fault, dialect: str) -> tuple[Trip, Any]:
    rp.script(provider="aktia", dialect=dialect, persona="tero-ayramo", faults=[use(fault)])
    trip = rp.trip("shared", dialect)
    return trip, rp.authorize(trip)


def exchanged(rp: SmallRelyingParty, fault: Fault, dialect: str) -> tuple[Trip, Any]:
    trip, response = bent(rp, fault, dialect)
    return trip, rp.exchange(trip, answer_of(response)["code"])


def fault_at(name: str) -> tuple[Fault, str]:
    fault = FAULTS[name]
    return fault, fault.dialects[-1]


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_is_whole(fault: Fault) -> None:
    assert fault.title
    assert set(fault.dialects) <= set(DIALECTS)
    assert (fault.expected_code is None) == (fault.expected_step is None)
    assert fault.expected_code is None or fault.expected_code in CODES
    assert fault.expected_step is None or fault.expected_step in STEPS
    bends = (fault.claims, fault.payload, fault.jws, fault.jwe, fault.id_token, fault.response)
    assert any((*bends, fault.token_response, fault.key_set)) or fault.code_bytes > 24


def test_the_list_covers_every_claim_that_an_engine_checks() -> None:
    for claim in ("iss", "sub", "aud", "exp", "iat", "nonce", "acr", "auth-time"):
        names = [name for name in FAULTS if claim in name]
        assert any("missing" in name for name in names), claim
        assert any("wrong-type" in name for name in names), claim
        assert len(names) >= 3, claim
    assert {"azp-wrong-type", "athash-wrong-type", "invalid-azp", "invalid-athash"} <= FAULTS.keys()


@pytest.mark.parametrize(("fault", "dialect"), rows(Where.CLAIMS))
def test_a_fault_of_the_claims_leaves_the_cryptography_good_and_changes_the_claims(
    rp: SmallRelyingParty, fault: Fault, dialect: str
) -> None:
    trip, response = exchanged(rp, fault, dialect)
    claims = rp.open_token(trip, response.get_json()["id_token"])[2]
    rp.script(provider="aktia", persona="tero-ayramo")
    good_trip = rp.trip("shared", dialect, nonce=trip.claims["nonce"])
    code = answer_of(rp.authorize(good_trip))["code"]
    good = rp.open_token(good_trip, rp.exchange(good_trip, code).get_json()["id_token"])[2]
    for transient in ("sub", "session_index", "at_hash"):
        if transient in claims and transient in good and "sub" not in fault.name and "athash" not in fault.name:
            good[transient] = claims[transient]
    assert claims != good


@pytest.mark.parametrize(("fault", "dialect"), rows(Where.JWS, Where.JWE))
def test_a_fault_of_the_token_is_seen_by_a_verifier_or_tolerated(
    rp: SmallRelyingParty, fault: Fault, dialect: str
) -> None:
    trip, response = exchanged(rp, fault, dialect)
    assert response.status_code == 200
    token = response.get_json()["id_token"]
    if fault.tolerated:
        assert rp.open_token(trip, token)[2]["nonce"] == trip.claims["nonce"]
    else:
        assert not strictly_good(rp, trip, token)


def strictly_good(rp: SmallRelyingParty, trip: Trip, token: str) -> bool:
    """Whether a strict reading of both objects, in the algorithms every dialect documents, finds nothing wrong."""
    registry = jwe.JWERegistry(algorithms=["RSA-OAEP", "A128CBC-HS256"], strict_check_header=False)
    registry.max_header_length = 20_000
    try:
        parts = token.split(".")
        header = jose.from_json(jose.decode(parts[0]), "header")
        if len(parts) != 5 or not all(jose.decode(part) for part in parts):
            return False
        if header.keys() & {"zip", "crit"} or header["kid"] != rp.enc.kid or len(parts[0]) > 8192:
            return False
        if header.get("cty", "JWT") != "JWT":
            return False
        inner = jwe.decrypt_compact(token, rp.enc, registry=registry).plaintext
        jws = jose.parse_jws(inner.decode("ascii"))
        key = rp.bank_key(trip, jws.header["kid"])
        jose.from_json(jws.payload, "claims")
        if "b64" in jws.header:
            return False
        return jose.verify_rs256(jws, key.public_key)
    except (jose.Malformed, JoseError, KeyError, StopIteration, ValueError):
        return False


def test_a_good_token_is_strictly_good(rp: SmallRelyingParty) -> None:
    rp.script()
    trip = rp.trip("shared", "telia")
    body = rp.exchange(trip, answer_of(rp.authorize(trip))["code"]).get_json()
    assert strictly_good(rp, trip, body["id_token"])


def test_the_zip_bomb_is_small_outside_and_huge_inside(rp: SmallRelyingParty) -> None:
    _, response = exchanged(rp, *fault_at("jwe-zip-bomb"))
    assert len(response.get_json()["id_token"]) < 60_000


def test_embedded_keys_are_the_attackers(rp: SmallRelyingParty, bank: Bank) -> None:
    trip, response = exchanged(rp, *fault_at("jws-jwk"))
    registry = jwe.JWERegistry(algorithms=["RSA-OAEP", "A128CBC-HS256"])
    inner = jwe.decrypt_compact(response.get_json()["id_token"], rp.enc, registry=registry).plaintext
    jws = jose.parse_jws(inner.decode())
    assert jose.verify_rs256(jws, jose.read_public_jwk(jws.header["jwk"]))
    assert jws.header["kid"] in {key["kid"] for key in rp.client.get("/shared/telia/jwks").get_json()["keys"]} | {
        bank.keys.of(next(i for i in _issuers() if i.url(bank.config) == trip.issuer)).current.kid
    }


def _issuers() -> Any:
    from mock_idp.protocol.issuers import all_issuers

    return all_issuers()


@pytest.mark.parametrize(("fault", "dialect"), rows(Where.RESPONSE))
def test_a_fault_of_the_response_changes_what_the_browser_brings_back(
    rp: SmallRelyingParty, fault: Fault, dialect: str
) -> None:
    trip, response = bent(rp, fault, dialect)
    if fault.no_answer:
        assert response.status_code == 200
        assert "Location" not in response.headers
        return
    answer = answer_of(response)
    expected = {"state": trip.claims["state"]} | ({"iss": trip.issuer} if dialect == "ftn" else {})
    plain = {name: value for name, value in answer.items() if name != "code"} == expected
    repeated = response.headers["Location"].count("=") > len(answer)
    elsewhere = not response.headers["Location"].startswith(REDIRECT_URI)
    assert not plain or repeated or elsewhere or len(answer.get("code", "")) not in (32,)


@pytest.mark.parametrize(("fault", "dialect"), rows(Where.TOKEN_ENDPOINT))
def test_a_fault_of_the_token_endpoint_gives_another_answer(rp: SmallRelyingParty, fault: Fault, dialect: str) -> None:
    trip, response = exchanged(rp, fault, dialect)
    if fault.tolerated:
        assert rp.open_token(trip, response.get_json()["id_token"])[2]["nonce"] == trip.claims["nonce"]
        return
    try:
        body = response.get_data()
        whole = len(body) == int(response.headers.get("Content-Length", len(body)))
        content = json.loads(body)
        good = (
            response.status_code == 200
            and whole
            and response.mimetype == "application/json"
            and content["token_type"] == "Bearer"
            and content["id_token"].count(".") == 4
            and "error" not in content
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return
    assert not good or fault.name in ("token-slow-drip", "token-duplicate-member")


def test_the_big_bodies_are_as_big_as_asked(rp: SmallRelyingParty) -> None:
    rp.script(faults=[{"name": "token-10mb", "bytes": 300_000}])
    trip = rp.trip("shared", "isb")
    response = rp.exchange(trip, answer_of(rp.authorize(trip))["code"])
    assert len(response.get_data()) == 300_000
    rp.script(faults=[{"name": "token-gzip-bomb", "bytes": 300_000}])
    trip = rp.trip("shared", "isb")
    response = rp.exchange(trip, answer_of(rp.authorize(trip))["code"])
    assert len(gzip.decompress(response.get_data())) > 300_000 > 100 * len(response.get_data())


def test_a_hanging_token_endpoint_ends_at_once_when_the_server_stops(rp: SmallRelyingParty, bank: Bank) -> None:
    rp.script(faults=[{"name": "token-hang", "seconds": 3600}])
    trip = rp.trip("shared", "telia")
    code = answer_of(rp.authorize(trip))["code"]
    bank.stopping.set()
    try:
        assert rp.exchange(trip, code).status_code == 503
    finally:
        bank.stopping.clear()


@pytest.mark.parametrize(("fault", "dialect"), rows(Where.JWKS))
def test_a_fault_of_the_key_set_signs_by_an_unknown_key_until_the_next_request(
    rp: SmallRelyingParty, fault: Fault, dialect: str
) -> None:
    before = rp.client.get(f"/shared/{dialect}/jwks").get_json()["keys"]
    trip, response = exchanged(rp, fault, dialect)
    registry = jwe.JWERegistry(algorithms=["RSA-OAEP", "A128CBC-HS256"])
    inner = jwe.decrypt_compact(response.get_json()["id_token"], rp.enc, registry=registry).plaintext
    signed = jose.parse_jws(inner.decode())
    kid = signed.header["kid"]
    assert (kid in {key["kid"] for key in before}) == fault.keeps_kid
    assert not any(jose.verify_rs256(signed, jose.read_public_jwk(key)) for key in before)
    published = rp.client.get(f"/shared/{dialect}/signed-jwks")
    assert trusted(rp, trip, published, kid) == fault.tolerated
    rp.script()
    rp.authorize(rp.trip("shared", dialect))
    assert rp.client.get(f"/shared/{dialect}/jwks").get_json()["keys"] == before


def trusted(rp: SmallRelyingParty, trip: Trip, published: Any, kid: str) -> bool:
    """Whether a strict reader of a signed JWKS gets a good signing key of that id out of it."""
    if published.status_code != 200 or published.mimetype != "application/jwk-set+jwt":
        return False
    body = published.get_data()
    if len(body) > 65_536 or len(body) < int(published.headers.get("Content-Length", 0)):
        return False
    path = trip.issuer.removeprefix(BASE)
    statement = jose.parse_jws(rp.client.get(f"{path}/.well-known/openid-federation").get_data(as_text=True))
    about = jose.from_json(statement.payload, "statement")
    try:
        jws = jose.parse_jws(body.decode())
        if not any(jose.verify_rs256(jws, jose.read_public_jwk(key)) for key in about["jwks"]["keys"]):
            return False
        claims = jose.from_json(jws.payload, "jwks")
        if claims.get("iss") != about["iss"] or claims.get("sub") != about["sub"]:
            return False
        if claims.get("exp", rp.now + 1) <= rp.now or claims.get("iat", 0) > rp.now + 60:
            return False
        found = [
            k for k in claims["keys"] if isinstance(k, dict) and k.get("kid") == kid and k.get("use") in ("sig", None)
        ]
        return bool(found) and bool(jose.read_public_jwk(found[0]))
    except jose.Malformed:
        return False


def test_faults_of_several_steps_can_be_combined(rp: SmallRelyingParty) -> None:
    rp.script(faults=["extra-claims", "jws-typ-absent", "jwe-a128gcm", "response-extra-parameters"], dialect="telia")
    trip = rp.trip("shared", "telia")
    answer = answer_of(rp.authorize(trip))
    assert answer["session_state"] == "1"
    outer, inner, claims = rp.open_token(trip, rp.exchange(trip, answer["code"]).get_json()["id_token"])
    assert outer["enc"] == "A128GCM"
    assert "typ" not in inner
    assert "https://bank.example/extra" in claims


def test_whoever_follows_a_pointer_to_the_attacker_is_recorded(rp: SmallRelyingParty) -> None:
    rp.client.get("/attacker/jwks")
    assert rp.captured(violations="1")[0]["violations"][0]["rule"] == "attacker"
