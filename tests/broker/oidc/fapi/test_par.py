"""`/par` (RFC 9126): a request that a client pushes, and the `request_uri` that a browser brings."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from broker.oidc import AuthorizationRequest
from broker.oidc.fapi import pushed
from providers.errors import Replay
from tests.harness.fapi import FapiClient
from tests.harness.openid_provider import SECRET, Harness


@pytest.fixture(params=["fapi", "portal"])
def client(harness: Harness, request: pytest.FixtureRequest) -> FapiClient:
    """A client that must push, and one that may."""
    return FapiClient(harness, request.param)


def brought(harness: Harness, **query: Any) -> Any:
    return harness.browser.get("/authorize", query_string=query)


def test_a_pushed_request_is_taken_as_it_was_pushed(client: FapiClient) -> None:
    response = client.par(state="pushed-state", ui_locales="sv")
    assert (response.status_code, response.headers["Cache-Control"]) == (201, "no-store")
    assert set(response.get_json()) == {"request_uri", "expires_in"}
    assert response.get_json()["expires_in"] == 90
    uri = response.get_json()["request_uri"]
    assert uri.startswith("urn:ietf:params:oauth:request_uri:")
    answer = brought(client.harness, client_id=client.client_id, request_uri=uri, scope="x", state="y", prompt="none")
    assert answer.headers["Location"] == "/choose/transaction"
    begun = client.harness.begun[0]
    assert (begun.state, begun.ui_locales, begun.scope) == ("pushed-state", "sv", "openid profile")


@pytest.mark.parametrize("client_id", ["secretive", "posting"])
def test_a_client_with_a_secret_pushes_by_that(harness: Harness, client_id: str) -> None:
    form = harness.request(client_id=client_id, redirect_uri=f"https://{client_id}.example/callback")
    headers = harness.basic(client_id) if client_id == "secretive" else {}
    more = {"client_secret": SECRET} if client_id == "posting" else {}
    assert harness.browser.post("/par", data=form | more, headers=headers).status_code == 201


def test_a_request_uri_is_opened_again_until_one_login_is_done(client: FapiClient) -> None:
    harness, uri = client.harness, client.push()
    for _ in range(2):
        assert brought(harness, client_id=client.client_id, request_uri=uri).status_code == 303
    first, second = harness.begun
    pushed.use(harness.store, first, "one")
    pushed.use(harness.store, first, "one")  # the same login, tried again after a fault
    with pytest.raises(Replay):
        pushed.use(harness.store, second, "other")
    assert brought(harness, client_id=client.client_id, request_uri=uri).status_code == 400


def test_a_request_uri_lapses(client: FapiClient) -> None:
    uri = client.push()
    client.harness.clock.now += 89
    assert brought(client.harness, client_id=client.client_id, request_uri=uri).status_code == 303
    client.harness.clock.now += 1
    assert brought(client.harness, client_id=client.client_id, request_uri=uri).status_code == 400


BROUGHT: list[tuple[str, dict[str, Any]]] = [
    ("by-another-client", {"client_id": "wide"}),
    ("by-a-stranger", {"client_id": "stranger"}),
    ("without-client-id", {"client_id": ""}),
    ("client-id-repeated", {"client_id": ["fapi", "fapi"]}),
    ("unknown", {"request_uri": "urn:ietf:params:oauth:request_uri:unknown"}),
    ("of-nothing", {"request_uri": "urn:ietf:params:oauth:request_uri:"}),
    ("not-ascii", {"request_uri": "urn:ietf:params:oauth:request_uri:å"}),
    ("beside-a-request", {"request": "eyJhbGciOiJub25lIn0.e30."}),
]


@pytest.mark.parametrize(("name", "changes"), BROUGHT, ids=[row[0] for row in BROUGHT])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_request_uri_that_does_not_hold_ends_on_a_page(
    harness: Harness, name: str, changes: dict[str, Any], method: str
) -> None:
    client = FapiClient(harness)
    sent = client.parameters() | {"request_uri": client.push()} | changes
    response: Any = (
        harness.browser.get("/authorize", query_string=sent)
        if method == "GET"
        else harness.browser.post("/authorize", data=sent)
    )
    assert (response.status_code, response.mimetype) == (400, "text/html")
    assert not harness.begun


def test_a_request_uri_is_its_clients_even_where_two_share_an_address(harness: Harness) -> None:
    client = FapiClient(harness)
    harness.op.clients["wide"] = replace(harness.op.clients["wide"], redirect_uris=(client.redirect_uri,))
    response = brought(harness, client_id="wide", request_uri=client.push())
    assert (response.status_code, harness.begun) == (400, [])


def test_a_request_uri_twice_ends_on_a_page(harness: Harness) -> None:
    client = FapiClient(harness)
    uri = client.push()
    response = brought(harness, client_id="fapi", request_uri=[uri, "https://evil.example/"])
    assert (response.status_code, harness.begun) == (400, [])


def test_a_pushed_request_is_gone_with_its_redirect_uri(harness: Harness) -> None:
    client = FapiClient(harness)
    uri = client.push()
    section = harness.op.sections["fapi"]
    harness.op.registered.take("fapi", section.model_copy(update={"redirect_uris": ("https://fapi.example/other",)}))
    assert brought(harness, client_id="fapi", request_uri=uri).status_code == 400


PUSHED: list[tuple[str, dict[str, Any], int, str]] = [
    ("no-authentication", {"client_assertion": None, "client_assertion_type": None}, 401, "invalid_client"),
    ("assertion-of-nothing", {"client_assertion": "x.y.z"}, 401, "invalid_client"),
    ("another-client-id", {"client_id": "wide"}, 401, "invalid_client"),
    ("request-uri", {"request_uri": "urn:ietf:params:oauth:request_uri:x"}, 400, "invalid_request"),
    ("request-uri-foreign", {"request_uri": "https://evil.example/"}, 400, "invalid_request"),
    ("redirect-uri-missing", {"redirect_uri": None}, 400, "invalid_request"),
    ("redirect-uri-of-a-stranger", {"redirect_uri": "https://evil.example/"}, 400, "invalid_request"),
    ("response-type-missing", {"response_type": None}, 400, "invalid_request"),
    ("response-type-hybrid", {"response_type": "code id_token"}, 400, "unsupported_response_type"),
    ("response-mode-unknown", {"response_mode": "fragment"}, 400, "invalid_request"),
    ("scope-not-allowed", {"scope": "openid personal_identity_code"}, 400, "invalid_scope"),
    ("state-missing", {"state": None}, 400, "invalid_request"),
    ("state-not-ascii", {"state": "ställe"}, 400, "invalid_request"),
    ("pkce-missing", {"code_challenge": None, "code_challenge_method": None}, 400, "invalid_request"),
    ("pkce-plain", {"code_challenge_method": "plain"}, 400, "invalid_request"),
    ("prompt-none", {"prompt": "none"}, 400, "login_required"),
    ("registration", {"registration": "{}"}, 400, "registration_not_supported"),
    ("dpop-jkt-short", {"dpop_jkt": "short"}, 400, "invalid_request"),
    ("acr-values-none-accepted", {"acr_values": "http://ftn.ficora.fi/2017/loa2"}, 400, "access_denied"),
]


@pytest.mark.parametrize(("name", "changes", "status", "error"), PUSHED, ids=[row[0] for row in PUSHED])
def test_a_bad_push_is_refused_to_the_client_itself(
    client: FapiClient, name: str, changes: dict[str, Any], status: int, error: str
) -> None:
    response = client.par(**changes)
    assert (response.status_code, response.get_json()["error"]) == (status, error)
    assert response.get_json()["error_description"].isascii()
    assert ("WWW-Authenticate" in response.headers) == (status == 401)
    assert response.headers["Cache-Control"] == "no-store"
    assert client.harness.refused[-1]["error"] == error


def test_a_repeated_parameter_is_refused(client: FapiClient) -> None:
    form = client.parameters() | client.credentials() | {"scope": ["openid", "openid"]}
    response = client.harness.browser.post("/par", data=form)
    assert (response.status_code, response.get_json()["error"]) == (400, "invalid_request")


def test_par_is_called_by_post_with_a_form(harness: Harness) -> None:
    assert harness.browser.get("/par").status_code == 405
    assert harness.browser.get("/par").headers["Allow"] == "POST"
    assert harness.browser.put("/par").status_code == 405
    assert harness.browser.post("/par", json={}).status_code == 400
    assert harness.browser.post("/par", data={"x": "x" * 70_000}).status_code == 413


def test_an_assertion_serves_once_at_par_and_token_together(client: FapiClient) -> None:
    assertion = client.assertion()
    assert client.par(client_assertion=assertion).status_code == 201
    code = client.harness.issue(client.client_id).code
    response = client.harness.token(client.token_form(code, client_assertion=assertion))
    assert (response.status_code, response.get_json()["error"]) == (401, "invalid_client")


def test_without_the_store_a_client_sends_the_same_again(client: FapiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    assertion = client.assertion()
    client.harness.store.broken = True
    response = client.par(client_assertion=assertion)
    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    client.harness.store.broken = False
    assert client.par(client_assertion=assertion).status_code == 201
    assert client.par(client_assertion=assertion).status_code == 401


def test_what_a_login_by_a_pushed_request_ends_in(client: FapiClient) -> None:
    harness = client.harness
    client.learn_nonce()
    grant = client.grant()
    headers = {"DPoP": client.proof()} if client.client_id == "fapi" else {}
    answer = client.token(grant.code, headers).get_json()
    assert harness.verified(answer["id_token"], client.client_id)["nonce"] == "the-nonce"


DEVELOPER = "http://127.0.0.1:9000/developer/answer"


def test_no_request_may_name_the_address_of_the_developer_page(client: FapiClient) -> None:
    harness = client.harness
    harness.op.clients[client.client_id] = replace(harness.op.clients[client.client_id], developer_uri=DEVELOPER)
    assert client.par().status_code == 201
    response = client.par(redirect_uri=DEVELOPER)
    assert (response.status_code, "redirect_uri" in response.get_json()["error_description"]) == (400, True)
    assert brought(harness, **harness.request(client_id=client.client_id, redirect_uri=DEVELOPER)).status_code == 400
    assert not harness.begun


def test_the_developer_page_is_led_to_by_a_request_that_is_kept_only_while_it_is_on(client: FapiClient) -> None:
    harness = client.harness
    kept = pushed.push(harness.store, AuthorizationRequest(client.client_id, DEVELOPER, "openid"))
    for on, status in ((None, 400), (DEVELOPER, 303)):
        harness.op.clients[client.client_id] = replace(harness.op.clients[client.client_id], developer_uri=on)
        assert brought(harness, client_id=client.client_id, request_uri=kept).status_code == status
