"""Whatever is sent to a public address: never a 5xx, never JSON to a browser, never a way to a foreign place."""

from __future__ import annotations

import string
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.harness.broker import PORTAL, System

MARKUP = "<script>alert(1)</script>"
text = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        ["", "nordea", "openid", "code", "S256", "none", MARKUP, "å", '"', "\x00", "a" * 3000, "../x", "%0d%0a"]
    ),
)
names = st.one_of(
    st.sampled_from(
        [
            "client_id",
            "redirect_uri",
            "response_type",
            "scope",
            "state",
            "nonce",
            "code_challenge",
            "max_age",
            "prompt",
            "code_challenge_method",
            "ui_locales",
            "acr_values",
            "idp_hint",
            "request",
            "request_uri",
            "response_mode",
            "code",
            "error",
            "iss",
            "grant_type",
            "client_assertion",
            "client_assertion_type",
            "code_verifier",
        ]
    ),
    st.text(string.ascii_letters, min_size=1, max_size=12),
)
parameters = st.lists(st.tuples(names, text), max_size=8)
usual = st.fixed_dictionaries(
    {},
    optional={
        "client_id": st.sampled_from(["portal", "other"]),
        "redirect_uri": st.sampled_from([f"{PORTAL}/callback", "https://attacker.example/"]),
        "response_type": st.sampled_from(["code", "token", MARKUP]),
        "scope": st.sampled_from(["openid", "openid profile", "profile"]),
        "state": st.sampled_from(["s" * 20, MARKUP]),
        "nonce": st.just("n" * 20),
        "code_challenge": st.just("c" * 43),
        "code_challenge_method": st.sampled_from(["S256", "plain"]),
    },
)
BROWSER_PATHS = st.one_of(
    st.sampled_from(["/authorize", "/callback/shared-telia", "/", "/choose/x", "/problem/x", "/return/x", "/wait/x"]),
    st.builds("/identify/{}/{}".format, st.text(string.ascii_letters + "._-", max_size=50), text.map(lambda t: t[:20])),
    st.builds("/{}/{}".format, st.sampled_from(["choose", "problem", "return", "wait", "callback"]), text),
)
CLIENT_PATHS = st.sampled_from(["/token", "/par", "/userinfo"])
few = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


@pytest.fixture(scope="module")
def browser(system: System) -> FlaskClient:
    return system.broker("telia", "shared").app.test_client(use_cookies=False)


def safe(response: Any, issuer: str) -> None:
    """What holds for every answer to a browser."""
    assert response.status_code < 500, response.status
    body = response.get_data(as_text=True)
    assert MARKUP not in body
    assert "Traceback" not in body
    assert "application/json" not in response.headers.get("Content-Type", "")
    place = response.headers.get("Location")
    if place is not None:
        split = urlsplit(place)
        known = {"", urlsplit(issuer).netloc, urlsplit(PORTAL).netloc}
        assert split.netloc in known or split.path.endswith("/authorize"), place


@few
@given(path=BROWSER_PATHS, extra=parameters, base=usual, method=st.sampled_from(["GET", "POST", "PUT"]))
def test_nothing_a_browser_sends_breaks_a_page(
    system: System, browser: FlaskClient, path: str, extra: list[tuple[str, str]], base: dict[str, str], method: str
) -> None:
    query = [*base.items(), *extra]
    if method == "GET":
        response = browser.get(path, query_string=query)
    else:
        response = browser.open(path, method=method, data=dict(query))
    safe(response, system.broker("telia", "shared").client.issuer)


@few
@given(path=CLIENT_PATHS, extra=parameters, authorization=text, method=st.sampled_from(["GET", "POST"]))
def test_nothing_a_client_sends_breaks_an_endpoint(
    browser: FlaskClient, path: str, extra: list[tuple[str, str]], authorization: str, method: str
) -> None:
    clean = "".join(character for character in authorization if " " < character < "\x7f")
    headers = {"Authorization": f"Bearer {clean}"} if clean else {}
    response = browser.open(path, method=method, data=dict(extra) if method == "POST" else None, headers=headers)
    assert 400 <= response.status_code < 500
    assert MARKUP not in response.get_data(as_text=True)


@few
@given(extra=parameters)
def test_the_list_of_providers_takes_any_query(browser: FlaskClient, extra: list[tuple[str, str]]) -> None:
    response = browser.get("/api/providers", query_string=extra)
    assert response.status_code == 200
    assert MARKUP not in response.get_data(as_text=True)


@few
@given(state=st.text("0123456789abcdef", min_size=60, max_size=66), code=text)
def test_a_state_that_was_never_ours_ends_on_a_page(
    browser: FlaskClient, system: System, state: str, code: str
) -> None:
    response = browser.get("/callback/shared-telia", query_string={"state": state, "code": code})
    assert response.status_code in (303, 400)
    safe(response, system.broker("telia", "shared").client.issuer)
