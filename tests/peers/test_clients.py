"""Others' libraries as clients of the broker: each logs in, and verifies what it gets by itself."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests

from demo.runner.client import follow
from demo.runner.mock_banks import MockBanks
from demo.runner.proof import differences
from demo.runner.stack import Stack

pytestmark = pytest.mark.peers

HERE = Path(__file__).resolve().parent


@pytest.fixture
def persona(stack: Stack) -> dict[str, Any]:
    """Whom the mock banks identify next."""
    mock = MockBanks(stack.places.mock)
    chosen = mock.people()[0]
    mock.next("nordea", persona=chosen["id"])
    return chosen


def identify_with_openid_client(
    stack: Stack, node: str, browser: requests.Session, profile: str = "", **changed: str
) -> dict[str, Any]:
    """What client.mjs knows after an identification. changed: parameters of the answer, bent on their way to it."""
    client = replace(stack.client, client_id=profile or stack.client.client_id)
    current = client.keys.current()
    key = current.as_dict(private=True) | {"kid": current.kid}
    settings = {"issuer": client.issuer, "client_id": client.client_id, "redirect_uri": client.redirect_uri}
    settings |= {"key": key, "scope": "openid profile", "idp_hint": "nordea", "profile": profile}
    process = subprocess.Popen(
        [node, str(HERE / "client.mjs"), json.dumps(settings)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        if begun := process.stdout.readline():
            arrived = follow(browser, begun.strip(), client.redirect_uri)
            for old, new in changed.items():
                arrived = arrived.replace(f"{old}=", f"{new}=")
            process.stdin.write(f"{arrived}\n")
        said, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    result: dict[str, Any] = json.loads(said)
    return result


def test_openid_client_and_jose_log_in_and_verify(
    stack: Stack, node: str, browser: requests.Session, persona: dict[str, Any]
) -> None:
    result = identify_with_openid_client(stack, node, browser)
    assert differences(result["claims"], persona, "nordea") is None
    assert result["header"]["alg"] == "ES256"
    assert result["userinfo"]["sub"] == result["claims"]["sub"]
    assert result["userinfo"]["birthdate"] == persona["birthdate"]


@pytest.mark.parametrize("profile", ["fapi2", "fapi2-message-signing"])
def test_openid_client_logs_in_by_the_profiles_of_fapi(
    stack: Stack, node: str, browser: requests.Session, persona: dict[str, Any], profile: str
) -> None:
    """Pushed, bound by DPoP with our nonce; for message signing with a signed request, response and UserInfo."""
    result = identify_with_openid_client(stack, node, browser, profile)
    assert differences(result["claims"], persona, "nordea") is None
    assert result["type"] == "dpop"  # oauth4webapi gives it in lower case
    assert result["userinfo"]["birthdate"] == persona["birthdate"]


def test_openid_client_finds_the_answers_iss_where_it_looks_for_it(
    stack: Stack, node: str, browser: requests.Session, persona: dict[str, Any]
) -> None:
    """By RFC 9207, since discovery says that it is there: without it, openid-client refuses."""
    with pytest.raises(AssertionError, match=r'"iss" \(issuer\) missing'):
        identify_with_openid_client(stack, node, browser, iss="other")


def test_authlib_logs_in_and_pyjwt_verifies(stack: Stack, browser: requests.Session, persona: dict[str, Any]) -> None:
    claims = stack.client.identify(browser, idp_hint="nordea")
    assert differences(claims, persona, "nordea") is None
