"""The refusal table of `/authorize`: row name, how the request is bent, what it gets.

A page: nothing may be sent to an address that is not verified. A redirect: the client's own address, the
error, its state where that could be read, and our `iss`.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness.openid_provider import ISSUER, Harness, answer_of

MARKUP = '"><script>alert(1)</script>'

Pairs = list[tuple[str, str]]


def bent(harness: Harness, **changes: Any) -> Pairs:
    """A good request, changed: None leaves a parameter out, a list repeats it."""
    pairs: Pairs = []
    for name, value in (harness.request() | changes).items():
        values = value if isinstance(value, list) else [value]
        pairs += [(name, one) for one in values if one is not None]
    return pairs


PAGES: list[tuple[str, dict[str, Any]]] = [
    ("client-id-missing", {"client_id": None}),
    ("client-id-empty", {"client_id": ""}),
    ("client-id-unknown", {"client_id": "stranger"}),
    ("client-id-repeated", {"client_id": ["portal", "portal"]}),
    ("client-id-with-markup", {"client_id": MARKUP}),
    ("client-id-not-ascii", {"client_id": "pörtal"}),
    ("client-id-too-long", {"client_id": "p" * 513}),
    ("redirect-uri-missing", {"redirect_uri": None}),
    ("redirect-uri-empty", {"redirect_uri": ""}),
    ("redirect-uri-repeated", {"redirect_uri": ["https://portal.example/callback"] * 2}),
    ("redirect-uri-of-a-stranger", {"redirect_uri": "https://evil.example/callback"}),
    ("redirect-uri-of-another-client", {"redirect_uri": "https://wide.example/callback"}),
    ("redirect-uri-with-a-slash-more", {"redirect_uri": "https://portal.example/callback/"}),
    ("redirect-uri-with-a-query-more", {"redirect_uri": "https://portal.example/callback?x=1"}),
    ("redirect-uri-in-another-case", {"redirect_uri": "https://portal.example/Callback"}),
    ("redirect-uri-with-a-port", {"redirect_uri": "https://portal.example:443/callback"}),
    ("redirect-uri-with-a-user", {"redirect_uri": "https://portal.example@evil.example/callback"}),
    ("redirect-uri-with-a-quote", {"redirect_uri": 'https://portal.example/callback"'}),
    ("redirect-uri-not-ascii", {"redirect_uri": "https://portal.example/cällback"}),
    ("redirect-uri-javascript", {"redirect_uri": "javascript:alert(1)"}),
    ("redirect-uri-with-a-line-break", {"redirect_uri": "https://portal.example/callback\r\nX: 1"}),
]

REDIRECTS: list[tuple[str, dict[str, Any], str]] = [
    ("state-missing", {"state": None}, "invalid_request"),
    ("state-empty", {"state": ""}, "invalid_request"),
    ("state-repeated", {"state": ["the-state", "the-state"]}, "invalid_request"),
    ("state-not-ascii", {"state": "ställe"}, "invalid_request"),
    ("state-with-a-control-character", {"state": "a\x00b"}, "invalid_request"),
    ("state-too-long", {"state": "s" * 2049}, "invalid_request"),
    ("request-object", {"request": "eyJhbGciOiJub25lIn0.e30."}, "request_not_supported"),
    ("request-object-long", {"request": "e" * 4000}, "request_not_supported"),
    ("request-object-before-state", {"request": "x", "state": None}, "request_not_supported"),
    ("request-uri", {"request_uri": "https://portal.example/request"}, "request_uri_not_supported"),
    ("registration", {"registration": "{}"}, "registration_not_supported"),
    ("response-type-missing", {"response_type": None}, "invalid_request"),
    ("response-type-token", {"response_type": "token"}, "unsupported_response_type"),
    ("response-type-hybrid", {"response_type": "code id_token"}, "unsupported_response_type"),
    ("response-type-with-a-quote", {"response_type": '"'}, "unsupported_response_type"),
    ("response-type-not-ascii", {"response_type": "cåde"}, "invalid_request"),
    ("response-type-repeated", {"response_type": ["code", "code"]}, "invalid_request"),
    ("response-mode-fragment", {"response_mode": "fragment"}, "invalid_request"),
    ("response-mode-jwt", {"response_mode": "form_post.jwt"}, "invalid_request"),
    ("scope-missing", {"scope": None}, "invalid_scope"),
    ("scope-without-openid", {"scope": "profile"}, "invalid_scope"),
    ("scope-empty", {"scope": ""}, "invalid_scope"),
    ("scope-unknown-alone", {"scope": "email"}, "invalid_scope"),
    ("scope-not-allowed-to-the-client", {"scope": "openid personal_identity_code"}, "invalid_scope"),
    ("scope-repeated", {"scope": ["openid", "profile"]}, "invalid_request"),
    ("nonce-missing", {"nonce": None}, "invalid_request"),
    ("nonce-repeated", {"nonce": ["one", "two"]}, "invalid_request"),
    ("nonce-too-long", {"nonce": "n" * 513}, "invalid_request"),
    ("nonce-not-ascii", {"nonce": "nönce"}, "invalid_request"),
    ("pkce-missing", {"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
    ("pkce-challenge-missing", {"code_challenge": None}, "invalid_request"),
    ("pkce-method-missing", {"code_challenge_method": None}, "invalid_request"),
    ("pkce-plain", {"code_challenge_method": "plain"}, "invalid_request"),
    ("pkce-challenge-too-short", {"code_challenge": "c" * 42}, "invalid_request"),
    ("pkce-challenge-too-long", {"code_challenge": "c" * 44}, "invalid_request"),
    ("pkce-challenge-of-other-characters", {"code_challenge": "=" * 43}, "invalid_request"),
    ("pkce-challenge-repeated", {"code_challenge": ["c" * 43] * 2}, "invalid_request"),
    ("prompt-none", {"prompt": "none"}, "login_required"),
    ("prompt-none-with-another", {"prompt": "none login"}, "invalid_request"),
    ("max-age-negative", {"max_age": "-1"}, "invalid_request"),
    ("max-age-not-a-number", {"max_age": "soon"}, "invalid_request"),
    ("max-age-with-a-point", {"max_age": "1.5"}, "invalid_request"),
    ("acr-values-none-accepted", {"acr_values": "http://ftn.ficora.fi/2017/loa2 other"}, "access_denied"),
    ("ui-locales-too-long", {"ui_locales": "fi " * 200}, "invalid_request"),
    ("idp-hint-too-long", {"idp_hint": "n" * 513}, "invalid_request"),
    ("idp-hint-repeated", {"idp_hint": ["nordea", "op"]}, "invalid_request"),
    ("idp-hint-with-a-line-break", {"idp_hint": "nordea\r\nX: 1"}, "invalid_request"),
]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(("name", "changes"), PAGES, ids=[row[0] for row in PAGES])
def test_a_request_of_an_unverified_client_or_address_ends_on_a_page(
    harness: Harness, name: str, changes: dict[str, Any], method: str
) -> None:
    response = send(harness, method, bent(harness, **changes))
    assert response.status_code == 400
    assert response.mimetype == "text/html"
    assert "Location" not in response.headers
    assert "<script" not in response.get_data(as_text=True)
    assert not harness.begun


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(("name", "changes", "error"), REDIRECTS, ids=[row[0] for row in REDIRECTS])
def test_a_bad_request_of_a_verified_client_goes_back_with_the_standards_error(
    harness: Harness, name: str, changes: dict[str, Any], error: str, method: str
) -> None:
    response = send(harness, method, bent(harness, **changes))
    assert response.status_code == 303
    place, answer = answer_of(response)
    assert place == "https://portal.example/callback"
    assert answer.pop("error_description")
    state = {} if name.startswith("state-") or name.endswith("-before-state") else {"state": "the-state"}
    assert answer == {"error": error, "iss": ISSUER} | state
    assert "script%3E" not in response.headers["Location"]
    assert response.headers["Cache-Control"] == "no-store"
    assert not harness.begun


def send(harness: Harness, method: str, pairs: Pairs) -> Any:
    """By GET in the query, by POST in a form."""
    if method == "GET":
        return harness.browser.get("/authorize", query_string=pairs)
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return harness.browser.post("/authorize", data=values)


def test_an_error_keeps_the_query_of_a_registered_address(harness: Harness) -> None:
    response = harness.authorize(redirect_uri="https://portal.example/second?kept=1", prompt="none")
    place, answer = answer_of(response)
    assert (place, answer["kept"], answer["error"]) == ("https://portal.example/second", "1", "login_required")


def test_a_parameter_in_the_query_and_in_the_form_counts_as_repeated(harness: Harness) -> None:
    response = harness.browser.post("/authorize?nonce=other", data=harness.request())
    assert answer_of(response)[1]["error"] == "invalid_request"


def test_a_form_that_is_too_large_ends_on_a_page(harness: Harness) -> None:
    response = harness.browser.post("/authorize", data=harness.request() | {"foo": "p" * 70_000})
    assert (response.status_code, response.mimetype) == (400, "text/html")


def test_a_body_that_is_no_form_ends_on_a_page(harness: Harness) -> None:
    response = harness.browser.post("/authorize", json=harness.request())
    assert (response.status_code, response.mimetype) == (400, "text/html")
