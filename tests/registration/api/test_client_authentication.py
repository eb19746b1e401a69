"""How the online service proves itself to the API: client_secret_basic, and private_key_jwt in a header."""

from __future__ import annotations

import base64
import json
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import select

from registration.database.models import UsedAssertion
from registration.tidy import tidy
from tests.harness.registration_api import (
    NOW,
    SECRET,
    URL,
    ApiHarness,
    basic,
    bearer,
    client_jwk,
    jws,
    open_harness,
    signed,
)
from tests.harness.registration_keys import make_keys
from tunnus_verifier.testing.mint import TokenMint, encode, make_key, public_jwk


def ask(api: ApiHarness, headers: dict[str, str]) -> int:
    return api.rights(headers, sub="anybody").status_code


def refused(api: ApiHarness, headers: dict[str, str], caplog: pytest.LogCaptureFixture) -> str:
    """The reason in the log of a refusal, which is always the same for the client."""
    caplog.clear()
    with caplog.at_level(logging.INFO):
        answer = api.rights(headers, sub="anybody")
    assert answer.status_code == 401
    assert answer.get_json() == {"error": "invalid_client", "error_description": "client authentication failed"}
    assert answer.headers.getlist("WWW-Authenticate") == ['Basic realm="registration"', 'Bearer realm="registration"']
    story = next(record for record in caplog.records if record.message == "request")
    assert story.__dict__["code"] == "invalid_client"
    return str(story.__dict__["reason"])


def test_the_right_secret_opens_the_api(api_on_sqlite: ApiHarness) -> None:
    assert ask(api_on_sqlite, basic()) == 200


@pytest.mark.parametrize("client_id", ["ec-service", "rsa-service"])
def test_a_good_assertion_opens_the_api(api: ApiHarness, client_id: str) -> None:
    assert ask(api, api.by_assertion(client_id)) == 200


def test_sign_in_asks_for_a_client_only(api_on_sqlite: ApiHarness) -> None:
    answer = api_on_sqlite.browser.post("/api/sign-in", json={})
    assert answer.headers.getlist("WWW-Authenticate") == ['Basic realm="registration"']


UNKNOWN = "the client is unknown, its secret is wrong, or it is set up for another way"
MALFORMED = "the Basic credentials are malformed"
NONE = "no client authentication of a kind that is accepted"


def credentials(text: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(text.encode()).decode()}


SECRETS: dict[str, tuple[dict[str, str], str]] = {
    "nothing": ({}, NONE),
    "another scheme": ({"Authorization": 'Digest username="secret-service"'}, NONE),
    "a wrong secret": (basic(secret="wrong"), UNKNOWN),
    "no secret": (basic(secret=""), UNKNOWN),
    "the hash": (basic(secret="sha256:"), UNKNOWN),
    "an unknown client": (basic("nobody"), UNKNOWN),
    "a client of another way": (basic("ec-service"), UNKNOWN),
    "not form-urlencoded": (credentials(f"secret-service:{SECRET.replace('€', 'e')}"), UNKNOWN),
    "no colon": (credentials("secret-service"), UNKNOWN),
    "no base64": ({"Authorization": "Basic secret-service:secret"}, MALFORMED),
    "stray characters": ({"Authorization": basic()["Authorization"] + "!"}, MALFORMED),
    "not ASCII": (credentials(f"secret-service:{SECRET}"), MALFORMED),
    "two headers in one": ({"Authorization": basic()["Authorization"] + ", " + basic()["Authorization"]}, MALFORMED),
}


@pytest.mark.parametrize("name", SECRETS)
def test_other_credentials_are_refused(api_on_sqlite: ApiHarness, caplog: pytest.LogCaptureFixture, name: str) -> None:
    headers, reason = SECRETS[name]
    assert refused(api_on_sqlite, headers, caplog) == reason


