"""What `/authorize` lets through, and what it makes of it."""

from __future__ import annotations

import pytest

from broker.oidc import AuthorizationRequest
from tests.broker.oidc.conftest import MakeWorld
from tests.broker.oidc.world import LOA2, LOA3, World, answer_of


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_good_request_begins_with_what_the_client_asked(world: World, method: str) -> None:
    wanted = {
        "ui_locales": "sv fi",
        "acr_values": LOA3,
        "max_age": "0",
        "prompt": "login consent",
        "idp_hint": "nordea",
    }
    sent = world.request(**wanted)
    response = (
        world.browser.get("/authorize", query_string=sent)
        if method == "GET"
        else world.browser.post("/authorize", data=sent)
    )
    assert response.headers["Location"] == "/choose/transaction"
    (request,) = world.begun
    assert request.to_json() == {
        name: value for name, value in sent.items() if name not in {"response_type", "code_challenge_method"}
    }
    assert AuthorizationRequest.from_json(request.to_json()) == request


def test_a_scope_named_twice_counts_once(world: World) -> None:
    world.authorize(scope="openid profile openid")
    assert world.begun[0].scope == "openid profile"
    assert world.begun[0].scopes == ("openid", "profile")


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
def test_a_parameter_that_is_ignored_or_understood_never_breaks_a_request(world: World, name: str, value: str) -> None:
    assert world.authorize(**{name: value}).headers["Location"] == "/choose/transaction"


def test_a_repeated_parameter_that_is_unknown_is_dropped(world: World) -> None:
    world.authorize([*world.request().items(), ("foo", "1"), ("foo", "2")])
    assert len(world.begun) == 1


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
def test_acr_values_narrow_what_is_accepted(world: World, acr_values: str | None, accepted: tuple[str, ...]) -> None:
    world.authorize(acr_values=acr_values)
    assert world.op.accepted_acr_values(world.begun[0]) == accepted


def test_the_host_header_changes_nothing(world: World) -> None:
    response = world.browser.get(
        "/authorize",
        query_string=world.request(prompt="none"),
        base_url="http://evil.example",
        headers={"Host": "evil.example"},
    )
    assert answer_of(response)[1]["iss"] == "https://tunnus.example"
    assert answer_of(response)[1]["error"] == "login_required"


def test_a_demo_issuer_on_plain_http_works(make_world: MakeWorld) -> None:
    world = make_world("http://broker:8000")
    assert world.authorize().headers["Location"] == "/choose/transaction"
    code = world.issue().code
    claims = world.claims(aud="http://broker:8000/token")
    assert world.token(world.form(code, client_assertion=world.sign(claims))).status_code == 200


def test_the_way_back_is_an_error_at_a_registered_address_only(world: World) -> None:
    url = world.op.error_redirect("portal", "https://portal.example/callback", "s t", "access_denied")
    assert url == "https://portal.example/callback?error=access_denied&state=s+t&iss=https%3A%2F%2Ftunnus.example"
    assert world.op.error_redirect("portal", "https://wide.example/callback", None, "access_denied") is None
    assert world.op.error_redirect("stranger", "https://portal.example/callback", None, "access_denied") is None


def test_a_stored_request_with_a_member_of_a_later_version_is_read(world: World) -> None:
    world.authorize()
    stored = world.begun[0].to_json() | {"later": "thing"}
    assert AuthorizationRequest.from_json(stored) == world.begun[0]


def test_state_and_nonce_never_show_in_a_representation(world: World) -> None:
    world.authorize()
    assert "the-state" not in repr(world.begun[0])
    assert "the-nonce" not in repr(world.begun[0])
