"""Signed request objects at `/par` (RFC 9101; FAPI 2.0 Message Signing §5.3.1)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import ECKey

from tests.broker.oidc.test_token_refusals import part
from tests.harness.fapi import FapiClient
from tests.harness.openid_provider import ISSUER, Harness


@pytest.fixture
def client(harness: Harness) -> FapiClient:
    return FapiClient(harness, "signing")


def sent(client: FapiClient, request: str, **beside: str) -> Any:
    return client.harness.browser.post("/par", data=client.credentials() | {"request": request} | beside)


def error_of(response: Any) -> tuple[int, str]:
    assert response.get_json()["error_description"].isascii()
    return response.status_code, response.get_json()["error"]


@pytest.mark.parametrize("client_id", ["signing", "fapi", "portal"])
def test_a_signed_request_is_taken_as_it_was_signed(harness: Harness, client_id: str) -> None:
    client = FapiClient(harness, client_id)
    request = client.request_object(state="signed-state", max_age=0)
    response = sent(client, request, state="beside", scope="openid", idp_hint="op", client_id=client_id)
    query = {"client_id": client_id, "request_uri": response.get_json()["request_uri"], "state": "outside"}
    assert harness.browser.get("/authorize", query_string=query).status_code == 303
    begun = harness.begun[0]
    assert (begun.state, begun.scope, begun.max_age) == ("signed-state", "openid profile", "0")
    assert (begun.idp_hint, begun.response_mode) == (None, "jwt")


def test_what_stands_beside_a_request_object_does_not_count(client: FapiClient) -> None:
    response = sent(client, client.request_object(state=None), state="beside")
    assert error_of(response) == (400, "invalid_request")


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": [ISSUER, "https://other.example"]},
        {"nbf": lambda now: now + 10},
        {"nbf": lambda now: now - 3590, "exp": lambda now: now + 10},
        {"exp": lambda now: now + 3600},
        {"jti": "one", "iat": 0, "claims": {"id_token": {}}, "more": [1]},
    ],
)
def test_what_a_request_object_may_say(client: FapiClient, changes: dict[str, Any]) -> None:
    now = int(client.harness.clock())
    values = {name: value(now) if callable(value) else value for name, value in changes.items()}
    assert sent(client, client.request_object(**values)).status_code == 201


@pytest.mark.parametrize("typ", [None, "JWT", "oauth-authz-req+jwt", "application/oauth-authz-req+jwt"])
def test_the_types_of_a_request_object(client: FapiClient, typ: str | None) -> None:
    assert sent(client, client.request_object({"typ": typ})).status_code == 201


@pytest.mark.parametrize(("client_id", "taken"), [("portal", True), ("fapi", False)])
def test_rs256_is_for_plain_clients_alone(harness: Harness, client_id: str, taken: bool) -> None:
    client = FapiClient(harness, client_id)
    request = client.request_object({"alg": "RS256", "kid": "portal-rsa"}, harness.client_keys.rsa)
    assert sent(client, request).status_code == (201 if taken else 400)


@pytest.mark.parametrize(("alg", "kind"), [("PS256", "rsa"), ("EdDSA", "ed"), ("Ed25519", "ed")])
def test_the_algorithms_of_the_profile(harness: Harness, alg: str, kind: str) -> None:
    client = FapiClient(harness, "fapi")
    request = client.request_object({"alg": alg, "kid": f"portal-{kind}"}, getattr(harness.client_keys, kind))
    assert sent(client, request).status_code == 201


Bend = Callable[[FapiClient], str]


def claims(**changes: Any) -> Bend:
    def bend(client: FapiClient) -> str:
        now = int(client.harness.clock())
        return client.request_object(**{n: v(now) if callable(v) else v for n, v in changes.items()})

    return bend


def header(**changes: Any) -> Bend:
    return lambda client: client.request_object(changes)


def unsigned(client: FapiClient) -> str:
    return f"{part({'alg': 'none'})}.{client.request_object().split('.')[1]}."


def tampered(client: FapiClient) -> str:
    head, _, signature = client.request_object().split(".")
    return f"{head}.{client.request_object(state='other').split('.')[1]}.{signature}"


def repeated(client: FapiClient) -> str:
    body = client.harness.client_keys.ec
    text = json.dumps({"scope": "openid"})[:-1] + ', "scope": "openid profile"}'
    return jws.serialize_compact({"alg": "ES256", "kid": "portal-ec"}, text, body, algorithms=["ES256"])


ROWS: list[tuple[str, Bend]] = [
    ("no-jwt", lambda _: "x"),
    ("none", unsigned),
    ("tampered", tampered),
    ("a-member-twice", repeated),
    ("another-key", lambda client: client.request_object(key=ECKey.generate_key("P-256"))),
    ("another-kid", header(kid="other")),
    ("crit", header(crit=["x"], x=1)),
    ("typ-of-an-assertion", header(typ="client-authentication+jwt")),
    ("typ-of-a-proof", header(typ="dpop+jwt")),
    ("an-assertion", lambda client: client.assertion()),
    ("iss-missing", claims(iss=None)),
    ("iss-another", claims(iss="portal")),
    ("client-id-missing", claims(client_id=None)),
    ("client-id-another", claims(client_id="portal")),
    ("sub-is-the-client", claims(sub="signing")),
    ("aud-missing", claims(aud=None)),
    ("aud-another", claims(aud="https://other.example")),
    ("aud-of-par", claims(aud=f"{ISSUER}/par")),
    ("aud-an-object", claims(aud={ISSUER: 1})),
    ("aud-list-without-us", claims(aud=["https://other.example"])),
    ("exp-missing", claims(exp=None)),
    ("exp-past", claims(exp=lambda now: now - 61, nbf=lambda now: now - 100)),
    ("exp-text", claims(exp="soon")),
    ("exp-far-off", claims(exp=lambda now: now + 3661)),
    ("nbf-missing", claims(nbf=None)),
    ("nbf-in-the-future", claims(nbf=lambda now: now + 61)),
    ("nbf-long-ago", claims(nbf=lambda now: now - 3601, exp=lambda now: now - 2)),
    ("request-within", claims(request="x")),
    ("request-uri-within", claims(request_uri="urn:ietf:params:oauth:request_uri:x")),
    ("state-a-number", claims(state=7)),
    ("scope-a-list", claims(scope=["openid"])),
    ("max-age-true", claims(max_age=True)),
]


@pytest.mark.parametrize(("name", "bend"), ROWS, ids=[row[0] for row in ROWS])
@pytest.mark.parametrize("client_id", ["signing", "fapi"])
def test_a_request_object_that_does_not_hold_is_refused(
    harness: Harness, client_id: str, name: str, bend: Bend
) -> None:
    client = FapiClient(harness, client_id)
    if name == "sub-is-the-client":
        bend = claims(sub=client_id)
    response = sent(client, bend(client))
    assert error_of(response) == (400, "invalid_request_object")
    assert response.get_json()["error_description"].startswith("request: ")


INNER: list[tuple[str, dict[str, Any], str]] = [
    ("redirect-uri-missing", {"redirect_uri": None}, "invalid_request"),
    ("redirect-uri-of-a-stranger", {"redirect_uri": "https://evil.example/"}, "invalid_request"),
    ("pkce-missing", {"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
    ("response-type", {"response_type": "code id_token"}, "unsupported_response_type"),
    ("response-mode-missing", {"response_mode": None}, "invalid_request"),
    ("response-mode-unsigned", {"response_mode": "query"}, "invalid_request"),
    ("response-mode-form-post", {"response_mode": "form_post"}, "invalid_request"),
    ("state-not-ascii", {"state": "ställe"}, "invalid_request"),
    ("nonce-missing", {"nonce": None}, "invalid_request"),
    ("registration", {"registration": "{}"}, "registration_not_supported"),
    ("scope-unknown", {"scope": "profile"}, "invalid_scope"),
]


@pytest.mark.parametrize(("name", "changes", "error"), INNER, ids=[row[0] for row in INNER])
def test_the_parameters_within_are_held_to_the_same_rules(
    client: FapiClient, name: str, changes: dict[str, Any], error: str
) -> None:
    assert error_of(sent(client, client.request_object(**changes))) == (400, error)


def test_message_signing_takes_no_request_that_is_not_signed(client: FapiClient) -> None:
    response = client.par(response_mode="jwt")
    assert error_of(response) == (400, "invalid_request")
    assert response.get_json()["error_description"].startswith("request is required")


def test_a_client_without_keys_cannot_sign(harness: Harness) -> None:
    form = {"request": FapiClient(harness, "secretive").request_object()}
    response = harness.browser.post("/par", data=form, headers=harness.basic())
    assert error_of(response) == (400, "invalid_request_object")


def test_at_the_authorization_endpoint_none_is_taken(harness: Harness) -> None:
    client = FapiClient(harness, "portal")
    response = harness.authorize(request=client.request_object())
    assert "error=request_not_supported" in response.headers["Location"]
