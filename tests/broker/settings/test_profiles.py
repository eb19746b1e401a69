"""The profiles of clients in the settings: what they do not allow, and where certificates may come from."""

from __future__ import annotations

from typing import Any

import pytest

from broker.settings import Settings
from tests.harness.broker_settings import Data, Problems, set_at

PROXIES = {"client_certificate_header": "Client-Cert", "client_certificate_proxies": ["10.0.0.1", "10.1.0.0/16"]}


@pytest.fixture(params=["fapi2", "fapi2-message-signing"])
def fapi(data: Data, request: pytest.FixtureRequest) -> Data:
    data["clients"]["portal"] |= {"profile": request.param, "id_token_alg": "ES256"}
    return data


def test_a_profile_needs_little_and_binds_by_dpop(fapi: Data) -> None:
    client = Settings.model_validate(fapi).clients["portal"]
    assert (client.sender_constraint, client.signed_userinfo) == ("dpop", False)


def test_a_plain_client_is_bound_by_nothing_unless_it_is_said(data: Data) -> None:
    assert Settings.model_validate(data).clients["portal"].sender_constraint == "none"
    data["clients"]["portal"]["sender_constrained"] = "dpop"
    assert Settings.model_validate(data).clients["portal"].sender_constraint == "dpop"


SECRET = {"auth_method": "client_secret_basic", "secret_hash": "sha256:" + "0" * 64}


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        (SECRET, "auth_method is client_secret_basic"),
        (SECRET | {"auth_method": "client_secret_post"}, "auth_method is client_secret_post"),
        ({"id_token_alg": "RS256"}, "id_token_alg is RS256"),
        ({"pkce": "optional"}, "pkce is optional"),
        ({"iss_in_errors": False}, "iss_in_errors is false"),
        ({"sender_constrained": "none"}, "sender_constrained is none"),
    ],
)
def test_what_a_profile_does_not_allow(fapi: Data, changes: Data, wrong: str, problems_in: Problems) -> None:
    fapi["clients"]["portal"] |= changes
    found = problems_in(fapi)["clients.portal"]
    assert found == f'{wrong}, which profile "{fapi["clients"]["portal"]["profile"]}" does not allow'


def test_a_key_for_rs256_alone_signs_nothing_of_the_profile(
    fapi: Data, client_encryption_jwk: Data, problems_in: Problems
) -> None:
    fapi["clients"]["portal"]["jwks"] = [client_encryption_jwk | {"use": "sig", "alg": "RS256"}]
    assert "no key of jwks may sign PS256" in problems_in(fapi)["clients.portal"]


def test_a_redirect_uri_is_https_even_where_plain_http_is_allowed(fapi: Data, problems_in: Problems) -> None:
    fapi["insecure_http"] = True
    set_at(fapi, "clients/portal/redirect_uris/0", "http://127.0.0.1:8003/callback")
    Settings.model_validate(fapi)
    set_at(fapi, "clients/portal/redirect_uris/0", "http://portal/callback")
    assert "plain http" in problems_in(fapi)["clients.portal"]


def test_certificates_need_a_header(fapi: Data, problems_in: Problems) -> None:
    fapi["clients"]["portal"]["sender_constrained"] = "mtls"
    wrong = "cannot be held: no header brings the certificates of clients"
    assert problems_in(fapi) == {"clients.portal.sender_constrained": wrong}


def test_certificates_come_through_the_proxies_in_front(fapi: Data, problems_in: Problems) -> None:
    fapi["clients"]["portal"]["sender_constrained"] = "mtls"
    fapi["server"] = dict(PROXIES)
    assert "server.trusted_proxies is 0" in problems_in(fapi)["server.client_certificate_header"]
    fapi["server"]["trusted_proxies"] = 1
    assert Settings.model_validate(fapi).clients["portal"].sender_constraint == "mtls"


@pytest.mark.parametrize(
    ("server", "key", "wrong"),
    [
        ({"client_certificate_header": "Client-Cert"}, "server", "go together"),
        ({"client_certificate_proxies": ["10.0.0.1"]}, "server", "go together"),
        ({"mtls_base_url": "https://mtls.energy.fi"}, "server", "needs client_certificate_header"),
        (PROXIES | {"client_certificate_header": "Authorization"}, "server", "means something else"),
        (PROXIES | {"client_certificate_header": "dpop"}, "server", "means something else"),
        (PROXIES | {"client_certificate_header": "A b"}, "server.client_certificate_header", ""),
        (PROXIES | {"client_certificate_header": "X_Client_Cert"}, "server.client_certificate_header", ""),
        (PROXIES | {"client_certificate_proxies": ["proxy"]}, "server.client_certificate_proxies[0]", "neither"),
        (PROXIES | {"client_certificate_proxies": ["10.0.0.1/8"]}, "server.client_certificate_proxies[0]", "neither"),
    ],
)
def test_where_certificates_cannot_come_from(
    data: Data, server: dict[str, Any], key: str, wrong: str, problems_in: Problems
) -> None:
    data["server"] = {"trusted_proxies": 1} | server
    assert wrong in problems_in(data)[key]


def test_a_key_of_ed25519_is_a_clients_key(data: Data) -> None:
    from joserfc.jwk import OKPKey

    key = OKPKey.generate_key("Ed25519").as_dict(private=False) | {"kid": "ed"}
    data["clients"]["portal"]["jwks"] = [key]
    Settings.model_validate(data)
