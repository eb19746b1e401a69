"""Every rule of a token request: what breaks it is refused in the dialect's own form, and recorded."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import pytest

from mock_idp.protocol import jose
from tests.harness.relying_party import BASE, OTHER_REDIRECT_URI, SmallRelyingParty, Trip, answer_of, make_rsa, sign


def start(rp: SmallRelyingParty, dialect: str = "telia") -> tuple[Trip, str]:
    rp.script()
    trip = rp.trip("shared", dialect)
    return trip, answer_of(rp.authorize(trip))["code"]


def refused(rp: SmallRelyingParty, rule: str, response: Any, error: str, status: int = 400) -> None:
    assert response.status_code == status
    body = response.get_json()
    assert body["error"] == error
    assert rule in unquote(body["error_description"])
    assert response.headers["Cache-Control"] == "no-store"
    violations = [v["rule"] for record in rp.captured(kind="token") for v in record["violations"]]
    assert violations[-1] == rule


ASSERTIONS: list[tuple[dict[str, Any], str]] = [
    ({"aud": f"{BASE}/shared/telia"}, "client assertion aud"),
    ({"aud": f"{BASE}/shared/telia/authorize"}, "client assertion aud"),
    ({"aud": [f"{BASE}/shared/telia/token", "https://x.example"]}, "client assertion aud"),
    ({"aud": None}, "client assertion aud"),
    ({"iss": "somebody-else"}, "client assertion iss"),
    ({"exp": None}, "client assertion exp"),
    ({"exp": 1}, "client assertion exp"),
    ({"exp": 9_999_999_999}, "client assertion exp"),
    ({"exp": "soon"}, "client assertion exp"),
    ({"jti": None}, "client assertion jti"),
    ({"jti": 7}, "client assertion jti"),
]


@pytest.mark.parametrize(("changes", "rule"), ASSERTIONS)
def test_a_client_assertion_that_does_not_hold_is_refused(
    rp: SmallRelyingParty, changes: dict[str, Any], rule: str
) -> None:
    trip, code = start(rp)
    claims = {name: value for name, value in (rp.assertion_claims(trip) | changes).items() if value is not None}
    refused(rp, rule, rp.exchange(trip, code, client_assertion=sign(claims, rp.sig)), "invalid_client", 401)


def test_an_assertion_is_good_once(rp: SmallRelyingParty) -> None:
    trip, code = start(rp)
    assertion = sign(rp.assertion_claims(trip), rp.sig)
    assert rp.exchange(trip, code, client_assertion=assertion).status_code == 200
    again = rp.exchange(*start(rp), client_assertion=assertion)
    refused(rp, "client assertion jti", again, "invalid_client", 401)


def test_an_assertion_by_another_key_is_refused(rp: SmallRelyingParty) -> None:
    trip, code = start(rp)
    stranger = make_rsa("sig")
    forged = sign(rp.assertion_claims(trip), stranger, kid=rp.sig.kid)
    refused(rp, "client assertion signature", rp.exchange(trip, code, client_assertion=forged), "invalid_client", 401)
    unknown = sign(rp.assertion_claims(trip), stranger)
    refused(rp, "client assertion kid", rp.exchange(trip, code, client_assertion=unknown), "invalid_client", 401)
    by_enc = sign(rp.assertion_claims(trip), stranger, kid=rp.enc.kid)
    refused(rp, "client assertion kid", rp.exchange(trip, code, client_assertion=by_enc), "invalid_client", 401)


def test_an_assertion_in_another_algorithm_is_refused(rp: SmallRelyingParty) -> None:
    trip, code = start(rp)
    claims = jose.to_json(rp.assertion_claims(trip))
    header = {"kid": rp.sig.kid}
    for token in (
        jose.sign_pss(header | {"alg": "PS256"}, claims, rp.sig.private_key),
        jose.unsigned(header | {"alg": "none"}, claims),
    ):
        response = rp.exchange(trip, code, client_assertion=token)
        refused(rp, "client assertion alg", response, "invalid_client", 401)
    refused(rp, "client assertion", rp.exchange(trip, code, client_assertion="x"), "invalid_client", 401)


@pytest.mark.parametrize(
    ("changes", "rule", "error", "status"),
    [
        ({"grant_type": "refresh_token"}, "grant_type", "unsupported_grant_type", 400),
        ({"grant_type": None}, "grant_type", "unsupported_grant_type", 400),
        ({"code": None}, "code", "invalid_request", 400),
        ({"code": "unknown"}, "code", "invalid_grant", 400),
        ({"redirect_uri": OTHER_REDIRECT_URI}, "redirect_uri", "invalid_grant", 400),
        ({"redirect_uri": None}, "redirect_uri", "invalid_grant", 400),
        ({"client_id": "somebody-else"}, "client_id", "invalid_client", 401),
        ({"client_id": None}, "client_id", "invalid_client", 401),
        ({"client_assertion_type": "x"}, "client_assertion_type", "invalid_client", 401),
        ({"client_assertion": None}, "client assertion", "invalid_client", 401),
        ({"code_verifier": None}, "code_verifier", "invalid_grant", 400),
        ({"code_verifier": "a" * 64}, "code_verifier", "invalid_grant", 400),
        ({"code_verifier": "short"}, "code_verifier", "invalid_grant", 400),
        ({"client_secret": "x"}, "token request", "invalid_request", 400),
        ({"code": ["a", "b"]}, "token request", "invalid_request", 400),
    ],
)
def test_a_token_request_that_breaks_a_rule_is_refused(
    rp: SmallRelyingParty, changes: dict[str, Any], rule: str, error: str, status: int
) -> None:
    refused(rp, rule, rp.exchange(*start(rp), **changes), error, status)


def test_another_client_in_the_assertion_is_refused(rp: SmallRelyingParty) -> None:
    trip, code = start(rp)
    claims = rp.assertion_claims(trip) | {"iss": "somebody-else", "sub": "somebody-else"}
    response = rp.exchange(trip, code, client_assertion=sign(claims, rp.sig))
    refused(rp, "client_id", response, "invalid_client", 401)


def test_a_code_is_good_once(rp: SmallRelyingParty) -> None:
    trip, code = start(rp)
    assert rp.exchange(trip, code).status_code == 200
    refused(rp, "code", rp.exchange(trip, code), "invalid_grant")
    assert "exchanged already" in rp.captured(kind="token")[-1]["violations"][0]["detail"]


def test_a_code_lapses_after_two_minutes(rp: SmallRelyingParty) -> None:
    trip, code = start(rp)
    rp.now += 121
    refused(rp, "code", rp.exchange(trip, code), "invalid_grant")


def test_a_code_is_of_no_use_at_another_issuer(rp: SmallRelyingParty) -> None:
    _, code = start(rp, "telia")
    elsewhere = rp.trip("shared", "ftn")
    refused(rp, "code", rp.exchange(elsewhere, code), "invalid_grant")


def test_a_code_verifier_without_a_code_challenge_is_refused(rp: SmallRelyingParty) -> None:
    refused(rp, "code_verifier", rp.exchange(*start(rp, "isb"), code_verifier="a" * 64), "invalid_request")


def test_a_token_request_is_a_form_in_the_body(rp: SmallRelyingParty) -> None:
    trip, code = start(rp)
    as_json = rp.client.post("/shared/telia/token", json=rp.form(trip, code))
    refused(rp, "token request", as_json, "invalid_request")
    in_query = rp.client.post("/shared/telia/token?x=1", data=rp.form(trip, code))
    refused(rp, "token request", in_query, "invalid_request")
    assert rp.client.get("/shared/telia/token").status_code == 405


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"client_assertion": "x"}, "unauthorized_client", "invalid%20assertion"),
        ({"client_id": "somebody-else"}, "invalid_request", "client%20information%20fetching%20failed"),
        ({"grant_type": "x"}, "invalid_request", "parameter%20validation%20failed"),
        ({"code": "unknown"}, "invalid_request", "invalid%20grant"),
    ],
)
def test_op_says_it_in_its_own_words_percent_encoded(
    rp: SmallRelyingParty, changes: dict[str, Any], error: str, words: str
) -> None:
    response = rp.exchange(*start(rp, "isb"), **changes)
    assert response.status_code == 400
    assert response.get_json()["error"] == error
    assert response.get_json()["error_description"].startswith(words)
    assert " " not in response.get_json()["error_description"]


def test_op_needs_no_client_id_in_the_token_request(rp: SmallRelyingParty) -> None:
    assert rp.exchange(*start(rp, "isb"), client_id=None).status_code == 200


def test_what_was_sent_is_listed_with_the_claims_of_the_assertion(rp: SmallRelyingParty) -> None:
    trip, code = start(rp)
    rp.exchange(trip, code)
    record = rp.captured(kind="token")[-1]
    assert record["form"]["code"] == code
    assert record["assertion"]["aud"] == f"{trip.issuer}/token"
    assert record["assertion_header"]["kid"] == rp.sig.kid
    assert record["violations"] == []
