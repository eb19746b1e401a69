"""`make try` signs a person in by every profile of a client, and sees what each profile promises."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import requests

from broker.settings.models import ClientSettings
from demo.runner.mock_banks import MockBanks
from demo.runner.profile_client import ProfileClient
from demo.runner.profiles import PROFILES, Profile
from demo.runner.proof import prove
from demo.runner.stack import Stack
from demo.runner.try_all import try_profiles


def problem_of(stack: Stack, mock: MockBanks, profile: Profile, **changed: Any) -> str | None:
    """What a proof says of a client that behaves otherwise than its section has it."""
    client = replace(stack.client, client_id=profile.name)
    with requests.Session() as server:
        server.trust_env = False
        behaving = ProfileClient(client, replace(profile, **changed), server)
        return prove(behaving, mock, "nordea", "nordea", mock.people()[0], "nordea").problem


def test_every_profile_of_a_client_logs_in(stack: Stack, mock: MockBanks, capsys: pytest.CaptureFixture[str]) -> None:
    assert try_profiles(stack.client, mock) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [row[0] for row in rows[1:-1]] == [profile.name for profile in PROFILES]
    assert {row[-1] for row in rows[1:-1]} == {"ok"}
    assert rows[-1] == f"{len(PROFILES)} of {len(PROFILES)} right".split()


@pytest.mark.parametrize(
    ("name", "changed", "said"),
    [
        (
            "form-post",
            {"leaves_out": frozenset({"pkce"})},
            "the client got invalid_request: code_challenge is required",
        ),
        ("form-post", {"leaves_out": frozenset({"nonce"})}, "the client got invalid_request: nonce"),
        ("secret-basic", {"section": {"auth_method": "client_secret_post"}}, "/token: 401 invalid_client"),
        ("secret-post", {"bound": "dpop"}, None),
        ("fapi2-dpop", {"bound": None}, "/token: 400 invalid_dpop_proof"),
        ("fapi2-mtls", {"bound": "dpop"}, "/token: 400 invalid_"),
        ("fapi2-dpop", {"pushed": False}, "the client got invalid_request"),
        ("fapi2-dpop", {"section": {"signed_userinfo": True}}, "/userinfo is signed where"),
        ("fapi2-signed", {"signed": False}, "/par: 400 "),
    ],
)
def test_a_client_that_does_otherwise_is_told(
    stack: Stack, mock: MockBanks, name: str, changed: dict[str, Any], said: str | None
) -> None:
    (profile,) = (profile for profile in PROFILES if profile.name == name)
    problem = problem_of(stack, mock, profile, **changed)
    assert problem == said or (said and problem and said in problem), problem


def test_no_setting_of_a_profile_is_left_out() -> None:
    """A setting by which clients differ on the wire, and that no row has, is one that nobody has tried."""
    tried = {name for profile in PROFILES for name in profile.section}
    wire = {"auth_method", "pkce", "nonce", "profile", "sender_constrained", "signed_userinfo"}
    assert wire <= ClientSettings.model_fields.keys()
    assert wire <= tried
