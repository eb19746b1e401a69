"""What the settings of one client loosen, and what they do not: pkce, nonce, state, iss_in_errors, its secret."""

from __future__ import annotations

from typing import Any

import pytest

from broker.oidc import AuthorizationRequest
from tests.harness.openid_provider import SECRET, VERIFIER, Harness, answer_of

NO_PKCE: dict[str, str | None] = {"code_challenge": None, "code_challenge_method": None}


def request_of(harness: Harness, client_id: str, **changes: str | None) -> AuthorizationRequest:
    """What `/authorize` hands over of a request that it takes."""
    response = harness.authorize(client_id=client_id, redirect_uri=f"https://{client_id}.example/callback", **changes)
    assert response.headers["Location"] == "/choose/transaction"
    return harness.begun[-1]


def refusal_of(harness: Harness, client_id: str, **changes: str | None) -> dict[str, str]:
    """What the client is told of a request that is refused."""
    response = harness.authorize(client_id=client_id, redirect_uri=f"https://{client_id}.example/callback", **changes)
    place, answer = answer_of(response)
    assert place == f"https://{client_id}.example/callback"
    assert not harness.begun
    return answer


def test_a_client_may_be_spared_pkce_and_state(harness: Harness) -> None:
    request = request_of(harness, "plain", state=None, **NO_PKCE)
    assert (request.state, request.code_challenge, request.nonce) == (None, None, "the-nonce")
    grant = harness.grant(request)
    assert set(answer_of_url(grant.response)) == {"code", "iss"}
    response = harness.token(harness.form(grant.code, "plain", code_verifier=None))
    assert harness.verified(response.get_json()["id_token"], "plain")["nonce"] == "the-nonce"


def test_a_client_may_be_spared_the_nonce(harness: Harness) -> None:
    grant = harness.grant(request_of(harness, "without-nonce", nonce=None))
    response = harness.token(harness.form(grant.code, "without-nonce"))
    assert "nonce" not in harness.verified(response.get_json()["id_token"], "without-nonce")


@pytest.mark.parametrize(
    ("client_id", "changes", "named"),
    [
        ("plain", {"nonce": None}, "nonce"),
        ("without-nonce", NO_PKCE, "code_challenge"),
        ("without-nonce", {"state": None}, "state"),
        ("plain", {"code_challenge_method": None}, "code_challenge_method"),
        ("plain", {"code_challenge_method": "plain"}, "code_challenge_method"),
        ("plain", {"code_challenge": None}, "code_challenge"),
        ("plain", {"code_challenge": "short"}, "code_challenge"),
        ("plain", {"state": "ställe"}, "state"),
        ("plain", {"state": "s" * 2049}, "state"),
        ("without-nonce", {"nonce": "nönce"}, "nonce"),
    ],
)
def test_what_is_not_optional_is_required_and_what_is_sent_is_checked(
    harness: Harness, client_id: str, changes: dict[str, Any], named: str
) -> None:
    answer = refusal_of(harness, client_id, **changes)
    assert (answer["error"], answer["error_description"].split()[0]) == ("invalid_request", named)


@pytest.mark.parametrize(
    ("sent", "error"), [(None, "invalid_request"), ("w" * 43, "invalid_grant")], ids=["missing", "wrong"]
)
def test_a_code_challenge_that_was_sent_is_enforced(harness: Harness, sent: str | None, error: str) -> None:
    grant = harness.grant(request_of(harness, "plain"))
    response = harness.token(harness.form(grant.code, "plain", code_verifier=sent))
    assert (response.status_code, response.get_json()["error"]) == (400, error)


def test_a_code_verifier_without_a_code_challenge_is_refused(harness: Harness) -> None:
    # RFC 9700 §4.8: else who strips the challenge from a request goes unnoticed.
    grant = harness.grant(request_of(harness, "plain", **NO_PKCE))
    response = harness.token(harness.form(grant.code, "plain", code_verifier=VERIFIER))
    assert (response.status_code, response.get_json()["error"]) == (400, "invalid_request")
    assert response.get_json()["error_description"].startswith("code_verifier must not be sent")


def test_errors_to_a_client_that_trips_over_iss_are_without_it(harness: Harness) -> None:
    assert "iss" not in refusal_of(harness, "plain", prompt="none")
    asked = AuthorizationRequest("plain", "https://plain.example/callback", "openid")
    of_the_flow = harness.op.error_response(asked, "access_denied")
    assert of_the_flow == "https://plain.example/callback?error=access_denied"
    assert "iss" in refusal_of(harness, "without-nonce", prompt="none")


def test_a_client_may_send_its_secret_in_the_form(harness: Harness) -> None:
    response = harness.token(posted(harness, client_id="posting", client_secret=SECRET))
    assert response.status_code == 200


@pytest.mark.parametrize(
    ("client_id", "secret"),
    [("posting", "wrong"), ("stranger", SECRET), (None, SECRET), ("portal", SECRET), ("secretive", SECRET)],
)
def test_a_secret_in_the_form_serves_no_other_client(harness: Harness, client_id: str | None, secret: str) -> None:
    response = harness.token(posted(harness, client_id=client_id, client_secret=secret))
    assert (response.status_code, response.get_json()["error"]) == (401, "invalid_client")


def test_a_client_of_client_secret_post_is_not_served_by_basic(harness: Harness) -> None:
    response = harness.token(posted(harness), harness.basic("posting"))
    assert (response.status_code, response.get_json()["error"]) == (401, "invalid_client")


def test_a_secret_in_the_form_beside_basic_is_refused(harness: Harness) -> None:
    response = harness.token(posted(harness, client_id="posting", client_secret=SECRET), harness.basic("posting"))
    assert (response.status_code, response.get_json()["error"]) == (400, "invalid_request")


def posted(harness: Harness, **changes: str | None) -> dict[str, str]:
    """A token request of the client `posting` without an assertion."""
    form = harness.form(harness.issue("posting").code, "posting", client_assertion_type=None, **changes)
    return {name: value for name, value in form.items() if name != "client_assertion"}


def answer_of_url(url: str) -> dict[str, str]:
    """The parameters that a redirect brings along."""
    return dict(pair.split("=", 1) for pair in url.partition("?")[2].split("&"))
