"""Access tokens that are bound to a client's certificate (RFC 8705), and from where its header counts."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.broker.oidc.conftest import MakeWorld
from tests.harness.certificates import certificate
from tests.harness.fapi import FapiClient

HEADER = "X-Client-Cert"


@pytest.fixture(scope="module")
def ders(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """Two certificates."""
    folder: Path = tmp_path_factory.mktemp("certificates")
    found = [x509.load_pem_x509_certificate(certificate(folder, f"127.0.0.{n}").read_bytes()) for n in (1, 2)]
    return [one.public_bytes(Encoding.DER) for one in found]


def rfc9440(der: bytes) -> str:
    return f":{base64.b64encode(der).decode()}:"


def bare(der: bytes) -> str:
    return base64.b64encode(der).decode()


def escaped(der: bytes) -> str:
    return quote(x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM).decode())


@pytest.fixture
def client(make_world: MakeWorld) -> FapiClient:
    world = make_world(
        server={
            "client_certificate_header": HEADER,
            "client_certificate_proxies": ["127.0.0.1", "10.1.0.0/16"],
            "mtls_base_url": "https://mtls.tunnus.example",
        }
    )
    return FapiClient(world, "bound")


def asked(client: FapiClient, header: str | None, peer: str = "127.0.0.1", name: str = HEADER) -> Any:
    """A token request that comes from a peer with a header."""
    form = client.token_form(client.grant().code)
    headers = {} if header is None else {name: header}
    return client.harness.browser.post("/token", data=form, headers=headers, environ_base={"REMOTE_ADDR": peer})


def told(client: FapiClient, token: str, header: str | None, peer: str = "127.0.0.1") -> Any:
    headers = {"Authorization": f"Bearer {token}"} | ({} if header is None else {HEADER: header})
    return client.harness.browser.get("/userinfo", headers=headers, environ_base={"REMOTE_ADDR": peer})


@pytest.mark.parametrize("form", [rfc9440, bare, escaped])
def test_a_token_is_bound_to_the_certificate(client: FapiClient, ders: list[bytes], form: Any) -> None:
    answer = asked(client, form(ders[0])).get_json()
    token = answer["access_token"]
    assert answer["token_type"] == "Bearer"
    (value,) = client.harness.store.get(_key(token))
    thumbprint = base64.urlsafe_b64encode(hashlib.sha256(ders[0]).digest()).rstrip(b"=").decode()
    assert value is not None
    assert value["cnf"] == {"x5t#S256": thumbprint}
    for right in (rfc9440, bare, escaped):  # whatever the proxy writes it as
        assert told(client, token, right(ders[0])).get_json()["given_name"] == "Nordea"
    for header in (None, form(ders[1])):
        response = told(client, token, header)
        assert (response.status_code, response.get_json()["error"]) == (401, "invalid_token")


def _key(token: str) -> Any:
    from broker.store import slotted

    return slotted("token", token)


UNREADABLE = {
    "nothing": "",
    "no-base64": "***",
    "no-certificate": rfc9440(b"no certificate"),
    "no-pem": "-----BEGIN%20CERTIFICATE-----%0AAAAA%0A-----END%20CERTIFICATE-----",
    "not-ascii": "\xe5",
    "too-long": "A" * 20_000,
    "a-thumbprint": "x5t",
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_without_a_readable_certificate_there_is_no_token(client: FapiClient, name: str) -> None:
    response = asked(client, UNREADABLE[name])
    assert (response.status_code, response.get_json()["error"]) == (400, "invalid_request")
    assert "certificate" in response.get_json()["error_description"]


def test_two_certificates_are_none(client: FapiClient, ders: list[bytes]) -> None:
    both = ", ".join(rfc9440(der) for der in ders)
    assert asked(client, both).status_code == 400


@pytest.mark.parametrize(
    ("peer", "taken"),
    [
        ("127.0.0.1", True),
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("127.0.0.2", False),
        ("10.2.0.1", False),
        ("::1", False),
        ("192.0.2.7", False),
        ("", False),
        ("unix:", False),
    ],
)
def test_the_header_counts_from_the_named_proxies_alone(
    client: FapiClient, ders: list[bytes], peer: str, taken: bool
) -> None:
    token = asked(client, bare(ders[0])).get_json()["access_token"]
    assert asked(client, bare(ders[0]), peer).status_code == (200 if taken else 400)
    assert told(client, token, bare(ders[0]), peer).status_code == (200 if taken else 401)


@pytest.mark.parametrize("name", ["Client-Cert", "X-SSL-Client-Cert", "Ssl-Client-Cert", "X-Forwarded-Client-Cert"])
def test_another_header_is_not_read(client: FapiClient, ders: list[bytes], name: str) -> None:
    assert asked(client, bare(ders[0]), name=name).status_code == 400


def test_where_no_header_is_configured_none_is_read(make_world: MakeWorld, ders: list[bytes]) -> None:
    client = FapiClient(make_world(), "bound")
    for name in (HEADER, "Client-Cert"):
        assert asked(client, bare(ders[0]), name=name).status_code == 400


def test_what_we_use_inside_cannot_be_sent(client: FapiClient, ders: list[bytes]) -> None:
    for name in ("tunnus.client_certificate", "Tunnus-Client-Certificate", "X-Client_Cert"):
        assert asked(client, bare(ders[0]), name=name, peer="192.0.2.7").status_code == 400


def test_a_plain_clients_token_is_bound_to_no_certificate(client: FapiClient, ders: list[bytes]) -> None:
    harness = client.harness
    answer = harness.token(harness.form(harness.issue().code), {HEADER: bare(ders[0])}).get_json()
    assert told(client, answer["access_token"], None).status_code == 200


def test_both_bind_where_both_are_shown(client: FapiClient, ders: list[bytes]) -> None:
    client.learn_nonce()
    headers = {HEADER: bare(ders[0]), "DPoP": client.proof(htu="https://mtls.tunnus.example/token")}
    answer = client.token(client.grant().code, headers).get_json()
    token = answer["access_token"]
    assert answer["token_type"] == "DPoP"
    for certificate_, status in ((ders[0], 200), (ders[1], 401)):
        sent = {"DPoP": client.proof("/userinfo", "GET", token=token), HEADER: bare(certificate_)}
        assert client.userinfo(f"DPoP {token}", sent).status_code == status
    assert told(client, token, bare(ders[0])).status_code == 401


def test_the_metadata_names_where_certificates_are_asked_for(client: FapiClient) -> None:
    found = client.harness.browser.get("/.well-known/openid-configuration").get_json()
    assert found["tls_client_certificate_bound_access_tokens"] is True
    assert found["mtls_endpoint_aliases"] == {
        "token_endpoint": "https://mtls.tunnus.example/token",
        "userinfo_endpoint": "https://mtls.tunnus.example/userinfo",
        "pushed_authorization_request_endpoint": "https://mtls.tunnus.example/par",
    }
