"""`/userinfo`: what an access token is good for, and what it is not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness.openid_provider import Harness, person


def access_token(harness: Harness, client_id: str = "portal", scope: str = "openid profile") -> str:
    response = harness.token(harness.form(harness.issue(client_id, scope).code, client_id))
    return str(response.get_json()["access_token"])


def ask(harness: Harness, authorization: str | None, method: str = "GET", **more: Any) -> Any:
    headers = {} if authorization is None else {"Authorization": authorization}
    return harness.browser.open("/userinfo", method=method, headers=headers, **more)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_an_access_token_gives_the_claims_of_scope_profile(harness: Harness, method: str, scheme: str) -> None:
    response = ask(harness, f"{scheme} {access_token(harness)}", method)
    assert response.get_json() == {
        "sub": harness.op.subject("portal", person()),
        "given_name": "Nordea",
        "family_name": "Demo",
        "name": "Nordea Demo",
        "birthdate": "1990-01-01",
    }
    assert (response.status_code, response.headers["Cache-Control"]) == (200, "no-store")


def test_without_scope_profile_there_is_only_sub(harness: Harness) -> None:
    response = ask(harness, f"Bearer {access_token(harness, scope='openid')}")
    assert response.get_json() == {"sub": harness.op.subject("portal", person())}


def test_the_personal_identity_code_is_never_told(harness: Harness) -> None:
    token = access_token(harness, "registry", "openid profile personal_identity_code")
    response = ask(harness, f"Bearer {token}")
    assert "010190" not in response.get_data(as_text=True)
    assert set(response.get_json()) == {"sub", "given_name", "family_name", "name", "birthdate"}


def test_an_access_token_lives_five_minutes(harness: Harness) -> None:
    token = access_token(harness)
    harness.clock.now += 299
    assert ask(harness, f"Bearer {token}").status_code == 200
    harness.clock.now += 1
    assert ask(harness, f"Bearer {token}").status_code == 401


def test_without_authorization_the_challenge_names_no_error(harness: Harness) -> None:
    response = ask(harness, None)
    assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, 'Bearer realm="tunnus"')


REFUSALS = [
    ("unknown", "Bearer 0123abcd" + "x" * 43, 401, "invalid_token"),
    ("malformed", "Bearer {}:x", 400, "invalid_request"),
    ("not-one-of-ours", "Bearer abc", 401, "invalid_token"),
    ("scheme-alone", "Bearer", 400, "invalid_request"),
    ("two-tokens", "Bearer abc def", 400, "invalid_request"),
    ("basic", "Basic abc", 400, "invalid_request"),
    ("markup", 'Bearer "><script>', 400, "invalid_request"),
    ("empty", "", 400, "invalid_request"),
]


@pytest.mark.parametrize(("name", "authorization", "status", "error"), REFUSALS, ids=[row[0] for row in REFUSALS])
def test_a_bad_access_token_gets_the_errors_of_bearer_tokens(
    harness: Harness, name: str, authorization: str, status: int, error: str
) -> None:
    response = ask(harness, authorization)
    assert (response.status_code, response.get_json()["error"]) == (status, error)
    assert response.headers["WWW-Authenticate"].startswith(f'Bearer realm="tunnus", error="{error}"')
    assert response.headers["Cache-Control"] == "no-store"
    assert "<script" not in response.get_data(as_text=True) + response.headers["WWW-Authenticate"]


def test_a_token_in_the_query_or_the_body_is_not_seen(harness: Harness) -> None:
    token = access_token(harness)
    assert ask(harness, None, query_string={"access_token": token}).status_code == 401
    assert ask(harness, None, "POST", data={"access_token": token}).status_code == 401


def test_a_code_is_no_access_token(harness: Harness) -> None:
    assert ask(harness, f"Bearer {harness.issue().code}").status_code == 401


def test_without_the_store_a_client_is_asked_to_come_again(harness: Harness) -> None:
    token = access_token(harness)
    harness.store.broken = True
    response = ask(harness, f"Bearer {token}")
    assert (response.status_code, response.get_json()["error"]) == (503, "temporarily_unavailable")


def test_a_malformed_access_token_never_reaches_the_store(harness: Harness) -> None:
    harness.store.broken = True
    assert ask(harness, "Bearer abc").status_code == 401
