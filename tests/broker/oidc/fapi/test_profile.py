"""What the FAPI 2.0 profiles demand of a client beyond what each part checks by itself."""

from __future__ import annotations

from typing import Any

import pytest

from tests.broker.oidc.conftest import MakeWorld
from tests.harness.fapi import FapiClient
from tests.harness.openid_provider import ISSUER, Harness, answer_of


@pytest.fixture(params=["fapi", "signing", "bound"])
def client(harness: Harness, request: pytest.FixtureRequest) -> FapiClient:
    return FapiClient(harness, request.param)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("more", [{}, {"response_mode": "jwt"}, {"state": "x" * 3000}])
def test_a_request_that_was_not_pushed_is_refused(client: FapiClient, method: str, more: dict[str, str]) -> None:
    sent = client.parameters(**more)
    browser: Any = client.harness.browser
    response = (
        browser.get("/authorize", query_string=sent) if method == "GET" else browser.post("/authorize", data=sent)
    )
    place, answer = answer_of(response)
    assert (response.status_code, place) == (303, client.redirect_uri)
    assert ("response" in answer) == ("response_mode" in more)
    assert "response" in answer or (answer["error"], answer["iss"]) == ("invalid_request", ISSUER)
    assert not client.harness.begun


@pytest.mark.parametrize(
    "audience", [f"{ISSUER}/token", f"{ISSUER}/par", [ISSUER], [ISSUER, "https://other.example"], f"{ISSUER}/", None]
)
@pytest.mark.parametrize("endpoint", ["/par", "/token"])
def test_an_assertion_is_made_out_to_the_issuer_as_a_string(client: FapiClient, audience: Any, endpoint: str) -> None:
    client.learn_nonce()
    assertion = client.assertion(aud=audience)
    response = (
        client.par(client_assertion=assertion)
        if endpoint == "/par"
        else client.token("0123abcd" + "x" * 43, client_assertion=assertion)
    )
    assert (response.status_code, response.get_json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize("audience", [f"{ISSUER}/par", f"{ISSUER}/token", ISSUER, [ISSUER]])
def test_a_plain_clients_assertion_may_be_made_out_to_an_endpoint(harness: Harness, audience: Any) -> None:
    client = FapiClient(harness, "portal")
    assert client.par(client_assertion=client.assertion(aud=audience)).status_code == 201


@pytest.mark.parametrize(
    ("client_id", "alg", "kind", "taken"),
    [
        ("fapi", "RS256", "rsa", False),
        ("fapi", "PS256", "rsa", True),
        ("fapi", "EdDSA", "ed", True),
        ("portal", "RS256", "rsa", True),
        ("portal", "Ed25519", "ed", True),
        ("signing", "EdDSA", "ed", False),
    ],
)
def test_the_algorithms_of_assertions(harness: Harness, client_id: str, alg: str, kind: str, taken: bool) -> None:
    client = FapiClient(harness, client_id)
    assertion = client.assertion({"alg": alg, "kid": f"portal-{kind}"}, getattr(harness.client_keys, kind))
    answer = client.par(client_assertion=assertion, response_mode="jwt").get_json()
    assert (answer.get("error") != "invalid_client") == taken


def test_a_code_lives_a_minute(harness: Harness) -> None:
    client = FapiClient(harness)
    client.learn_nonce()
    first, second = client.grant().code, client.grant().code
    harness.clock.now += 59
    client.learn_nonce()
    assert client.token(first).status_code == 200
    harness.clock.now += 1
    response = client.token(second)
    assert (response.status_code, response.get_json()["error"]) == (400, "invalid_grant")


def test_a_code_of_the_profile_lapses_even_in_a_replica_that_lags(harness: Harness) -> None:
    client = FapiClient(harness)
    client.learn_nonce()
    grant = client.grant()
    (entry,) = grant.entries
    assert (entry.ttl, entry.value["lifetime"]) == (60, 60)
    harness.clock.now += 61
    harness.store.put(entry)
    assert client.token(grant.code).get_json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_verifier": None}, "invalid_request"),
        ({"code_verifier": "w" * 43}, "invalid_grant"),
        ({"redirect_uri": "https://fapi.example/second?kept=1"}, "invalid_grant"),
        ({"client_assertion": None, "client_assertion_type": None, "client_id": "fapi"}, "invalid_client"),
    ],
)
def test_a_token_request_of_the_profile_is_held_to_all_else(
    harness: Harness, changes: dict[str, str | None], error: str
) -> None:
    client = FapiClient(harness)
    client.learn_nonce()
    assert client.token(client.grant().code, **changes).get_json()["error"] == error


def test_responses_name_us_and_are_led_by_303(harness: Harness) -> None:
    client = FapiClient(harness)
    assert f"iss={ISSUER.replace(':', '%3A').replace('/', '%2F')}" in client.grant().response


def test_a_client_may_be_spared_the_nonce_and_long_ones_are_taken(harness: Harness) -> None:
    client = FapiClient(harness)
    assert client.par(nonce=None).status_code == 201
    assert client.par(nonce="n" * 64, state="s" * 2048).status_code == 201


def test_the_metadata_says_all_of_it(make_world: MakeWorld) -> None:
    found = make_world().op.metadata
    assert found["pushed_authorization_request_endpoint"] == f"{ISSUER}/par"
    assert found["require_pushed_authorization_requests"] is False
    assert found["dpop_signing_alg_values_supported"] == ["PS256", "ES256", "EdDSA", "Ed25519"]
    assert {"PS256", "ES256", "EdDSA"} <= set(found["request_object_signing_alg_values_supported"])
    assert {"jwt", "query.jwt"} <= set(found["response_modes_supported"])
    assert found["authorization_signing_alg_values_supported"] == ["RS256", "ES256"]
    assert found["userinfo_signing_alg_values_supported"] == ["RS256", "ES256"]
    assert found["tls_client_certificate_bound_access_tokens"] is False
    assert "mtls_endpoint_aliases" not in found
