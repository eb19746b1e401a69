"""What a developer reads: each description names the parameter and the mend, in characters that the RFC allows."""

from __future__ import annotations

import re
from typing import Any

import pytest

from broker.audit import AuditUnavailable
from providers.model import UnknownKey
from tests.broker.oidc import test_authorize_refusals as authorize
from tests.broker.oidc import test_token_refusals as token
from tests.broker.oidc.fapi import test_dpop as dpop
from tests.broker.oidc.fapi import test_par as par
from tests.broker.oidc.fapi import test_request_objects as request_objects
from tests.harness.fapi import FapiClient
from tests.harness.openid_provider import ISSUER, Harness, answer_of

ALLOWED = re.compile(r"[\x20-\x21\x23-\x5b\x5d-\x7e]{20,160}")
"""RFC 6749 §4.1.2.1 and §5.2."""
PARAMETERS = (
    "state|nonce|scope|prompt|max_age|request|request_uri|registration|response_type|response_mode|code_challenge|"
    "code_challenge_method|acr_values|grant_type|code|code_verifier|redirect_uri|client_id|client_secret|"
    "client_assertion|client_assertion_type|client authentication|Authorization|Content-Type|access token|method|body|"
    "idp_hint|ui_locales|dpop_jkt|DPoP|the client certificate"
)
NAMES = re.compile(rf"(?:the )?(?:{PARAMETERS})\b")
MENDS = re.compile(r"\b(?:must|may|send|see|compare|leave|start|make|get|is not)\b")
AUTHLIB = re.compile(r"in request|'[a-z_]+'|Invalid|Missing|failed\.|malformed\.|OAuth")


def assert_helpful(description: str) -> None:
    assert ALLOWED.fullmatch(description), description
    assert NAMES.search(description), description
    assert MENDS.search(description), description
    assert not AUTHLIB.search(description), description


@pytest.mark.parametrize("row", authorize.REDIRECTS, ids=lambda row: str(row[0]))
def test_of_the_authorization_endpoint(harness: Harness, row: Any) -> None:
    response = harness.browser.get("/authorize", query_string=authorize.bent(harness, **row[1]))
    answer = answer_of(response)[1]
    assert_helpful(answer["error_description"])


@pytest.mark.parametrize("row", token.ROWS, ids=lambda row: str(row[0]))
def test_of_the_token_endpoint(harness: Harness, row: Any) -> None:
    response = harness.browser.post("/token", **row[1](harness, harness.issue().code))
    assert_helpful(response.get_json()["error_description"])


@pytest.mark.parametrize("authorization", ["Bearer", "Bearer x y", "Basic eDp5", "Bearer " + "0123abcd" + "x" * 43])
def test_of_the_userinfo_endpoint(harness: Harness, authorization: str) -> None:
    response = harness.browser.get("/userinfo", headers={"Authorization": authorization})
    assert_helpful(response.get_json()["error_description"])
    assert response.get_json()["error_description"] in response.headers["WWW-Authenticate"]


@pytest.mark.parametrize("row", par.PUSHED, ids=lambda row: str(row[0]))
@pytest.mark.parametrize("client_id", ["fapi", "portal"])
def test_of_the_pushed_authorization_endpoint(harness: Harness, client_id: str, row: Any) -> None:
    response = FapiClient(harness, client_id).par(**row[1])
    assert_helpful(response.get_json()["error_description"])


@pytest.mark.parametrize("row", [*dpop.ROWS, *dpop.NONCES], ids=lambda row: str(row[0]))
def test_of_proofs(harness: Harness, row: Any) -> None:
    client = FapiClient(harness)
    client.learn_nonce()
    response = client.token("0123abcd" + "x" * 43, {"DPoP": row[1](client, "")})
    assert_helpful(response.get_json()["error_description"])


@pytest.mark.parametrize("row", request_objects.ROWS, ids=lambda row: str(row[0]))
def test_of_request_objects(harness: Harness, row: Any) -> None:
    client = FapiClient(harness, "signing")
    response = request_objects.sent(client, row[1](client))
    assert_helpful(response.get_json()["error_description"])


def test_of_what_a_profile_demands(harness: Harness) -> None:
    client = FapiClient(harness)
    assert_helpful(client.token(client.grant().code, {}).get_json()["error_description"])
    assert_helpful(client.par(client_assertion=client.assertion(aud=[ISSUER])).get_json()["error_description"])
    assert_helpful(answer_of(harness.authorize(client.parameters()))[1]["error_description"])
    assert_helpful(FapiClient(harness, "signing").par().get_json()["error_description"])
    bound = FapiClient(harness, "bound")
    assert_helpful(bound.token(bound.grant().code, {}).get_json()["error_description"])
    client.learn_nonce()
    token = client.access_token()
    assert_helpful(client.userinfo(f"Bearer {token}").get_json()["error_description"])
    assert_helpful(client.userinfo(f"DPoP {token}").get_json()["error_description"])


def test_of_a_parameter_that_is_refused_by_its_length(harness: Harness) -> None:
    response = harness.token(harness.form(harness.issue().code, client_assertion="x" * 8193))
    assert response.get_json()["error_description"] == (
        "client_assertion must be there once, printable ASCII, at most 8192 characters"
    )


def test_of_what_is_ours_to_mend(harness: Harness) -> None:
    harness.audit_failure = AuditUnavailable("full")
    response = harness.token(harness.form(harness.issue().code))
    assert response.get_json()["error_description"] == "send the same request again in 5 seconds"
    harness.keys.failure = UnknownKey("none")
    try:
        response = harness.token(harness.form(harness.issue().code))
    finally:
        harness.keys.failure = None
    assert ALLOWED.fullmatch(response.get_json()["error_description"])


def test_of_a_code_that_was_used_by_another_request_meanwhile(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("broker.oidc.server.keep_token", lambda *_: False)
    assert_helpful(harness.token(harness.form(harness.issue().code)).get_json()["error_description"])
