"""docs/openapi-registration.yaml is valid, and the API answers as it says, to whatever it gets and over HTTP too."""

from __future__ import annotations

import json
import string
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import requests
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012
from werkzeug.serving import make_server

from kit.client_authentication.assertion import CLOCK_SKEW, LONGEST_LIFE
from kit.rights import LEVELS, SECTIONS
from registration.accounts.sign_in import PER_ADDRESS, PER_PAIR, PER_USER_NAME, SHORT_WINDOW
from registration.api.sign_in import LONGEST
from tests.harness.registration_api import OWNER, PASSWORD, ApiHarness, basic, bearer, open_harness, signed
from tests.harness.registration_keys import make_keys
from tunnus_verifier.testing.mint import TokenMint

FILE = Path(__file__).parents[3] / "docs" / "openapi-registration.yaml"
SUB = "sub-of-aino"
GOOD = {"user_name": "Aino", "password": PASSWORD, "address": OWNER}
DOCUMENT: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
RESOURCE = Resource.from_contents(DOCUMENT, default_specification=DRAFT202012)
REGISTRY: Registry[Any] = Registry().with_resource("registration", RESOURCE)


@pytest.fixture
def harness(sqlite_url: str, tmp_path: Path, mint: TokenMint) -> Iterator[ApiHarness]:
    make_keys(tmp_path / "keys", 0)
    harness = open_harness(sqlite_url, tmp_path / "keys", mint)
    harness.represents(harness.person(), "1234567-1", "100001", administrator=True)
    yield harness
    harness.database.close()


def conforms(schema: dict[str, Any] | str, value: Any) -> None:
    pointer = {"$ref": f"registration#/components/schemas/{schema}"} if isinstance(schema, str) else schema
    Draft202012Validator(pointer, registry=REGISTRY).validate(value)


def as_described(path: str, method: str, answer: Any) -> int:
    """Check an answer against what the document says of its status; returns the status."""
    described = DOCUMENT["paths"][path][method]["responses"][str(answer.status_code)]
    if "$ref" in described:
        described = DOCUMENT["components"]["responses"][described["$ref"].rsplit("/", 1)[1]]
    for name, header in described.get("headers", {}).items():
        header = DOCUMENT["components"]["headers"][header["$ref"].rsplit("/", 1)[1]] if "$ref" in header else header
        value: Any = answer.headers[name]
        conforms(header["schema"], int(value) if header["schema"].get("type") == "integer" else value)
    if "content" in described:
        assert answer.headers["Content-Type"] == "application/json"
        schema = described["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]
        conforms(schema, json.loads(answer.text))
    else:
        assert answer.text == ""
    return int(answer.status_code)


def sign_in(harness: ApiHarness, **options: Any) -> int:
    return as_described("/api/sign-in", "post", harness.browser.post("/api/sign-in", **options))


def rights(harness: ApiHarness, **options: Any) -> int:
    return as_described("/api/rights", "get", harness.browser.get("/api/rights", **options))


def test_the_document_is_valid() -> None:
    validate(DOCUMENT)


def test_it_names_exactly_the_endpoints_there_are(harness: ApiHarness) -> None:
    rules = [rule for rule in harness.app.url_map.iter_rules() if rule.endpoint.startswith("api.")]
    served = {(rule.rule, method.lower()) for rule in rules for method in (rule.methods or set()) - {"HEAD"}}
    assert served == {(path, method) for path, item in DOCUMENT["paths"].items() for method in item}


def test_its_words_and_numbers_are_those_of_the_code() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    assert {name: member["maxLength"] for name, member in schemas["SignIn"]["properties"].items()} == LONGEST
    assert tuple(schemas["Sections"]["properties"]) == SECTIONS
    assert tuple(schemas["Level"]["enum"]) == LEVELS
    told = " ".join(DOCUMENT["paths"]["/api/sign-in"]["post"]["description"].split())
    assert f"{PER_PAIR} in {SHORT_WINDOW // 60} minutes for a user name from an address" in told
    assert f"{PER_ADDRESS} in {SHORT_WINDOW // 60} minutes for an address" in told
    assert f"{PER_USER_NAME} a day" in told
    assert f"at most {LONGEST_LIFE // 60} minutes ahead" in DOCUMENT["info"]["description"]
    assert CLOCK_SKEW == 60


def test_every_status_of_the_sign_in_is_as_described(harness: ApiHarness) -> None:
    conforms("SignIn", GOOD)
    seen = {sign_in(harness, json=GOOD, headers=basic())}
    seen |= {sign_in(harness, json={}, headers=basic()), sign_in(harness, json=GOOD)}
    seen |= {sign_in(harness, data="x", headers=basic()), sign_in(harness, json="x" * 9000, headers=basic())}
    seen |= {sign_in(harness, json=GOOD | {"password": "wrong"}, headers=basic()) for _ in range(11)}
    seen |= {as_described("/api/sign-in", "post", harness.browser.get("/api/sign-in"))}
    assert seen == {int(status) for status in DOCUMENT["paths"]["/api/sign-in"]["post"]["responses"]} - {500, 503}


def test_every_status_of_the_rights_is_as_described(harness: ApiHarness) -> None:
    token = bearer(harness.mint.token(aud=["registration"], azp="online-service", sub=SUB))
    etag = harness.rights(basic(), sub=SUB).headers["ETag"]
    seen = {rights(harness, headers=basic(), query_string={"sub": SUB}), rights(harness, headers=token)}
    seen |= {
        rights(harness, headers=token | {"If-None-Match": etag}),
        rights(harness, headers=basic()),
        rights(harness),
    }
    seen |= {rights(harness, headers=bearer("x")), rights(harness, headers=token, query_string={"sub": "other"})}
    seen |= {as_described("/api/rights", "get", harness.browser.delete("/api/rights"))}
    harness.mint.down = True
    unknown_kid = harness.mint.sign(harness.mint.claims(), harness.mint.header(kid="new"))
    harness.service.database.close()
    seen |= {rights(harness, headers=bearer(unknown_kid))}
    assert seen - {503} == {int(status) for status in DOCUMENT["paths"]["/api/rights"]["get"]["responses"]} - {500, 503}


LOOSE = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
TEXTS = st.one_of(st.text(max_size=40), st.sampled_from(["Aino", PASSWORD, OWNER, "\0", "\ud800", "::1", "x" * 600]))
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=6,
)
BODIES = st.one_of(
    st.binary(max_size=60),
    VALUES.map(lambda value: json.dumps(value).encode()),
    st.fixed_dictionaries(dict.fromkeys(GOOD, VALUES)).map(lambda value: json.dumps(value).encode()),
    st.fixed_dictionaries(dict.fromkeys(GOOD, TEXTS)).map(lambda value: json.dumps(value).encode()),
)
HEADER_TEXTS = st.text(st.sampled_from(string.printable.replace("\r", "").replace("\n", "") + "åß\x7f"), max_size=60)
AUTHORIZATIONS = st.one_of(
    st.none(), HEADER_TEXTS, HEADER_TEXTS.map("Basic {}".format), HEADER_TEXTS.map("Bearer {}".format)
)
CLAIMS = st.dictionaries(st.sampled_from(["iss", "sub", "aud", "exp", "iat", "nbf", "jti", "x"]), VALUES)
HEADERS = st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "b64", "x"]), VALUES)
QUERIES = st.one_of(
    st.dictionaries(st.text(max_size=40), st.text(max_size=300), max_size=3),
    st.fixed_dictionaries({"sub": st.text(max_size=300)}),
)


