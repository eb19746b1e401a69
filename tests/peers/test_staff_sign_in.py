"""npm oidc-provider as the employer's provider of customer service: groups of userinfo, a client's key, PKCE."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from customer_service.keys import Keys
from demo.runner.processes import Processes, free_port
from tests.harness.customer_service import StaffBrowser, StaffHarness, open_staff_harness
from tests.peers.test_bank import wait_for_line

pytestmark = pytest.mark.peers

HERE = Path(__file__).resolve().parent
PEOPLE = {
    "maija": {"name": "Maija Meikäläinen", "groups": ["staff", "customer-service"]},
    "sven": {"name": "Sven Esimerkki", "groups": ["customer-service-leads"], "email": "sven@staff.example.com"},
    "oili": {"name": "Oili Muuala", "groups": ["office"]},
    "noel": {"name": "Noel Nobody"},
}


@dataclass(frozen=True)
class Employer:
    """Customer service whose staff sign in at the npm provider. log: of that."""

    staff: StaffHarness
    issuer: str
    log: Path

    def signed_in(self, person: str) -> tuple[StaffBrowser, str]:
        """A browser in which somebody has signed in, and the page that they came to."""
        browser = self.staff.browser()
        browser.session.get(f"{self.issuer}/next/{person}")
        page = browser.session.get(f"{self.staff.url}/service/sign-in", timeout=30)
        return browser, page.text


@pytest.fixture(scope="module")
def employer(node: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Employer]:
    folder = tmp_path_factory.mktemp("staff")
    with (
        open_staff_harness(folder, f"sqlite:///{folder / 'registration.sqlite'}") as staff,
        Processes(folder / "processes") as processes,
    ):
        port = free_port()
        issuer = f"http://127.0.0.1:{port}"
        jwks = {"keys": [Keys(folder / "keys").public_jwk]}
        client = {
            "client_id": "customer-service",
            "redirect_uris": [f"{staff.url}/service/callback"],
            "post_logout_redirect_uris": [f"{staff.url}/service"],
            "jwks": jwks,
        }
        settings = {"port": port, "client": client, "people": PEOPLE}
        processes.start("provider", [node, str(HERE / "staff_provider.mjs"), json.dumps(settings)])
        log = folder / "processes" / "provider.log"
        wait_for_line(log, "listening")
        scopes = ["openid", "profile", "email", "groups"]
        staff.open_site(lambda config: config["sign_in"].update(issuer=issuer, id_token_algs=["RS256"], scopes=scopes))
        yield Employer(staff, issuer, log)


@pytest.mark.parametrize(("person", "role"), [("maija", "customer service"), ("sven", "supervisor")])
def test_staff_sign_in_with_the_role_of_their_groups(employer: Employer, person: str, role: str) -> None:
    browser, page = employer.signed_in(person)
    assert f"{PEOPLE[person]['name']} ({role})" in page, employer.log.read_text()
    assert browser.get("/service").status == 200


@pytest.mark.parametrize("person", ["oili", "noel"])
def test_who_is_in_no_group_of_ours_has_no_role(employer: Employer, person: str) -> None:
    browser, page = employer.signed_in(person)
    assert "You do not have a role here" in page, employer.log.read_text()
    assert browser.get("/service").status == 403


def test_it_says_where_to_sign_out_too(employer: Employer) -> None:
    browser, _ = employer.signed_in("maija")
    page = browser.post("/service/sign-out", browser.get("/service"))
    assert page.link("Sign out of your work account too").startswith(f"{employer.issuer}/session/end?client_id=")
    assert requests.get(page.link("Sign out of your work account too"), timeout=30).status_code == 200
