"""A client of FAPI 2.0 and the person's way: a `request_uri` serves one login, whatever a browser does with it."""

from __future__ import annotations

import base64
import json
import time
from copy import deepcopy
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from joserfc import jws

from broker.app import create_app
from broker.oidc.refused import kept_requests
from broker.settings import Settings
from tests.harness.broker import Broker, System
from tests.harness.broker_pair import CALLBACK, Pair
from tests.harness.browser import Browser
from tests.harness.certificates import certificate


@pytest.fixture(params=["fapi2", "fapi2-message-signing"], scope="module")
def strict(system: System, both: Pair, request: pytest.FixtureRequest) -> tuple[Pair, str]:
    """The two brokers, their client held to a profile."""
    config = deepcopy(both.brokers[0].config)
    config["clients"]["portal"]["profile"] = request.param
    for broker in both.brokers:
        fresh = create_app(Settings.model_validate(config), clock=system.clock)
        broker.parts.flow.op.clients["portal"] = fresh.extensions["tunnus"].flow.op.clients["portal"]
    return both, request.param


@pytest.fixture(autouse=True, scope="module")
def _loosened(both: Pair) -> Any:
    plain = [broker.parts.flow.op.clients["portal"] for broker in both.brokers]
    yield
    for broker, client in zip(both.brokers, plain, strict=True):
        broker.parts.flow.op.clients["portal"] = client


def pushed(pair: Pair, browser: Browser, profile: str) -> str:
    """A request that the client has pushed: the address for the browser."""
    client, issuer, now = browser.client, browser.client.issuer, int(time.time())
    key = client.keys.current()

    def sign(claims: dict[str, Any]) -> str:
        return jws.serialize_compact({"alg": "ES256", "kid": key.kid}, json.dumps(claims), key, algorithms=["ES256"])

    query = parse_qs(urlsplit(browser.authorize_url(idp_hint="op")).query)
    wanted: dict[str, Any] = {name: values[0] for name, values in query.items()}
    if profile == "fapi2-message-signing":
        own = {"iss": "portal", "aud": issuer, "nbf": now, "exp": now + 60, "response_mode": "jwt"}
        wanted = {"client_id": "portal", "request": sign(wanted | own)}
    assertion = {"iss": "portal", "sub": "portal", "aud": issuer, "exp": now + 60, "jti": browser.state}
    wanted["client_assertion_type"] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    with requests.Session() as session:
        session.trust_env = False
        answer = session.post(
            pair.at(f"{issuer}/par", pair.ports[0]), data=wanted | {"client_assertion": sign(assertion)}
        )
    assert answer.status_code == 201, answer.text
    uri = answer.json()["request_uri"]
    return (
        requests.Request("GET", f"{issuer}/authorize", params={"client_id": "portal", "request_uri": uri}).prepare().url
        or ""
    )


def answer_of(url: str, profile: str) -> dict[str, Any]:
    """What the client reads of a response; signed, its claims (their signature is tested with the provider)."""
    found = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    if profile == "fapi2":
        return found
    assert set(found) == {"response"}
    body = found["response"].split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=="))
    return claims


def test_a_request_uri_serves_one_login_in_whatever_tab_ends_first(strict: tuple[Pair, str]) -> None:
    pair, profile = strict
    pair.everybody()
    browser = pair.browser()
    url = pushed(pair, browser, profile)
    first = browser.open(url, stop_before=CALLBACK)
    second = browser.open(url, stop_before=CALLBACK)
    answer = answer_of(browser.open(second.url).url, profile)
    assert (answer["iss"], answer["state"]) == (browser.client.issuer, browser.state)
    assert "code" in answer
    assert answer_of(browser.open(second.url).url, profile)["code"] == answer["code"]  # a reload gets the same
    late = browser.open(first.url)
    assert late.status == 410
    back = answer_of(browser.open(late.link("/return/")).url, profile)
    assert (back["error"], back["state"]) == ("access_denied", browser.state)
    assert browser.open(url).status == 400