@LOOSE
@given(body=BODIES, content_type=st.sampled_from(["application/json"] * 4 + ["application/json; charset=x", "text/x"]))
def test_whatever_a_client_sends_is_answered_as_described(harness: ApiHarness, body: bytes, content_type: str) -> None:
    sign_in(harness, data=body, content_type=content_type, headers=basic())


@LOOSE
@given(authorization=AUTHORIZATIONS, assertion=st.one_of(st.none(), HEADER_TEXTS))
def test_whatever_stands_in_the_headers_is_refused(
    harness: ApiHarness, authorization: str | None, assertion: str | None
) -> None:
    headers = {"Authorization": authorization, "Client-Assertion": assertion}
    sent = {name: value for name, value in headers.items() if value is not None}
    assert sign_in(harness, json=GOOD, headers=sent) in (400, 401)
    assert rights(harness, query_string={"sub": SUB}, headers=sent) in (400, 401)


@LOOSE
@given(claims=CLAIMS, header=HEADERS)
def test_whatever_an_assertion_says_is_answered_as_described(
    harness: ApiHarness, claims: dict[str, Any], header: dict[str, Any]
) -> None:
    for changes in (claims, {"sub": "ec-service"} | claims, harness.claims() | claims):
        assertion = signed(changes, header=header)
        assert rights(harness, query_string={"sub": SUB}, headers={"Client-Assertion": assertion}) in (200, 401)


@LOOSE
@given(query=QUERIES)
def test_whatever_is_asked_is_answered_as_described(harness: ApiHarness, query: dict[str, str]) -> None:
    assert rights(harness, query_string=query, headers=basic()) in (200, 400)


def test_the_online_service_over_http(harness: ApiHarness) -> None:
    server = make_server("127.0.0.1", 0, harness.app, threaded=True)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}"
    try:
        with requests.Session() as session:
            session.trust_env = False
            answer = session.post(f"{url}/api/sign-in", json=GOOD, headers=harness.by_assertion(path="/api/sign-in"))
            assert as_described("/api/sign-in", "post", answer) == 200
            sub = answer.json()["sub"]
            first = session.get(f"{url}/api/rights", params={"sub": sub}, headers=basic())
            assert as_described("/api/rights", "get", first) == 200
            assert first.json()["companies"][0]["customer_numbers"] == ["100001"]
            token = bearer(harness.mint.token(aud=["registration"], azp="online-service", sub=sub))
            condition = {"If-None-Match": first.headers["ETag"]}
            assert (
                as_described("/api/rights", "get", session.get(f"{url}/api/rights", headers=token | condition)) == 304
            )
            long = session.post(
                f"{url}/api/sign-in", data=b"x" * 9000, headers=basic() | {"Content-Type": "application/json"}
            )
            assert as_described("/api/sign-in", "post", long) == 413
            assert as_described("/api/sign-in", "post", session.post(f"{url}/api/sign-in", json=GOOD)) == 401
            assert not session.cookies
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
