"""What we sign for a client beyond identity tokens: its authorization responses (JARM), and `/userinfo`."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jws

from broker.oidc import AuthorizationRequest
from providers.model import UnknownKey
from tests.harness.fapi import FapiClient
from tests.harness.openid_provider import ISSUER, Harness, person


def read(harness: Harness, location: str, client_id: str) -> dict[str, Any]:
    """The claims of the one parameter that a signed response has."""
    assert location.startswith(f"https://{client_id}.example/callback?")
    query = parse_qs(urlsplit(location).query)
    assert set(query) == {"response"}
    claims = harness.verified(query["response"][0], client_id)
    assert claims.pop("exp") == int(harness.clock()) + 600
    assert (claims.pop("iss"), claims.pop("aud")) == (ISSUER, client_id)
    return claims


@pytest.mark.parametrize("mode", ["jwt", "query.jwt"])
def test_a_code_comes_signed(harness: Harness, mode: str) -> None:
    client = FapiClient(harness, "signing")
    grant = client.grant(response_mode=mode)
    assert read(harness, grant.response, "signing") == {"code": grant.code, "state": "the-state"}
    client.learn_nonce()
    assert client.token(grant.code).status_code == 200


def test_an_error_comes_signed(harness: Harness) -> None:
    request = FapiClient(harness, "signing").begun()
    location = harness.op.error_response(request, "access_denied", "the person went back")
    assert read(harness, location or "", "signing") == {
        "error": "access_denied",
        "error_description": "the person went back",
        "state": "the-state",
    }


def test_a_plain_client_may_ask_for_signed_responses(harness: Harness) -> None:
    response = harness.authorize(response_mode="jwt", prompt="none")
    claims = read(harness, response.headers["Location"], "portal")
    assert (claims["error"], claims["state"]) == ("login_required", "the-state")
    harness.authorize(response_mode="jwt")
    grant = harness.grant(harness.begun[-1])
    assert read(harness, grant.response, "portal")["code"] == grant.code


def test_a_signed_response_keeps_the_query_of_a_registered_address(harness: Harness) -> None:
    asked = AuthorizationRequest(
        "portal", "https://portal.example/second?kept=1", "openid", state="s", response_mode="jwt"
    )
    location = harness.op.error_response(asked, "access_denied") or ""
    assert location.startswith("https://portal.example/second?kept=1&response=")


@pytest.fixture
def told(harness: Harness) -> Any:
    client = FapiClient(harness, "signing")
    client.learn_nonce()
    token = client.access_token()
    return lambda: client.userinfo(f"DPoP {token}", {"DPoP": client.proof("/userinfo", "GET", token=token)})


def test_userinfo_comes_signed_to_whom_the_setting_says(harness: Harness, told: Any) -> None:
    response = told()
    assert (response.status_code, response.mimetype) == (200, "application/jwt")
    token = response.get_data(as_text=True)
    header = jws.extract_compact(token.encode()).headers()
    published = {key["kid"]: key for key in harness.browser.get("/jwks").get_json()["keys"]}
    assert published[header["kid"]]["alg"] == header["alg"] == "ES256"
    from joserfc import jwt
    from joserfc.jwk import ECKey

    claims = jwt.decode(token, ECKey.import_key(published[header["kid"]]), algorithms=["ES256"]).claims
    assert claims == {
        "iss": ISSUER,
        "aud": "signing",
        "sub": harness.op.subject("signing", person()),
        "given_name": "Nordea",
        "family_name": "Demo",
        "name": "Nordea Demo",
        "birthdate": "1990-01-01",
    }


def test_userinfo_is_an_error_while_nothing_can_be_signed(harness: Harness, told: Any) -> None:
    harness.keys.failure = UnknownKey("none")
    try:
        response = told()
    finally:
        harness.keys.failure = None
    assert (response.status_code, response.get_json()["error"]) == (500, "server_error")


def test_the_token_of_a_client_that_is_gone_tells_nothing(harness: Harness, told: Any) -> None:
    del harness.op.clients["signing"]
    assert (told().status_code, told().get_json()["error"]) == (401, "invalid_token")
