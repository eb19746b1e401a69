"""The token request: what is sent, once, and what each answer means."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs

import pytest
import requests
import responses
from joserfc import jwt

from providers.connection import Connection
from providers.engine.http import BankHttp
from providers.engine.token_request import TokenResponse, exchange_code
from providers.errors import ALL_ERRORS, IdentificationError, RelyingPartyRejected
from tests.harness.engine.jose import rsa_key
from tests.harness.engine.parts import CLIENT_ID, ISSUER, NOW, TOKEN_ENDPOINT, MemoryKeys, Seen, make_connection

CLASSES = {error.code: error for error in ALL_ERRORS}
GOOD = {"access_token": "at", "token_type": "Bearer", "expires_in": 600, "id_token": "a.b.c.d.e"}


def exchange(
    bank: Connection | None = None, verifier: str | None = None, keys: MemoryKeys | None = None, code: str = "c0de"
) -> TokenResponse:
    """Exchange a code at a bank that `responses` stands for."""
    bank = bank or make_connection()
    http = BankHttp(bank, 1, Seen())
    with http.identification() as budget:
        return exchange_code(bank, code, verifier, keys or MemoryKeys(), http, budget, NOW)


def sent(bank: responses.RequestsMock) -> dict[str, str]:
    """The form of the one request there was."""
    assert len(bank.calls) == 1, "no token request is ever repeated"
    form = parse_qs(str(bank.calls[0].request.body), strict_parsing=True)
    assert all(len(values) == 1 for values in form.values())
    return {name: values[0] for name, values in form.items()}


def assertion(bank: responses.RequestsMock) -> dict[str, Any]:
    """The claims of the client assertion, its signature verified."""
    decoded = jwt.decode(sent(bank)["client_assertion"], rsa_key("our-sig"), algorithms=["RS256"])
    assert decoded.header == {"alg": "RS256", "kid": "our-sig", "typ": "JWT"}
    return decoded.claims


@pytest.mark.parametrize("dialect", ["ftn", "telia", "isb"])
def test_the_form_holds_what_the_guides_demand_and_no_more(dialect: str) -> None:
    with responses.RequestsMock() as bank:
        bank.post(TOKEN_ENDPOINT, json=GOOD)
        assert exchange(make_connection(dialect), code="c+o/d e=&") == TokenResponse("a.b.c.d.e", "at")
        form = sent(bank)
    form.pop("client_assertion")
    assert form == {
        "grant_type": "authorization_code",
        "code": "c+o/d e=&",
        "redirect_uri": "https://tunnus.example/callback/bank",
        "client_id": CLIENT_ID,
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    }


def test_the_code_verifier_goes_along_where_pkce_is_used() -> None:
    with responses.RequestsMock() as bank:
        bank.post(TOKEN_ENDPOINT, json=GOOD)
        exchange(verifier="v" * 64)
        assert sent(bank)["code_verifier"] == "v" * 64


@pytest.mark.parametrize("dialect", ["ftn", "telia", "isb"])
def test_the_client_assertion_is_for_the_token_endpoint_and_short_lived(dialect: str) -> None:
    with responses.RequestsMock() as bank:
        bank.post(TOKEN_ENDPOINT, json=GOOD)
        exchange(make_connection(dialect))
        claims = assertion(bank)
    assert len(claims.pop("jti")) == 32
    assert claims == {
        "iss": CLIENT_ID,
        "sub": CLIENT_ID,
        "aud": TOKEN_ENDPOINT,
        "iat": NOW,
        "exp": NOW + 300,
    }
    assert claims["aud"] != ISSUER


def test_no_two_client_assertions_share_a_jti() -> None:
    seen = set()
    for _ in range(5):
        with responses.RequestsMock() as bank:
            bank.post(TOKEN_ENDPOINT, json=GOOD)
            exchange()
            seen.add(assertion(bank)["jti"])
    assert len(seen) == 5


def test_without_a_signing_key_nothing_is_sent() -> None:
    with responses.RequestsMock() as bank, pytest.raises(RelyingPartyRejected) as caught:
        exchange(keys=MemoryKeys({"rp-enc": ["our-enc"]}))
    assert (caught.value.code, caught.value.step) == ("config_error", "token_exchange")
    assert len(bank.calls) == 0


TAKEN: dict[str, tuple[dict[str, Any], str | None]] = {
    "token type in small letters": ({"token_type": "bearer"}, "at"),
    "no access token": ({"access_token": None}, None),
    "an access token that is empty": ({"access_token": ""}, None),
    "members that say nothing": ({"error": None, "error_description": "", "expires_in": None}, "at"),
    "an error that is empty": ({"error": ""}, "at"),
    "an access token that is no string": ({"access_token": {"a": 1}}, None),
    "unknown members": ({"scope": "openid", "expires_in": "1800000000", "refresh_token": []}, "at"),
}


@pytest.mark.parametrize("name", TAKEN)
def test_a_token_response_with_allowed_variants_is_taken(name: str) -> None:
    members, access_token = TAKEN[name]
    with responses.RequestsMock() as bank:
        bank.post(TOKEN_ENDPOINT, json=GOOD | members, content_type="Application/JSON; charset=UTF-8")
        assert exchange() == TokenResponse("a.b.c.d.e", access_token)


@pytest.mark.parametrize("content_type", ["", "application/json ;charset=ISO-8859-1", "APPLICATION/JSON;x=y;z"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_token_response_is_taken_without_a_type_and_with_a_byte_order_mark(content_type: str, mark: bytes) -> None:
    with responses.RequestsMock() as bank:
        bank.post(TOKEN_ENDPOINT, body=mark + json.dumps(GOOD).encode(), content_type=content_type)
        assert exchange() == TokenResponse("a.b.c.d.e", "at")


def without(*names: str) -> bytes:
    """A token response that lacks members."""
    return json.dumps({name: value for name, value in GOOD.items() if name not in names}).encode()


def error(word: object, description: object = None) -> bytes:
    """An error response."""
    return json.dumps({"error": word} | ({"error_description": description} if description else {})).encode()


JSON = "application/json"
ANSWERS: dict[str, tuple[int, str, bytes, str, str | None]] = {
    # status, content type, body -> code, claim
    "no id_token": (200, JSON, without("id_token"), "integrity_error", "id_token"),
    "id_token empty": (200, JSON, json.dumps(GOOD | {"id_token": ""}).encode(), "integrity_error", "id_token"),
    "id_token null": (200, JSON, json.dumps(GOOD | {"id_token": None}).encode(), "integrity_error", "id_token"),
    "id_token an object": (200, JSON, json.dumps(GOOD | {"id_token": {}}).encode(), "integrity_error", "id_token"),
    "no token_type": (200, JSON, without("token_type"), "integrity_error", "token_type"),
    "token_type DPoP": (200, JSON, json.dumps(GOOD | {"token_type": "DPoP"}).encode(), "integrity_error", "token_type"),
    "token_type a list": (
        200,
        JSON,
        json.dumps(GOOD | {"token_type": ["Bearer"]}).encode(),
        "integrity_error",
        "token_type",
    ),
    "a token and an error": (200, JSON, json.dumps(GOOD | {"error": "x"}).encode(), "integrity_error", "error"),
    "a token and an error of no text": (
        200,
        JSON,
        json.dumps(GOOD | {"error": 0}).encode(),
        "integrity_error",
        "error",
    ),
    "a token and errors": (200, JSON, json.dumps(GOOD | {"error": ["x"]}).encode(), "integrity_error", "error"),
    "an error with 200": (200, JSON, error("invalid_client"), "config_error", "error"),
    "another error with 200": (200, JSON, error("invalid_grant"), "idp_failed", "error"),
    "temporarily_unavailable with 200": (200, JSON, error("temporarily_unavailable"), "unavailable", "error"),
    "an error twice": (200, JSON, without()[:-1] + b', "error": "a", "error": "b"}', "idp_failed", None),
    "an error and a token with 400": (400, JSON, json.dumps(GOOD | {"error": "x"}).encode(), "idp_failed", "error"),
    "HTML": (200, "text/html", b"<h1>Hello", "idp_failed", "content_type"),
    "JSON that says it is text": (200, "text/plain", without(), "idp_failed", "content_type"),
    "HTML without a content type": (200, "", b"<h1>Hello", "idp_failed", None),
    "HTML that says it is JSON": (200, JSON, b"<h1>Hello", "idp_failed", None),
    "a list": (200, JSON, b"[]", "idp_failed", None),
    "empty": (200, JSON, b"", "idp_failed", None),
    "a member twice": (200, JSON, without()[:-1] + b', "id_token": "x"}', "idp_failed", None),
    "not UTF-8": (200, JSON, b'{"id_token": "\xff"}', "idp_failed", None),
    "another status with a token": (201, JSON, without(), "idp_failed", "error"),
    "a redirect": (302, JSON, b"{}", "idp_failed", "error"),
    "400 with HTML": (400, "text/html", b"<h1>Bad", "idp_failed", "content_type"),
    "invalid_grant": (400, JSON, error("invalid_grant"), "idp_failed", "error"),
    "invalid_client": (401, JSON, error("invalid_client"), "config_error", "error"),
    "unauthorized_client": (400, JSON, error("unauthorized_client", "invalid%20assertion"), "config_error", "error"),
    "invalid_request": (
        400,
        JSON,
        error("invalid_request", "parameter%20validation%20failed"),
        "config_error",
        "error",
    ),
    "temporarily_unavailable": (400, JSON, error("temporarily_unavailable"), "unavailable", "error"),
    "an error nobody knows": (400, JSON, error("teapot"), "idp_failed", "error"),
    "an error that is a list": (400, JSON, error(["invalid_client"]), "idp_failed", "error"),
    "no error": (400, JSON, b"{}", "idp_failed", "error"),
    "500": (500, JSON, error("server_error"), "unavailable", None),
    "500 with a token": (500, JSON, without(), "unavailable", None),
    "502 with HTML": (502, "text/html", b"<h1>Bad gateway", "unavailable", None),
    "503": (503, JSON, b"", "unavailable", None),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_means_one_thing(name: str) -> None:
    status, content_type, body, code, claim = ANSWERS[name]
    with responses.RequestsMock() as bank:
        bank.post(TOKEN_ENDPOINT, body=body, status=status, content_type=content_type)
        with pytest.raises(IdentificationError) as caught:
            exchange()
        sent(bank)
    assert type(caught.value) is CLASSES[code]
    assert (caught.value.code, caught.value.step, caught.value.claim) == (code, "token_exchange", claim)


@pytest.mark.parametrize(
    ("dialect", "description", "code"),
    [
        ("isb", "invalid%20grant", "idp_failed"),
        ("isb", "invalid grant", "idp_failed"),
        ("isb", " Invalid%20Grant ", "idp_failed"),
        ("isb", "client%20information%20fetching%20failed", "config_error"),
        ("isb", ["invalid grant"], "config_error"),
        ("isb", None, "config_error"),
        ("telia", "invalid%20grant", "config_error"),
        ("ftn", "invalid grant", "config_error"),
    ],
)
def test_isb_says_in_the_description_that_a_code_was_used(dialect: str, description: object, code: str) -> None:
    with responses.RequestsMock() as bank:
        bank.post(TOKEN_ENDPOINT, body=error("invalid_request", description), status=400, content_type=JSON)
        with pytest.raises(IdentificationError) as caught:
            exchange(make_connection(dialect))
    assert (caught.value.code, caught.value.claim) == (code, "error")


@pytest.mark.parametrize(
    "fault",
    [
        requests.ConnectionError("refused"),
        requests.ConnectTimeout(),
        requests.ReadTimeout(),
        requests.exceptions.SSLError("certificate of another"),
        requests.exceptions.ChunkedEncodingError(),
        OSError("reset"),
    ],
    ids=lambda fault: type(fault).__name__,
)
def test_no_whole_answer_is_unavailable_and_not_tried_again(fault: Exception) -> None:
    with responses.RequestsMock() as bank:
        bank.post(TOKEN_ENDPOINT, body=fault)
        with pytest.raises(IdentificationError) as caught:
            exchange()
        sent(bank)
    assert (caught.value.code, caught.value.step, caught.value.claim) == ("unavailable", "token_exchange", None)


def test_nothing_of_an_answer_stands_in_an_error_or_a_repr() -> None:
    secret = "270996-997L<script>"
    with responses.RequestsMock() as bank:
        bank.post(TOKEN_ENDPOINT, body=error(secret, secret), status=400, content_type=JSON)
        with pytest.raises(IdentificationError) as caught:
            exchange()
    assert secret not in str(caught.value)
    assert secret not in repr(TokenResponse(secret, secret))
