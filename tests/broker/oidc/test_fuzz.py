"""Anything at all at `/authorize`, `/token` and `/userinfo`: never a 5xx, never JSON to a browser, never astray."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.harness.openid_provider import ISSUER, Harness, answer_of

BOUNDED = settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

NAMES = (
    *("response_type", "response_mode", "client_id", "redirect_uri", "scope", "state", "nonce", "code_challenge"),
    *("code_challenge_method", "prompt", "max_age", "ui_locales", "acr_values", "idp_hint", "request", "request_uri"),
    *("claims", "login_hint", "grant_type", "code", "code_verifier", "client_assertion", "client_assertion_type"),
)
ODD = (
    *("", " ", '"', "\\", "å", "\x00", "\r\nSet-Cookie: a=b", '"><script>alert(1)</script>', "none", "code", "openid"),
    *("portal", "https://portal.example/callback", "https://evil.example/", "0", "x" * 513, "s" * 2049, "{{7*7}}"),
)
VALUES = st.one_of(
    st.text(max_size=40),
    st.sampled_from(ODD),
)
CHANGES = st.lists(st.tuples(st.sampled_from(NAMES) | st.text(max_size=10), VALUES), max_size=6)
REGISTERED = {"https://portal.example/callback", "https://portal.example/second"}


def bent(good: dict[str, str], changes: list[tuple[str, str]], repeated: bool) -> dict[str, list[str]]:
    """Good parameters, some of them replaced, or sent a second time."""
    values = {name: [value] for name, value in good.items()}
    for name, value in changes:
        values[name] = [*values.get(name, []), value] if repeated else [value]
    return values


@BOUNDED
@given(changes=CHANGES, repeated=st.booleans(), post=st.booleans())
def test_authorize_answers_anything_with_a_page_or_a_registered_address(
    harness: Harness, changes: list[tuple[str, str]], repeated: bool, post: bool
) -> None:
    sent = bent(harness.request(), changes, repeated)
    response: Any = (
        harness.browser.post("/authorize", data=sent) if post else harness.browser.get("/authorize", query_string=sent)
    )
    assert response.status_code in {303, 400}
    assert response.mimetype != "application/json"
    assert "Set-Cookie" not in response.headers
    body = response.get_data(as_text=True)
    assert "<script" not in body
    if response.status_code == 400:
        assert re.fullmatch(r"<h1>Bad request</h1> [A-Z2-7]{26}", body)
    elif response.headers["Location"] != "/choose/transaction":
        place, answer = answer_of(response)
        assert place in REGISTERED
        assert answer["iss"] == ISSUER
        assert answer["error"]
        assert set(answer) <= {"error", "error_description", "state", "iss"}


@BOUNDED
@given(query=st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: raw.decode("latin-1")))
def test_authorize_answers_any_query_with_a_page(harness: Harness, query: str) -> None:
    response = harness.browser.get("/authorize", environ_overrides={"QUERY_STRING": query.encode().decode("latin-1")})
    assert (response.status_code, response.mimetype) == (400, "text/html")


@BOUNDED
@given(changes=CHANGES, repeated=st.booleans(), authorization=st.none() | st.text(max_size=30))
def test_token_answers_anything_with_json_below_500(
    harness: Harness, changes: list[tuple[str, str]], repeated: bool, authorization: str | None
) -> None:
    sent = bent(harness.form("0123abcd" + "x" * 43), changes, repeated)
    header = None if authorization is None else authorization.encode().decode("latin-1")
    overrides = {} if header is None else {"HTTP_AUTHORIZATION": header}
    response = harness.browser.post("/token", data=sent, environ_overrides=overrides)
    assert 400 <= response.status_code < 500
    assert set(response.get_json()) == {"error", "error_description"}
    assert "<script" not in response.get_data(as_text=True)


@BOUNDED
@given(body=st.binary(max_size=200))
def test_token_answers_any_body_with_json_below_500(harness: Harness, body: bytes) -> None:
    response = harness.browser.post("/token", data=body, content_type="application/x-www-form-urlencoded")
    assert (response.status_code, response.mimetype) == (400, "application/json")


@BOUNDED
@given(assertion=st.text(alphabet="eyJhbGciOiJub25lIn0.-_=", max_size=80))
def test_token_answers_any_assertion_with_json_below_500(harness: Harness, assertion: str) -> None:
    response = harness.token(harness.form("0123abcd" + "x" * 43, client_assertion=assertion or "x"))
    assert response.status_code == 401


@BOUNDED
@given(
    claims=st.dictionaries(
        st.sampled_from(["iss", "sub", "aud", "exp", "iat", "nbf", "jti"]),
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.lists(st.text(max_size=3)),
        min_size=1,
    )
)
def test_token_answers_any_claims_with_json_below_500(harness: Harness, claims: dict[str, Any]) -> None:
    signed = harness.sign(harness.claims() | claims)
    response = harness.token(harness.form("0123abcd" + "x" * 43, client_assertion=signed))
    assert response.status_code in {400, 401}


@BOUNDED
@given(authorization=st.text(max_size=60))
def test_userinfo_answers_anything_with_json_below_500(harness: Harness, authorization: str) -> None:
    header = authorization.encode().decode("latin-1")
    response = harness.browser.get("/userinfo", environ_overrides={"HTTP_AUTHORIZATION": header})
    assert response.status_code in {400, 401}
    assert response.mimetype == "application/json"
