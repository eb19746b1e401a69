"""Keycloak as a broker in front of ours, as its page of docs/clients tells: people sign in at an application of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import jwt
import pytest
import requests
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from demo.runner.client import title_of
from demo.runner.configs import broker_config
from demo.runner.processes import free_port
from demo.runner.stack import Stack
from kit.client_authentication.secret import hash_secret
from tests.demo.running import CONTRACT, running_stack
from tests.harness.keycloak import SECONDS, Keycloak, browser, running_keycloak
from tests.peers.clients.login import SECRET, expect_person
from tests.peers.clients.pages import ClientPage

pytestmark = [pytest.mark.full, pytest.mark.timeout(3600)]

APPLICATION = "http://127.0.0.1:9"
SHOP = "https://shop.example.fi"
KEYS = "my-company-keys"
"""The realm that authenticates by its keys, not by a secret."""


@dataclass(frozen=True, slots=True)
class Front:
    """A broker and a Keycloak that sends people there."""

    stack: Stack
    keycloak: Keycloak

    def sign_in(self, session: requests.Session, realm: str = "my-company", **more: str) -> dict[str, Any]:
        """The claims that an application of a realm gets. more: parameters of its request."""
        found = self.keycloak.discovery(realm)
        verifier = generate_token(48)
        with OAuth2Session(
            "app",
            token_endpoint_auth_method="none",
            scope="openid profile",
            redirect_uri=f"{APPLICATION}/callback",
            code_challenge_method="S256",
        ) as app:
            app.trust_env = False
            url, _ = app.create_authorization_url(found["authorization_endpoint"], code_verifier=verifier, **more)
            answer = walked(session, url)
            assert answer.is_redirect, f"{answer.url}: {answer.status_code} {title_of(answer.text)}"
            arrived = answer.headers["Location"]
            token = app.fetch_token(found["token_endpoint"], authorization_response=arrived, code_verifier=verifier)
        keys = jwt.PyJWKSet.from_dict(session.get(found["jwks_uri"], timeout=SECONDS).json())
        kid = jwt.get_unverified_header(token["id_token"])["kid"]
        claims: dict[str, Any] = jwt.decode(
            token["id_token"], keys[kid], algorithms=["RS256"], audience="app", issuer=found["issuer"]
        )
        return claims


def walked(session: requests.Session, url: str) -> requests.Response:
    """The last answer of a way through Keycloak, our broker and a bank: a page, or the redirect to the application."""
    for _ in range(20):
        answer = session.get(url, timeout=SECONDS, allow_redirects=False)
        url = urljoin(url, answer.headers.get("Location", ""))
        if not answer.is_redirect or url.startswith(APPLICATION):
            return answer
    raise AssertionError("redirects without end")


def with_keys(realm: dict[str, Any]) -> dict[str, Any]:
    """The same realm under another name, its client authentication by keys."""
    other = deepcopy(realm) | {"realm": KEYS}
    config = other["identityProviders"][0]["config"]
    del config["clientSecret"]
    config |= {"clientAuthMethod": "private_key_jwt", "clientId": KEYS}
    return other


@pytest.fixture(scope="module")
def front(stack_state: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    folder, port = tmp_path_factory.mktemp("keycloak"), free_port()
    url = f"http://127.0.0.1:{port}"
    page = ClientPage.read("keycloak")
    with running_stack(folder, stack_state) as stack:
        page.write(folder, url, stack.places.issuer)
        realm = json.loads((folder / "realm.json").read_text().replace(SHOP, APPLICATION))
        with running_keycloak(
            folder, realm, with_keys(realm), environment={"CLIENT_SECRET": SECRET}, port=port
        ) as keycloak:
            clients = page.clients(url, hash_secret(SECRET))
            plain = clients["keycloak"]
            clients[KEYS] = plain | {
                "redirect_uris": [plain["redirect_uris"][0].replace("/my-company/", f"/{KEYS}/")],
                "auth_method": "private_key_jwt",
                "jwks": signing_keys(keycloak),
            }
            del clients[KEYS]["secret_hash"]
            config = broker_config(*CONTRACT, stack.places)
            config["clients"] |= clients
            stack.start_broker(config)
            yield Front(stack, keycloak)


def signing_keys(keycloak: Keycloak) -> list[dict[str, str]]:
    """What a realm publishes to verify with. Its `jwks_uri` would be https."""
    with browser() as session:
        published = session.get(keycloak.discovery(KEYS)["jwks_uri"], timeout=SECONDS).json()["keys"]
    wanted = ("kty", "kid", "use", "alg", "n", "e")
    return [{name: key[name] for name in wanted} for key in published if key["use"] == "sig"]


@pytest.mark.parametrize("realm", ["my-company", KEYS])
def test_a_person_signs_in_through_keycloak_and_is_known_when_they_come_back(front: Front, realm: str) -> None:
    seen = []
    for _ in range(2):
        person = expect_person(front.stack)
        with browser() as session:
            claims = front.sign_in(session, realm, kc_idp_hint="tunnus", idp_hint="nordea")
        assert claims["name"] == f"{person['given_name']} {person['family_name']}"
        assert claims["tunnus_acr"] == "http://ftn.ficora.fi/2017/loatest2"
        seen.append(claims)
    assert seen[0]["sub"] == seen[1]["sub"]
    assert seen[0]["tunnus_txn"] != seen[1]["tunnus_txn"]


def test_keycloak_s_session_identifies_nobody_anew_unless_it_is_told_to(front: Front) -> None:
    expect_person(front.stack)
    with browser() as session:
        hints = {"kc_idp_hint": "tunnus", "idp_hint": "nordea"}
        first = front.sign_in(session, **hints)
        assert front.sign_in(session, **hints)["tunnus_txn"] == first["tunnus_txn"]
        expect_person(front.stack)
        assert front.sign_in(session, prompt="login", **hints)["tunnus_txn"] != first["tunnus_txn"]


def test_the_language_and_no_hint_lead_to_our_chooser(front: Front) -> None:
    url = requests.Request(
        "GET",
        front.keycloak.discovery("my-company")["authorization_endpoint"],
        params={
            "client_id": "app",
            "redirect_uri": f"{APPLICATION}/callback",
            "response_type": "code",
            "scope": "openid",
            "code_challenge": create_s256_code_challenge(generate_token(48)),
            "code_challenge_method": "S256",
            "kc_idp_hint": "tunnus",
            "ui_locales": "sv",
        },
    ).prepare()
    with browser() as session:
        page = walked(session, str(url.url))
    assert page.url.startswith(f"{front.stack.places.issuer}/choose/")
    assert '<html lang="sv"' in page.text
