"""npm oidc-provider as the bank: another reading of the standards than our own mock banks'."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import jwt
import pytest
import requests
import tomli_w

from demo.runner.client import Client, NotIdentified, follow
from demo.runner.configs import base_config
from demo.runner.processes import PYTHON, START_SECONDS, CannotStart, free_port, run
from demo.runner.stack import Stack

pytestmark = pytest.mark.peers

HERE = Path(__file__).resolve().parent
ACR = "http://ftn.ficora.fi/2017/loatest2"
PERSON = {
    "urn:oid:1.2.246.21": "131052-900W",
    "urn:oid:1.2.246.575.1.14": "Väinö",
    "urn:oid:2.5.4.4": "Tunnistettu",
    "urn:oid:1.3.6.1.5.5.7.9.1": "1952-10-13",
}


@dataclass(frozen=True)
class Bank:
    """The broker's client whose only bank is the npm one. log: what that bank says of errors."""

    client: Client
    log: Callable[[], str]


def wait_for_line(path: Path, line: str) -> None:
    """Wait until a process has written a line to its log."""
    end = time.monotonic() + START_SECONDS
    while line not in path.read_text().splitlines():
        if time.monotonic() > end:
            raise CannotStart(path.read_text())
        time.sleep(0.05)


def connection(issuer: str) -> dict[str, Any]:
    """The contract with the npm bank."""
    return {
        "dialect": "ftn",
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/auth",
        "token_endpoint": f"{issuer}/token",
        "unsigned_jwks_uri": f"{issuer}/jwks",
        "client_id": "tunnus",
        "pkce": True,
        "iss_parameter": True,
    }


def our_keys(stack: Stack) -> dict[str, Any]:
    """What a bank has of us: the keys we sign with, and those it encrypts to."""
    show = [PYTHON, "-m", "broker", "keys", "show-public", "--dir", str(stack.places.state / "keys")]
    sets = [json.loads(run([*show, purpose]))["keys"] for purpose in ("rp-sig", "rp-enc")]
    return {"keys": [key for keys in sets for key in keys]}


def start_bank(stack: Stack, node: str, name: str, redirect_uri: str, person: dict[str, str]) -> str:
    """Start the npm bank; return its issuer."""
    port = free_port()
    client = {"client_id": "tunnus", "redirect_uris": [redirect_uri], "jwks": our_keys(stack)}
    settings = {"port": port, "client": client, "acr": ACR, "person": person}
    stack.processes.start(name, [node, str(HERE / "bank.mjs"), json.dumps(settings)])
    wait_for_line(stack.processes.state / f"{name}.log", "listening")
    return f"http://127.0.0.1:{port}"


def start_pair(stack: Stack, node: str, name: str, person: dict[str, str]) -> Bank:
    """A bank that identifies one person, and a broker that knows no other bank."""
    places = replace(
        stack.places, port=(port := free_port()), issuer=f"http://127.0.0.1:{port}", operations_port=free_port()
    )
    bank = start_bank(stack, node, f"{name}-bank", f"{places.issuer}/callback/npm", person)
    config = base_config(places) | {
        "audit": {"dir": str(places.state / f"{name}-audit")},
        "connections": {"npm": connection(bank)},
        "providers": {"nordea": {"connection": "npm"}},
    }
    path = places.state / f"{name}.toml"
    path.write_text(tomli_w.dumps(config))
    stack.processes.start(f"{name}-broker", [PYTHON, "-m", "broker", "serve", "--config", str(path)])
    stack.processes.wait_for(f"{name}-broker", f"http://127.0.0.1:{places.operations_port}/readyz")
    return Bank(replace(stack.client, issuer=places.issuer), lambda: stack.processes.tail(f"{name}-bank"))


@pytest.fixture(scope="module")
def bank(stack: Stack, node: str) -> Iterator[Bank]:
    """The npm bank, and a broker that knows no other."""
    yield start_pair(stack, node, "npm", PERSON)
    for name in ("npm-broker", "npm-bank"):
        stack.processes.end(name)


def test_an_identification_passes_with_oidc_provider_as_the_bank(bank: Bank, browser: requests.Session) -> None:
    try:
        claims = bank.client.identify(browser, idp_hint="nordea")
    except NotIdentified as error:
        pytest.fail(f"{error}; the bank says: {bank.log()}")
    assert claims["given_name"] == "Väinö"
    assert claims["family_name"] == "Tunnistettu"
    assert claims["birthdate"] == "1952-10-13"
    assert claims["acr"] == ACR
    assert claims["amr"] == ["npm"]
    assert claims["idp"] == "nordea"
    assert abs(claims["auth_time"] - time.time()) < 60


def test_a_person_has_the_same_sub_each_time_whatever_the_bank_calls_them(bank: Bank) -> None:
    subs = set()
    for _ in range(2):  # the bank makes up another sub each time
        with requests.Session() as session:
            session.trust_env = False
            subs.add(bank.client.identify(session, idp_hint="nordea")["sub"])
    assert len(subs) == 1


def test_oidc_provider_refuses_a_request_object_that_somebody_changed(bank: Bank, browser: requests.Session) -> None:
    """It looks at the signature: so what passes above is signed as it must be."""
    to_bank, asked = at_bank(bank, browser)
    head, payload, signature = asked["request"].split(".")
    answer = refused(browser, to_bank, asked | {"request": f"{head}.{payload}.{signature[::-1]}"})
    assert answer["error"] == "invalid_request_object"


def test_oidc_provider_refuses_parameters_that_stand_in_no_request_object(
    bank: Bank, browser: requests.Session
) -> None:
    to_bank, asked = at_bank(bank, browser)
    inside = jwt.decode(asked["request"], options={"verify_signature": False})
    plain = {name: value for name, value in inside.items() if name not in ("iss", "aud", "jti", "iat", "exp")}
    assert refused(browser, to_bank, plain)["error"] == "invalid_request"


def test_an_error_of_oidc_provider_ends_in_a_page_and_no_code(bank: Bank, browser: requests.Session) -> None:
    to_bank, asked = at_bank(bank, browser)
    changed = urlsplit(to_bank)._replace(query=urlencode(asked | {"request": asked["request"][:-9]})).geturl()
    with pytest.raises(NotIdentified, match="a page: 502"):
        follow(browser, changed, bank.client.redirect_uri)


def at_bank(bank: Bank, browser: requests.Session) -> tuple[str, dict[str, str]]:
    """Where the broker sends a browser for an identification, and the parameters of that request."""
    with bank.client.session() as session:
        url, _ = session.create_authorization_url(
            f"{bank.client.issuer}/authorize", code_verifier="v" * 43, nonce="n", idp_hint="nordea"
        )
    while "/auth?" not in url:
        answer = browser.get(url, allow_redirects=False, timeout=30)
        assert answer.is_redirect, answer.text
        url = urljoin(url, answer.headers["Location"])
    return url, dict(parse_qsl(urlsplit(url).query))


def refused(browser: requests.Session, to_bank: str, asked: dict[str, str]) -> dict[str, str]:
    """The error that the bank sends back for other parameters."""
    url = urlsplit(to_bank)._replace(query=urlencode(asked)).geturl()
    answer = browser.get(url, allow_redirects=False, timeout=30)
    assert answer.is_redirect, answer.text
    return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))