def test_a_posted_request_uri_is_sent_round_as_itself(strict: tuple[Pair, str]) -> None:
    pair, profile = strict
    browser = pair.browser()
    parts = urlsplit(pushed(pair, browser, profile))
    tab = pair.brokers[1].app.test_client()
    answer = tab.post(parts.path, data={name: values[0] for name, values in parse_qs(parts.query).items()})
    assert answer.status_code == 303
    assert parse_qs(urlsplit(answer.headers["Location"]).query) == parse_qs(parts.query)
    assert tab.get(answer.headers["Location"]).status_code == 303


def test_what_is_fetched_ahead_begins_nothing(strict: tuple[Pair, str]) -> None:
    pair, profile = strict
    pair.everybody()
    browser = pair.browser()
    url = pushed(pair, browser, profile)
    parts = urlsplit(url)
    tab = pair.brokers[0].app.test_client()
    assert tab.get(f"{parts.path}?{parts.query}", headers={"Sec-Purpose": "prefetch"}).status_code == 204
    assert browser.open(url, stop_before=CALLBACK).page is None


def test_a_request_that_was_not_pushed_comes_back_as_an_error(strict: tuple[Pair, str]) -> None:
    pair, profile = strict
    browser = pair.browser()
    mode = {"response_mode": "jwt"} if profile != "fapi2" else {}
    arrival = browser.start(**mode)
    assert answer_of(arrival.url, profile)["error"] == "invalid_request"


def test_a_push_that_is_refused_is_kept_for_the_developer(pair: Pair) -> None:
    app = pair.brokers[0].app.test_client()
    answer = app.post("/par", data={"client_id": "portal", "redirect_uri": "https://x.example/?a=secret"})
    assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_client")
    assert app.put("/par").status_code == 405
    (*_, kept) = kept_requests(pair.brokers[0].parts.store, [], 0)
    assert (kept.error, kept.sent_redirect_uri) == ("invalid_client", "https://x.example/?a=…")


@pytest.mark.parametrize(
    ("proxy", "forwarded", "seen"),
    [
        ("127.0.0.1", "192.0.2.7", True),
        ("192.0.2.7", "192.0.2.7", False),  # the client's own address, were it a proxy's, is not the peer's
        ("192.0.2.7", "127.0.0.1, 192.0.2.7", False),
    ],
)
def test_a_certificate_counts_by_who_connects_and_not_by_who_is_said_to(
    pair: Pair, tmp_path: Path, proxy: str, forwarded: str, seen: bool
) -> None:
    config = deepcopy(pair.brokers[0].config)
    config["clients"]["portal"] |= {"profile": "fapi2", "sender_constrained": "mtls"}
    config["server"] |= {
        "trusted_proxies": 1,
        "client_certificate_header": "Client-Cert",
        "client_certificate_proxies": [proxy],
    }
    app = create_app(Settings.model_validate(config), clock=pair.system.clock)
    broker = Broker(app, pair.brokers[0].client, config)
    der = x509.load_pem_x509_certificate(certificate(tmp_path, "127.0.0.9").read_bytes()).public_bytes(Encoding.DER)
    key, now = broker.client.keys.current(), int(time.time())
    claims = {"iss": "portal", "sub": "portal", "aud": broker.client.issuer, "exp": now + 60, "jti": proxy + forwarded}
    assertion = jws.serialize_compact({"alg": "ES256", "kid": key.kid}, json.dumps(claims), key, algorithms=["ES256"])
    form = {
        "grant_type": "authorization_code",
        "code": "0123abcd" + "x" * 43,
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": assertion,
    }
    headers = {"X-Forwarded-For": forwarded, "Client-Cert": f":{base64.b64encode(der).decode()}:"}
    answer = app.test_client().post("/token", data=form, headers=headers)
    # With a certificate it gets as far as the code, which is none.
    assert answer.get_json()["error"] == ("invalid_grant" if seen else "invalid_request")