def test_neither_secret_nor_assertion_is_written_to_the_log(
    api_on_sqlite: ApiHarness, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = api_on_sqlite.by_assertion(exp=NOW - 100)
    with caplog.at_level(logging.DEBUG):
        for headers in (basic(), basic(secret="secret-that-is-wrong"), api_on_sqlite.by_assertion(), wrong):
            ask(api_on_sqlite, headers)
    written = " ".join(str(record.__dict__) for record in caplog.records)
    for text in (SECRET, "secret-that-is-wrong", wrong["Client-Assertion"], wrong["Client-Assertion"].split(".")[1]):
        assert text not in written


def test_two_ways_at_once_are_refused(api_on_sqlite: ApiHarness) -> None:
    for authorization in (basic(), bearer(api_on_sqlite.mint.token(azp="online-service"))):
        answer = api_on_sqlite.rights(authorization | api_on_sqlite.by_assertion(), sub="anybody")
        assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_request")


def test_an_assertion_is_taken_from_its_header_only(api_on_sqlite: ApiHarness) -> None:
    assertion = api_on_sqlite.by_assertion()["Client-Assertion"]
    assert api_on_sqlite.rights({}, sub="anybody", client_assertion=assertion).status_code == 401
    assert ask(api_on_sqlite, {"Client-Assertion": assertion}) == 200


GOOD_CLAIMS: dict[str, dict[str, Any]] = {
    "our address as audience": {"aud": URL},
    "a list of one audience": {"aud": [f"{URL}/api/rights"]},
    "without iat": {"iat": None},
    "with nbf": {"nbf": NOW},
    "the longest life": {"exp": NOW + 600},
    "a clock that is behind": {"iat": NOW - 60, "exp": NOW - 59},
    "a clock that is ahead": {"iat": NOW + 60, "nbf": NOW + 60, "exp": NOW + 660},
    "broken seconds": {"iat": NOW + 0.5, "exp": NOW + 0.5},
    "a long jti": {"jti": "x" * 512},
    "a claim we do not know": {"scope": "everything"},
}


@pytest.mark.parametrize("name", GOOD_CLAIMS)
def test_assertions_that_are_as_good(api_on_sqlite: ApiHarness, name: str) -> None:
    assert ask(api_on_sqlite, api_on_sqlite.by_assertion(**GOOD_CLAIMS[name])) == 200


ISSUER = "iss must be the client_id"
AUDIENCE = "aud must be exactly one value: our issuer, or this endpoint"
JTI = "jti must be a printable string of 1 to 512 characters"
NO_SUB = "sub is not a known client"
ALG = "alg is not accepted"
SUB = "sub is not a client that is set up for private_key_jwt"
IAT = "iat lies in the future, or more than 10 minutes back"
BAD_CLAIMS: dict[str, tuple[dict[str, Any], str]] = {
    "another issuer": ({"iss": "rsa-service"}, ISSUER),
    "no issuer": ({"iss": None}, ISSUER),
    "no subject": ({"sub": None}, NO_SUB),
    "an unknown subject": ({"sub": "nobody", "iss": "nobody"}, SUB),
    "a subject with a secret": ({"sub": "secret-service", "iss": "secret-service"}, SUB),
    "a subject that is no text": ({"sub": ["ec-service"]}, NO_SUB),
    "no audience": ({"aud": None}, AUDIENCE),
    "another audience": ({"aud": "https://id.example.fi"}, AUDIENCE),
    "the other endpoint": ({"aud": f"{URL}/api/sign-in"}, AUDIENCE),
    "a slash more": ({"aud": f"{URL}/"}, AUDIENCE),
    "two audiences": ({"aud": [URL, "https://id.example.fi"]}, AUDIENCE),
    "no audience in the list": ({"aud": []}, AUDIENCE),
    "a list in the list": ({"aud": [[URL]]}, AUDIENCE),
    "expired": ({"exp": NOW - 60}, "exp is past"),
    "without exp": ({"exp": None}, "exp must be a number of seconds"),
    "exp as text": ({"exp": str(NOW)}, "exp must be a number of seconds"),
    "exp true": ({"exp": True}, "exp must be a number of seconds"),
    "exp without end": ({"exp": 1e300}, "exp must be a number of seconds"),
    "exp that is no number": ({"exp": float("nan")}, "exp must be a number of seconds"),
    "too long a life": ({"exp": NOW + 661}, "exp must be within 10 minutes"),
    "from the future": ({"iat": NOW + 61}, IAT),
    "from long ago": ({"iat": NOW - 661}, IAT),
    "iat as text": ({"iat": "now"}, "iat must be a number of seconds"),
    "not yet": ({"nbf": NOW + 61}, "nbf lies in the future"),
    "nbf as text": ({"nbf": "now"}, "nbf must be a number of seconds"),
    "no jti": ({"jti": None}, JTI),
    "an empty jti": ({"jti": ""}, JTI),
    "a long jti": ({"jti": "x" * 513}, JTI),
    "a jti with NUL": ({"jti": "a\0"}, JTI),
    "half a character as jti": ({"jti": "\ud800"}, JTI),
    "a number as jti": ({"jti": 1}, JTI),
}


@pytest.mark.parametrize("name", BAD_CLAIMS)
def test_other_claims_are_refused(api_on_sqlite: ApiHarness, caplog: pytest.LogCaptureFixture, name: str) -> None:
    changes, reason = BAD_CLAIMS[name]
    assert refused(api_on_sqlite, api_on_sqlite.by_assertion(**changes), caplog) == reason


KEY = "no registered key verifies the signature"
JSON = "header or claims are not JSON"
COMPACT = "not a compact JWS"
TYP = "typ must be jwt or client-authentication+jwt"


def unsigned(claims: dict[str, Any]) -> str:
    header = encode(b'{"alg":"none"}')
    return f"{header}.{encode(json.dumps(claims).encode())}."


def by_hmac(claims: dict[str, Any]) -> str:
    """Signed with the public key as if it were a shared secret (RFC 8725 §2.1)."""
    secret = json.dumps(client_jwk("ES256")).encode()
    return jws(b'{"alg":"HS256","kid":"kid-ES256"}', json.dumps(claims).encode(), "HS256", secret)


def repeated(claims: dict[str, Any]) -> str:
    return signed(b'{"aud":"https://id.example.fi",' + json.dumps(claims).encode()[1:])


BAD_TOKENS: dict[str, tuple[Callable[[dict[str, Any]], str], str]] = {
    "empty": (lambda claims: "", COMPACT),
    "no token": (lambda claims: "assertion", COMPACT),
    "unsigned": (unsigned, COMPACT),
    "padded": (lambda claims: signed(claims).replace(".", "=.", 1), COMPACT),
    "two of them": (lambda claims: f"{signed(claims)},{signed(claims)}", COMPACT),
    "too long": (lambda claims: signed(claims | {"x": "x" * 4096}), COMPACT),
    "alg none": (lambda claims: signed(claims, header={"alg": "none"}), ALG),
    "an HMAC": (by_hmac, ALG),
    "the algorithm of another kind of key": (lambda claims: signed(claims, "RS256"), KEY),
    "an algorithm that the key is not for": (lambda claims: signed(claims, header={"alg": "ES384"}), ALG),
    "another's key": (lambda claims: signed(claims, key=make_key("ES256", "stranger")), KEY),
    "another kid": (lambda claims: signed(claims, header={"kid": "kid-RS256"}), KEY),
    "a kid that is no text": (lambda claims: signed(claims, header={"kid": 1}), KEY),
    "its own key in the header": (
        lambda claims: signed(claims, header={"jwk": client_jwk("RS256")}, key=make_key("ES256", "stranger")),
        KEY,
    ),
    "changed claims": (lambda claims: bent(signed(claims), claims | {"jti": "another"}), KEY),
    "crit": (lambda claims: signed(claims, header={"crit": ["b64"], "b64": True}), "the header has an extension"),
    "b64": (lambda claims: signed(claims, header={"b64": True}), "the header has an extension"),
    "an access token": (lambda claims: signed(claims, header={"typ": "at+jwt"}), TYP),
    "a typ that is no text": (lambda claims: signed(claims, header={"typ": 1}), TYP),
    "claims that are no object": (lambda claims: signed(b"[]"), "header or claims are not a JSON object"),
    "claims that are no JSON": (lambda claims: signed(b"{"), JSON),
    "claims that are not UTF-8": (lambda claims: signed(b'{"sub":"\xff"}'), JSON),
    "claims that are very deep": (lambda claims: signed(b"[" * 2500), JSON),
    "a repeated claim": (repeated, "a member is repeated"),
    "a repeated header": (
        lambda claims: jws(b'{"alg":"none","alg":"ES256"}', json.dumps(claims).encode()),
        "a member is repeated",
    ),
}


def bent(assertion: str, claims: dict[str, Any]) -> str:
    header, _, signature = assertion.split(".")
    return f"{header}.{encode(json.dumps(claims).encode())}.{signature}"


@pytest.mark.parametrize("name", BAD_TOKENS)
def test_other_assertions_are_refused(api_on_sqlite: ApiHarness, caplog: pytest.LogCaptureFixture, name: str) -> None:
    make, reason = BAD_TOKENS[name]
    assert refused(api_on_sqlite, {"Client-Assertion": make(api_on_sqlite.claims())}, caplog) == reason


@pytest.mark.parametrize("header", [{"typ": None}, {"typ": "client-authentication+jwt"}, {"typ": "jwt"}, {"kid": None}])
def test_headers_that_are_as_good(api_on_sqlite: ApiHarness, header: dict[str, Any]) -> None:
    assert ask(api_on_sqlite, {"Client-Assertion": signed(api_on_sqlite.claims(), header=header)}) == 200


def test_an_assertion_serves_once(api: ApiHarness, caplog: pytest.LogCaptureFixture) -> None:
    headers = api.by_assertion()
    assert ask(api, headers) == 200
    assert refused(api, headers, caplog) == "jti was used before"
    api.clock.now = NOW + 359  # the last second in which it would be good
    assert refused(api, headers, caplog) == "jti was used before"
    tidy(api.service)
    assert refused(api, headers, caplog) == "jti was used before"


def test_an_assertion_serves_once_over_all_processes(api: ApiHarness) -> None:
    settings = api.service.settings
    other = open_harness(settings.database.url, settings.keys.dir, api.mint)
    headers = api.by_assertion()
    assert [ask(other, headers), ask(api, headers)] == [200, 401]
    other.database.close()


def test_of_one_assertion_at_the_same_moment_one_is_taken(api: ApiHarness) -> None:
    headers = api.by_assertion()
    outcomes: list[int] = []
    browsers = [api.app.test_client() for _ in range(8)]
    threads = [
        threading.Thread(
            target=lambda b=browser: outcomes.append(b.get("/api/rights?sub=x", headers=headers).status_code)
        )
        for browser in browsers
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [200] + [401] * 7


def test_two_clients_may_use_the_same_jti(api_on_sqlite: ApiHarness) -> None:
    assert [
        ask(api_on_sqlite, api_on_sqlite.by_assertion(client, jti="1")) for client in ("ec-service", "rsa-service")
    ] == [
        200,
        200,
    ]


def test_an_assertion_that_is_refused_is_not_used_up(api_on_sqlite: ApiHarness) -> None:
    assert ask(api_on_sqlite, api_on_sqlite.by_assertion(jti="1", exp=NOW - 60)) == 401
    assert ask(api_on_sqlite, api_on_sqlite.by_assertion(jti="1")) == 200


def test_used_assertions_are_deleted_when_they_cannot_come_again(api_on_sqlite: ApiHarness) -> None:
    ask(api_on_sqlite, api_on_sqlite.by_assertion())
    api_on_sqlite.clock.now = NOW + 300 + 120
    tidy(api_on_sqlite.service)
    with api_on_sqlite.database.read() as transaction:
        assert not list(transaction.scalars(select(UsedAssertion.id)))


@pytest.mark.parametrize("change", [{"use": "enc"}, {"alg": "ES384"}])
def test_a_key_for_another_use_is_no_key_to_sign_with(sqlite_url: str, tmp_path: Path, change: dict[str, str]) -> None:
    def only_that(config: dict[str, Any]) -> None:
        config["api"]["clients"]["ec-service"]["jwks"] = [client_jwk("ES256") | change]

    make_keys(tmp_path / "keys", 0)
    with pytest.raises(ValidationError, match=r"api\.clients\.ec-service\n +has no key for signing"):
        open_harness(sqlite_url, tmp_path / "keys", TokenMint("http://127.0.0.1:9", "registration"), only_that)


def test_while_a_key_is_replaced_both_are_taken(tmp_path: Path, sqlite_url: str) -> None:
    new = client_jwk("ES256") | {"kid": "new"}
    old = {"kty": "EC", "crv": "P-256", "kid": "old", "use": "sig", "alg": "ES256"}
    old |= {name: value for name, value in public_jwk(make_key("ES256", "old")).items() if name in ("x", "y")}

    def both(config: dict[str, Any]) -> None:
        config["api"]["clients"]["ec-service"]["jwks"] = [old, new]

    make_keys(tmp_path / "keys", 0)
    api = open_harness(sqlite_url, tmp_path / "keys", TokenMint("http://127.0.0.1:9", "registration"), both)
    for header, key in (
        ({"kid": "old"}, "old"),
        ({"kid": "new"}, "client"),
        ({"kid": None}, "old"),
        ({"kid": None}, "client"),
    ):
        assertion = signed(api.claims(), header=header, key=make_key("ES256", key))
        assert ask(api, {"Client-Assertion": assertion}) == 200
    assertion = signed(api.claims(), header={"kid": "new"}, key=make_key("ES256", "old"))
    assert ask(api, {"Client-Assertion": assertion}) == 401
    api.database.close()
