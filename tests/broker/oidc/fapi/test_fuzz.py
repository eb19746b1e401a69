"""Anything at all, by clients of each profile: never a 5xx, never astray, and no two parameters loosen a rule."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broker.oidc.parameters import KNOWN
from tests.broker.oidc.conftest import MakeWorld
from tests.harness.fapi import FapiClient
from tests.harness.openid_provider import Harness, answer_of

BOUNDED = settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
CLIENTS = ("portal", "plain", "fapi", "signing", "bound")
PLAIN = ("portal", "plain")
NAMES = (*sorted(KNOWN), "claims", "client_secret", "client_assertion", "client_assertion_type", "pushed", "profile")
ODD = (
    *("", " ", '"', "\\", "å", "\x00", "\r\nSet-Cookie: a=b", '"><script>', "none", "code", "openid", "jwt", "query"),
    *("query.jwt", "form_post", "form_post.jwt", "portal", "fapi", "https://evil.example/", "0", "x" * 513, "plain"),
    *("eyJhbGciOiJub25lIn0.e30.", "urn:ietf:params:oauth:request_uri:", "urn:ietf:params:oauth:request_uri:x", "OURS"),
)
VALUES = st.one_of(st.text(max_size=30), st.sampled_from(ODD))
CHANGES = st.lists(st.tuples(st.sampled_from(NAMES), VALUES), max_size=5)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8) | st.sampled_from(ODD),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=4,
)


def bent(good: dict[str, str], changes: list[tuple[str, str]], repeated: bool, ours: str = "x") -> dict[str, list[str]]:
    """Good parameters, some of them replaced, or sent a second time; OURS stands for a `request_uri` of ours."""
    values = {name: [value] for name, value in good.items()}
    for name, value in changes:
        chosen = ours if value == "OURS" else value
        values[name] = [*values.get(name, []), chosen] if repeated else [chosen]
    return values


def holds(harness: Harness, client_id: str, request: Any) -> None:
    """What every request that was taken of a client is, however it came."""
    assert request.client_id == client_id
    assert harness.op.clients[client_id].check_redirect_uri(request.redirect_uri)
    assert "openid" in request.scopes
    assert harness.op.clients[client_id].scopes.issuperset(request.scopes)
    if client_id != "plain":
        assert request.state
        assert request.code_challenge
    if client_id == "plain":
        assert request.nonce
    if client_id not in PLAIN:
        assert request.pushed
    if client_id == "signing":
        assert request.response_mode in {"jwt", "query.jwt"}


@BOUNDED
@given(
    client_id=st.sampled_from(CLIENTS),
    changes=CHANGES,
    by_reference=st.booleans(),
    repeated=st.booleans(),
    post=st.booleans(),
)
def test_authorize_leads_nowhere_but_to_registered_addresses(
    harness: Harness, client_id: str, changes: list[tuple[str, str]], by_reference: bool, repeated: bool, post: bool
) -> None:
    client = FapiClient(harness, client_id)
    ours = client.push()
    good = {"client_id": client_id, "request_uri": ours} if by_reference else client.parameters()
    sent = bent(good, changes, repeated, ours)
    before = len(harness.begun)
    browser: Any = harness.browser
    response = browser.post("/authorize", data=sent) if post else browser.get("/authorize", query_string=sent)
    assert response.status_code in {303, 400}
    assert response.mimetype == "text/html"
    if response.status_code == 303 and response.headers["Location"] != "/choose/transaction":
        place, answer = answer_of(response)
        clients = harness.op.clients.values()
        assert place in {uri.partition("?")[0] for one in clients for uri in one.redirect_uris}
        assert set(answer) <= {"error", "error_description", "state", "iss", "response", "kept"}
    for request in harness.begun[before:]:
        holds(harness, request.client_id, request)


@BOUNDED
@given(
    client_id=st.sampled_from(CLIENTS),
    changes=CHANGES,
    signed=st.booleans(),
    repeated=st.booleans(),
    proof=st.none() | st.text(max_size=20),
)
def test_par_answers_anything_with_json_below_500(
    harness: Harness,
    client_id: str,
    changes: list[tuple[str, str]],
    signed: bool,
    repeated: bool,
    proof: str | None,
) -> None:
    client = FapiClient(harness, client_id)
    good = {"request": client.request_object()} if signed else client.parameters()
    sent = bent(good | client.credentials(), changes, repeated)
    overrides = {} if proof is None else {"HTTP_DPOP": proof.encode().decode("latin-1")}
    response = harness.browser.post("/par", data=sent, environ_overrides=overrides)
    assert response.mimetype == "application/json"
    if response.status_code != 201:
        assert response.status_code in {400, 401}
        assert set(response.get_json()) == {"error", "error_description"}
        assert "<script" not in response.get_data(as_text=True)
        return
    follow(harness, client_id, response)


def follow(harness: Harness, client_id: str, response: Any) -> None:
    query = {"client_id": client_id, "request_uri": response.get_json()["request_uri"]}
    assert harness.browser.get("/authorize", query_string=query).headers["Location"] == "/choose/transaction"
    holds(harness, client_id, harness.begun[-1])


@BOUNDED
@given(
    client_id=st.sampled_from(("portal", "fapi", "signing")),
    claims=st.dictionaries(
        st.sampled_from([*sorted(KNOWN), "iss", "aud", "exp", "nbf", "iat", "jti", "sub", "claims"]), JSON, max_size=4
    ),
    header=st.dictionaries(st.sampled_from(["typ", "kid", "crit", "cty", "jwk", "b64", "x"]), JSON, max_size=2),
)
def test_par_answers_any_request_object_with_json_below_500(
    harness: Harness, client_id: str, claims: dict[str, Any], header: dict[str, Any]
) -> None:
    client = FapiClient(harness, client_id)
    form = client.credentials() | {"request": client.request_object(header, **claims)}
    response = harness.browser.post("/par", data=form)
    assert response.status_code in {201, 400}
    if response.status_code == 201:
        follow(harness, client_id, response)


TOKEN_NAMES = ("grant_type", "code", "redirect_uri", "code_verifier", "client_id", "client_assertion", "client_secret")
HELD = ("grant_type", "code", "redirect_uri", "code_verifier")


@BOUNDED
@given(
    client_id=st.sampled_from(CLIENTS),
    changes=st.lists(st.tuples(st.sampled_from((*TOKEN_NAMES, "scope", "resource", "x")), VALUES), max_size=3),
    repeated=st.booleans(),
    missing=st.none() | st.sampled_from(TOKEN_NAMES),
    proved=st.booleans(),
)
def test_token_answers_anything_with_json_below_500_and_gives_nothing_for_less(
    harness: Harness, client_id: str, changes: list[tuple[str, str]], repeated: bool, missing: str | None, proved: bool
) -> None:
    client = FapiClient(harness, client_id)
    client.learn_nonce()
    good = client.token_form(client.grant().code)
    sent = bent(good, changes, repeated)
    sent.pop(missing or "", None)
    headers = {"DPoP": client.proof()} if proved else {}
    response = harness.browser.post("/token", data=sent, headers=headers)
    answer = response.get_json()
    if response.status_code != 200:
        assert response.status_code in {400, 401}
        assert set(answer) == {"error", "error_description"}
        return
    assert answer["token_type"] == ("DPoP" if proved else "Bearer")
    assert proved or client_id in PLAIN
    assert client_id != "bound"
    assert {name: sent.get(name) for name in HELD} == {name: [good[name]] for name in HELD}


@BOUNDED
@given(
    claims=st.dictionaries(
        st.sampled_from(["htm", "htu", "iat", "jti", "nonce", "ath", "exp", "nbf"]), JSON, max_size=3
    ),
    header=st.dictionaries(st.sampled_from(["typ", "jwk", "kid", "crit", "b64", "jku", "x"]), JSON, max_size=2),
    jwk=st.dictionaries(st.sampled_from(["kty", "crv", "x", "y", "n", "e", "d", "k", "alg", "use"]), JSON, max_size=3),
)
def test_any_proof_gets_a_token_or_an_error_below_500(
    harness: Harness, claims: dict[str, Any], header: dict[str, Any], jwk: dict[str, Any]
) -> None:
    client = FapiClient(harness)
    client.learn_nonce()
    key = client.proof_key.as_dict(private=False) | jwk
    proof = client.proof(header={"jwk": key, **header}, **claims)
    response = client.token(client.grant().code, {"DPoP": proof})
    answer = response.get_json()
    if response.status_code == 200:
        assert answer["token_type"] == "DPoP"
        assert client.userinfo(f"Bearer {answer['access_token']}").status_code == 401
    else:
        assert (response.status_code, answer["error"]) in {(400, "invalid_dpop_proof"), (400, "use_dpop_nonce")}


@BOUNDED
@given(
    proof=st.text(max_size=60) | st.text(alphabet="eyJhbGciOiJub25lIn0.-_=", max_size=80),
    scheme=st.sampled_from(["DPoP", "Bearer"]),
)
def test_any_dpop_header_gets_an_error_below_500(harness: Harness, proof: str, scheme: str) -> None:
    client = FapiClient(harness)
    overrides = {"HTTP_DPOP": proof.encode().decode("latin-1")}
    form = client.token_form(client.grant().code)
    response = harness.browser.post("/token", data=form, environ_overrides=overrides)
    assert (response.status_code, response.get_json()["error"]) == (400, "invalid_dpop_proof")
    client.learn_nonce()
    token = client.access_token()
    asked = harness.browser.get(
        "/userinfo", headers={"Authorization": f"{scheme} {token}"}, environ_overrides=overrides
    )
    assert asked.status_code == 401


@pytest.fixture
def behind_proxy(make_world: MakeWorld) -> FapiClient:
    world = make_world(
        server={"client_certificate_header": "Client-Cert", "client_certificate_proxies": ["10.0.0.0/8"]}
    )
    return FapiClient(world, "bound")


@BOUNDED
@given(
    header=st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: raw.decode("latin-1")) | st.just(":AAAA:"),
    peer=st.sampled_from(["10.0.0.1", "192.0.2.7", "", "unix:", "10.0.0.1%1", "::ffff:10.0.0.1"])
    | st.text(max_size=12),
)
def test_any_certificate_header_binds_nothing(behind_proxy: FapiClient, header: str, peer: str) -> None:
    form = behind_proxy.token_form(behind_proxy.grant().code)
    overrides = {"HTTP_CLIENT_CERT": header.encode().decode("latin-1"), "REMOTE_ADDR": peer}
    response = behind_proxy.harness.browser.post("/token", data=form, environ_overrides=overrides)
    assert (response.status_code, response.get_json()["error"]) == (400, "invalid_request")


PAIRS = [
    ("response_mode", "query"),
    ("request", "x"),
    ("request_uri", "https://evil.example/"),
    ("registration", "{}"),
    ("code_challenge_method", "plain"),
    ("code_challenge", ""),
    ("prompt", "none"),
    ("dpop_jkt", "x" * 43),
    ("redirect_uri", "https://evil.example/"),
    ("scope", "openid personal_identity_code"),
    ("client_id", "plain"),
    ("state", ""),
]


@pytest.mark.parametrize("client_id", CLIENTS)
@pytest.mark.parametrize("first", PAIRS, ids=[pair[0] for pair in PAIRS])
def test_no_two_parameters_together_loosen_a_rule(harness: Harness, client_id: str, first: tuple[str, str]) -> None:
    """Each pair, at `/authorize` beside a `request_uri` and without, and at `/par`."""
    client = FapiClient(harness, client_id)
    for second in PAIRS:
        changes = dict([first, second])
        for good in ({"client_id": client_id, "request_uri": client.push()}, client.parameters()):
            before = len(harness.begun)
            response = harness.browser.get("/authorize", query_string=good | changes)
            assert response.status_code in {303, 400}
            for request in harness.begun[before:]:
                holds(harness, request.client_id, request)
        response = client.par(**changes)
        if response.status_code == 201:
            follow(harness, client_id, response)


def test_the_issuer_is_never_taken_of_the_host(harness: Harness) -> None:
    client = FapiClient(harness)
    client.learn_nonce()
    sent = client.proof(htu="http://evil.example/token")
    form = client.token_form(client.grant().code)
    response: Any = harness.browser.post("/token", data=form, headers={"DPoP": sent}, base_url="http://evil.example")
    assert response.get_json()["error"] == "invalid_dpop_proof"
