"""Keycloak as the employer's provider: its realm's groups become roles, its own form is filled in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from customer_service.keys import Keys
from tests.harness.customer_service import StaffBrowser, StaffHarness, open_staff_harness
from tests.harness.keycloak import Keycloak, LoopbackCookies, running_keycloak, sign_in

pytestmark = [pytest.mark.full, pytest.mark.timeout(3600)]

PASSWORD = "a password of the tests 1"
GROUPS = {"maija": ["customer-service"], "sven": ["customer-service-leads"], "oili": []}


def realm(url: str, jwks: dict[str, Any]) -> dict[str, Any]:
    """The realm `staff`: three groups, a person in each, and customer service as a client that signs by its key."""
    groups = {
        "name": "groups",
        "protocol": "openid-connect",
        "protocolMapper": "oidc-group-membership-mapper",
        "config": {"claim.name": "groups", "full.path": "false", "id.token.claim": "true"},
    }
    users = [
        {
            "username": name, "enabled": True, "firstName": name.title(), "lastName": "Meikäläinen",
            "email": f"{name}@staff.example.com", "emailVerified": True, "groups": held,
            "credentials": [{"type": "password", "value": PASSWORD}],
        }
        for name, held in GROUPS.items()
    ]  # fmt: skip
    client = {
        "clientId": "customer-service",
        "protocol": "openid-connect",
        "publicClient": False,
        "clientAuthenticatorType": "client-jwt",
        "redirectUris": [f"{url}/service/callback"],
        "attributes": {
            "use.jwks.string": "true",
            "jwks.string": json.dumps(jwks),
            "pkce.code.challenge.method": "S256",
            "post.logout.redirect.uris": f"{url}/service",
        },
        "protocolMappers": [groups],
    }
    named = [{"name": name} for name in ("customer-service", "customer-service-leads")]
    has = {"groups": named, "users": users, "clients": [client]}
    return {"realm": "staff", "enabled": True, "sslRequired": "none", **has}


@dataclass(frozen=True)
class Employer:
    """Customer service whose staff sign in at a Keycloak."""

    staff: StaffHarness
    keycloak: Keycloak

    def signed_in(self, person: str, password: str = PASSWORD) -> tuple[StaffBrowser, str]:
        """A browser in which somebody has filled in Keycloak's form, and the page that they came to."""
        browser = self.staff.browser()
        browser.session.cookies = LoopbackCookies()
        form = browser.session.get(f"{self.staff.url}/service/sign-in", timeout=60)
        answer = sign_in(browser.session, form, person, password)
        if not answer.is_redirect:
            return browser, answer.text
        return browser, browser.session.get(answer.headers["Location"], timeout=60).text


@pytest.fixture(scope="module")
def employer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Employer]:
    folder = tmp_path_factory.mktemp("staff-keycloak")
    with open_staff_harness(folder, f"sqlite:///{folder / 'registration.sqlite'}") as staff:
        jwks = {"keys": [Keys(folder / "keys").public_jwk]}
        with running_keycloak(folder, realm(staff.url, jwks)) as keycloak:
            issuer = keycloak.issuer("staff")
            staff.open_site(lambda config: config["sign_in"].update(issuer=issuer, id_token_algs=["RS256"]))
            yield Employer(staff, keycloak)


@pytest.mark.parametrize(("person", "role"), [("maija", "(customer service)"), ("sven", "(supervisor)")])
def test_the_groups_of_a_realm_are_roles(employer: Employer, person: str, role: str) -> None:
    browser, page = employer.signed_in(person)
    assert f"{person.title()} Meikäläinen {role}" in page
    assert browser.get("/service").status == 200


def test_who_is_in_no_group_has_no_role(employer: Employer) -> None:
    _, page = employer.signed_in("oili")
    assert "You do not have a role here" in page


def test_a_wrong_password_comes_nowhere(employer: Employer) -> None:
    browser, _ = employer.signed_in("maija", "another password 1")
    assert browser.get("/service").status == 401
