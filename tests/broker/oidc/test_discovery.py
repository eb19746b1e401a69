"""Discovery is complete and true: each thing it says is compared with what the provider does."""

from __future__ import annotations

from typing import Any

import pytest
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from authlib.oidc.discovery import OpenIDProviderMetadata
from flask import Flask

from broker.keys.purposes import CLIENT_CACHE
from broker.oidc.discovery import JWKS_MAX_AGE
from tests.broker.oidc.conftest import MakeWorld
from tests.harness.openid_provider import ISSUER, Harness, answer_of


@pytest.fixture
def metadata(harness: Harness) -> dict[str, Any]:
    found: dict[str, Any] = harness.browser.get("/.well-known/openid-configuration").get_json()
    return found


def test_a_library_finds_the_metadata_valid(metadata: dict[str, Any]) -> None:
    OpenIDProviderMetadata(metadata).validate()
    AuthorizationServerMetadata(metadata).validate()


def test_every_endpoint_is_there_and_under_the_issuer(harness: Harness, metadata: dict[str, Any]) -> None:
    application = harness.browser.application
    assert isinstance(application, Flask)
    routes = {rule.rule for rule in application.url_map.iter_rules()}
    endpoints = {value for name, value in metadata.items() if name.endswith(("_endpoint", "_uri"))}
    assert {endpoint.removeprefix(ISSUER) for endpoint in endpoints} == routes - {
        "/.well-known/openid-configuration",
        "/static/<path:filename>",
    }
    assert metadata["issuer"] == ISSUER


def test_the_issuer_is_the_configured_one_whatever_the_host(make_world: MakeWorld) -> None:
    harness = make_world()
    answer = harness.browser.get("/.well-known/openid-configuration", base_url="http://evil.example").get_json()
    assert answer["issuer"] == ISSUER
    assert "evil" not in str(answer)


def test_every_scope_it_names_is_granted_to_a_client_that_may_have_it(
    harness: Harness, metadata: dict[str, Any]
) -> None:
    scope = " ".join(metadata["scopes_supported"])
    harness.authorize(client_id="registry", redirect_uri="https://registry.example/callback", scope=scope)
    assert harness.begun[0].scope == scope


@pytest.mark.parametrize(
    ("member", "parameter", "others"),
    [
        ("response_types_supported", "response_type", ["token", "id_token", "code token"]),
        ("response_modes_supported", "response_mode", ["fragment", "form_post.jwt"]),
        ("code_challenge_methods_supported", "code_challenge_method", ["plain"]),
        ("acr_values_supported", "acr_values", ["http://ftn.ficora.fi/2017/loa2"]),
        ("ui_locales_supported", "ui_locales", []),
    ],
)
def test_what_it_names_is_taken_and_nothing_else(
    harness: Harness, metadata: dict[str, Any], member: str, parameter: str, others: list[str]
) -> None:
    for value in metadata[member]:
        assert harness.authorize(**{parameter: value}).headers["Location"] == "/choose/transaction"
    for value in others:
        assert "error" in answer_of(harness.authorize(**{parameter: value}))[1]


def test_the_prompts_it_names_are_understood(harness: Harness, metadata: dict[str, Any]) -> None:
    answers = {
        value: harness.authorize(prompt=value).headers["Location"] for value in metadata["prompt_values_supported"]
    }
    assert "login_required" in answers.pop("none")
    assert set(answers.values()) == {"/choose/transaction"}


@pytest.mark.parametrize(
    ("member", "parameter"),
    [("request_parameter_supported", "request"), ("request_uri_parameter_supported", "request_uri")],
)
def test_what_it_says_is_not_supported_is_refused(
    harness: Harness, metadata: dict[str, Any], member: str, parameter: str
) -> None:
    assert metadata[member] is False
    assert answer_of(harness.authorize(**{parameter: "x"}))[1]["error"] == f"{parameter}_not_supported"


def test_it_announces_iss_and_every_answer_has_it(harness: Harness, metadata: dict[str, Any]) -> None:
    assert metadata["authorization_response_iss_parameter_supported"] is True
    assert answer_of(harness.authorize(prompt="none"))[1]["iss"] == metadata["issuer"]
    assert f"iss={ISSUER.replace(':', '%3A').replace('/', '%2F')}" in harness.issue().response


def test_its_ways_of_authentication_are_those_that_work(harness: Harness, metadata: dict[str, Any]) -> None:
    assert set(metadata["token_endpoint_auth_methods_supported"]) == {
        client.auth_method for client in harness.op.clients.values()
    }
    for alg in metadata["token_endpoint_auth_signing_alg_values_supported"]:
        kind = {"ES": "ec", "Ed": "ed"}.get(alg[:2], "rsa")
        key = getattr(harness.client_keys, kind)
        signed = harness.sign(harness.claims(), {"alg": alg, "kid": f"portal-{kind}"}, key)
        assert harness.token(harness.form(harness.issue().code, client_assertion=signed)).status_code == 200


def test_its_algorithms_are_those_of_its_tokens(harness: Harness, metadata: dict[str, Any]) -> None:
    published = harness.browser.get("/jwks").get_json()["keys"]
    assert {key["alg"] for key in published} == set(metadata["id_token_signing_alg_values_supported"])
    assert {client.id_token_alg for client in harness.op.clients.values()} == {"RS256", "ES256"}
    assert metadata["id_token_encryption_alg_values_supported"] == ["RSA-OAEP-256"]
    assert metadata["id_token_encryption_enc_values_supported"] == ["A256GCM"]


def test_every_claim_of_a_token_is_announced(harness: Harness, metadata: dict[str, Any]) -> None:
    for client_id in ("portal", "wide"):
        answer = harness.token(harness.form(harness.issue(client_id).code, client_id)).get_json()
        assert set(harness.verified(answer["id_token"], client_id)) <= set(metadata["claims_supported"])
    assert "personal_identity_code" in metadata["claims_supported"]
    assert metadata["subject_types_supported"] == ["pairwise"]


@pytest.mark.parametrize(("path", "seconds"), [("/.well-known/openid-configuration", 3600), ("/jwks", 300)])
def test_both_documents_are_for_anyone_to_read_and_keep(harness: Harness, path: str, seconds: int) -> None:
    response = harness.browser.get(path, headers={"Origin": "https://anywhere.example"})
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.headers["Cache-Control"] == f"public, max-age={seconds}"
    assert "Set-Cookie" not in response.headers
    again = harness.browser.get(path, headers={"If-None-Match": response.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_a_key_warms_up_for_longer_than_its_set_may_be_cached() -> None:
    assert JWKS_MAX_AGE <= CLIENT_CACHE


def test_no_published_key_has_a_private_member(harness: Harness) -> None:
    for key in harness.browser.get("/jwks").get_json()["keys"]:
        assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & set(key)
        assert {"kid", "use", "alg"} <= set(key)
