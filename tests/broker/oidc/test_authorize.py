"""What `/authorize` lets through, and what it makes of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from broker.oidc import AuthorizationRequest
from broker.oidc.guard import accepted_acr_values
from tests.broker.oidc.conftest import MakeWorld
from tests.harness.openid_provider import LOA2, LOA3, Harness, answer_of


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_good_request_begins_with_what_the_client_asked(harness: Harness, method: str) -> None:
    wanted = {
        "ui_locales": "sv fi",
        "acr_values": LOA3,
        "max_age": "0",
        "prompt": "login consent",
        "idp_hint": "nordea",
    }
    sent = harness.request(**wanted)
    response = (
        harness.browser.get("/authorize", query_string=sent)
        if method == "GET"
        else harness.browser.post("/authorize", data=sent)
    )
    assert response.headers["Location"] == "/choose/transaction"
    (request,) = harness.begun
    assert request.to_json() == {
        name: value for name, value in sent.items() if name not in {"response_type", "code_challenge_method"}
    }
    assert AuthorizationRequest.from_json(request.to_json()) == request


def test_a_scope_named_twice_counts_once(harness: Harness) -> None:
    harness.authorize(scope="openid profile openid")
    assert harness.begun[0].scope == "openid profile"
    assert harness.begun[0].scopes == ("openid", "profile")


@pytest.mark.parametrize(
    "scope", ["openid profile email", "offline_access openid address profile", "openid <b> profile"]
)
def test_scope_values_that_are_not_known_are_left_out(harness: Harness, scope: str) -> None:
    assert harness.authorize(scope=scope).headers["Location"] == "/choose/transaction"
    assert harness.begun[0].scope == "openid profile"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("login_hint", "någon <b>"),
        ("id_token_hint", "x" * 5000),
        ("display", "popup"),
        ("claims", '{"userinfo":{}}' + " " * 600),
        ("resource", "https://api.example"),
        ("max_age", ""),
        ("response_mode", "query"),
        ("prompt", "login"),
        ("prompt", "select_account"),
        ("ui_locales", "tlh x-unknown"),
        ("max_age", "31536000"),
        ("state", "s" * 2048),
        ("nonce", "n" * 512),
    ],
)
def test_a_parameter_that_is_ignored_or_understood_never_breaks_a_request(
    harness: Harness, name: str, value: str
) -> None:
    assert harness.authorize(**{name: value}).headers["Location"] == "/choose/transaction"


def test_a_repeated_parameter_that_is_unknown_is_dropped(harness: Harness) -> None:
    harness.authorize([*harness.request().items(), ("foo", "1"), ("foo", "2")])
    assert len(harness.begun) == 1


@pytest.mark.parametrize(
    ("acr_values", "accepted"),
    [
        (None, (LOA2, LOA3)),
        (LOA3, (LOA3,)),
        (f"{LOA3} {LOA2}", (LOA3, LOA2)),
        (f"unknown {LOA2} {LOA2}", (LOA2,)),
        (" ", (LOA2, LOA3)),
    ],
)
def test_acr_values_narrow_what_is_accepted(
    harness: Harness, acr_values: str | None, accepted: tuple[str, ...]
) -> None:
    harness.authorize(acr_values=acr_values)
    assert harness.op.accepted_acr_values(harness.begun[0]) == accepted


@pytest.mark.parametrize(
    ("configured", "acr_values", "asked_for"),
    [
        ((LOA3,), LOA2, (LOA3,)),
        ((LOA2,), LOA3, (LOA3,)),
        ((LOA2,), f"{LOA3} {LOA2}", (LOA3, LOA2)),
        ((LOA2,), LOA3.replace("loatest", "loa"), ()),
        ((LOA2,), "unknown", ()),
    ],
)
def test_acr_values_raise_the_lowest_level_and_never_lower_it(
    configured: tuple[str, ...], acr_values: str, asked_for: tuple[str, ...]
) -> None:
    assert accepted_acr_values(acr_values, configured) == asked_for


def test_the_host_header_changes_nothing(harness: Harness) -> None:
    response = harness.browser.get(
        "/authorize",
        query_string=harness.request(prompt="none"),
        base_url="http://evil.example",
        headers={"Host": "evil.example"},
    )
    assert answer_of(response)[1]["iss"] == "https://tunnus.example"
    assert answer_of(response)[1]["error"] == "login_required"


def test_a_demo_issuer_on_plain_http_works(make_world: MakeWorld) -> None:
    harness = make_world("http://broker:8000")
    assert harness.authorize().headers["Location"] == "/choose/transaction"
    code = harness.issue().code
    claims = harness.claims(aud="http://broker:8000/token")
    assert harness.token(harness.form(code, client_assertion=harness.sign(claims))).status_code == 200


def test_the_way_back_is_an_error_at_a_registered_address_only(harness: Harness) -> None:
    asked = AuthorizationRequest("portal", "https://portal.example/callback", "openid", state="s t")
    url = harness.op.error_response(asked, "access_denied")
    assert url == "https://portal.example/callback?error=access_denied&state=s+t&iss=https%3A%2F%2Ftunnus.example"
    assert (
        harness.op.error_response(replace(asked, redirect_uri="https://wide.example/callback"), "access_denied") is None
    )
    assert harness.op.error_response(replace(asked, client_id="stranger"), "access_denied") is None


def test_a_stored_request_with_a_member_of_a_later_version_is_read(harness: Harness) -> None:
    harness.authorize()
    stored = harness.begun[0].to_json() | {"later": "thing"}
    assert AuthorizationRequest.from_json(stored) == harness.begun[0]


def test_state_and_nonce_never_show_in_a_representation(harness: Harness) -> None:
    harness.authorize()
    assert "the-state" not in repr(harness.begun[0])
    assert "the-nonce" not in repr(harness.begun[0])


def test_the_step_is_kept_for_a_client_that_may_say_it(harness: Harness) -> None:
    harness.authorize(
        client_id="wide", redirect_uri="https://wide.example/callback", step="2/4", scope="openid profile"
    )
    assert harness.begun[0].step == "2/4"
    assert AuthorizationRequest.from_json(harness.begun[0].to_json()) == harness.begun[0]


def test_the_step_is_dropped_for_any_other_client(harness: Harness) -> None:
    harness.authorize(step="2/4")
    assert harness.begun[0].step is None


@pytest.mark.parametrize(
    "step", ["0/4", "5/4", "2/10", "2", "2/", "/4", "2/4 ", "2/4\n", "²/4", "<b>", "2/4/4", "x" * 3000, "", "step 2/4"]
)
def test_what_is_no_step_is_dropped_and_breaks_nothing(harness: Harness, step: str) -> None:
    harness.authorize(client_id="wide", redirect_uri="https://wide.example/callback", step=step)
    assert harness.begun[0].step is None


def test_a_step_that_is_said_twice_is_dropped(harness: Harness) -> None:
    sent = harness.request(client_id="wide", redirect_uri="https://wide.example/callback")
    harness.authorize([*sent.items(), ("step", "2/4"), ("step", "3/4")])
    assert harness.begun[0].step is None
