"""A client whose keys are fetched: where they may be, and what is said of the software that it is made with."""

from __future__ import annotations

import json
from typing import Any

import pytest

from broker.settings import Settings
from broker.settings.software import KNOWN, Software, known_to_fail
from tests.broker.conftest import Data


def fetching(data: Data, uri: str = "https://portal.energy.fi/jwks", **values: Any) -> Data:
    data["clients"]["portal"] |= {"jwks_uri": uri, **values}
    if "jwks" not in values:
        del data["clients"]["portal"]["jwks"]
    return data


def test_a_client_may_name_where_its_keys_are(data: Data) -> None:
    portal = Settings.model_validate(fetching(data)).clients["portal"]
    assert (portal.jwks, portal.jwks_uri) == (None, "https://portal.energy.fi/jwks")


def test_only_who_signs_assertions_has_keys_to_fetch(data: Data) -> None:
    fetching(data, auth_method="client_secret_basic", secret_hash="sha256:" + "ab" * 32)
    with pytest.raises(ValueError, match="jwks_uri is never used with client_secret_basic"):
        Settings.model_validate(data)


def test_the_key_to_encrypt_to_must_stand_in_the_settings(data: Data, client_jwk: dict[str, Any]) -> None:
    fetching(data, scopes=["openid", "personal_identity_code"])
    with pytest.raises(ValueError, match="needs an encrypted identity token"):
        Settings.model_validate(data)


@pytest.mark.parametrize(
    ("private_network", "environment", "kinds"),
    [
        (False, "test", {"public"}),
        (False, "production", {"public"}),
        (True, "test", {"public", "private", "one label", "this machine"}),
        (True, "production", {"public", "private", "one label"}),
    ],
)
def test_which_addresses_are_connected_to(
    request: pytest.FixtureRequest, private_network: bool, environment: str, kinds: set[str]
) -> None:
    name = "production" if environment == "production" else "data"
    chosen = request.getfixturevalue(name) | {"private_network": private_network}
    assert Settings.model_validate(chosen).addresses_of_clients == kinds


@pytest.mark.parametrize(
    ("address", "private_network", "mend"),
    [
        ("127.0.0.1", False, "private_network = true"),
        ("10.0.0.1", False, "private_network = true"),
        ("[::ffff:10.0.0.1]", False, "private_network = true"),
        ("169.254.169.254", False, "public address"),
        ("169.254.169.254", True, "public address"),
        ("0.0.0.0", True, "public address"),
    ],
)
def test_an_address_that_would_never_be_connected_to_is_refused_at_start(
    data: Data, address: str, private_network: bool, mend: str
) -> None:
    fetching(data, f"https://{address}/jwks")["private_network"] = private_network
    with pytest.raises(ValueError, match="is an address that is not connected to") as refused:
        Settings.model_validate(data)
    assert mend in str(refused.value)


@pytest.mark.parametrize(
    ("host", "wrong"),
    [
        ("127.0.0.1", "is this machine"),
        ("169.254.169.254", "is a link-local address"),
        ("10.0.0.1", "is in a private network"),
        ("keys", "is a name of one label"),
        ("portal.example", "is still a placeholder"),
    ],
)
def test_production_refuses_a_host_that_is_not_on_the_internet(production: Data, host: str, wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong) as refused:
        Settings.model_validate(fetching(production, f"https://{host}/jwks"))
    assert "clients.portal.jwks_uri" in str(refused.value)


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "keys", "keys.internal"])
def test_an_address_of_a_private_network_is_taken_where_there_is_one(data: Data, address: str) -> None:
    fetching(data, f"https://{address}/jwks")["private_network"] = True
    assert Settings.model_validate(data).clients["portal"].jwks_uri == f"https://{address}/jwks"


MENDED: dict[str, dict[str, Any]] = {
    "passport-openidconnect": {"pkce": "optional"},
    "django-allauth": {"nonce": "optional"},
    "flask-pyoidc": {"pkce": "optional"},
    "omniauth-openid-connect": {"pkce": "optional"},
    "mod-auth-openidc": {"iss_in_errors": False},
}


def told(data: Data, **values: Any) -> list[str]:
    data["clients"]["portal"] |= values
    return list(known_to_fail(Settings.model_validate(data).clients))


@pytest.mark.parametrize("software", KNOWN, ids=lambda software: software.name)
def test_a_software_that_fails_with_the_defaults_is_told_with_its_mend(data: Data, software: Software) -> None:
    (line,) = told(data, software=software.name)
    assert line.startswith(f"clients.portal: {software.name} ")
    for key, value in MENDED[software.name].items():
        assert f"{key} = {json.dumps(value)}" in line
    assert software.there is None or software.there in line
    assert told(data, **MENDED[software.name]) == []


@pytest.mark.parametrize("name", ["Flask-pyoidc", "FLASK_PYOIDC", "flask-pyoidc"])
def test_a_name_is_known_however_it_is_written(data: Data, name: str) -> None:
    assert len(told(data, software=name)) == 1


@pytest.mark.parametrize("name", ["openid-client", "our own"])
def test_nothing_is_said_of_other_software(data: Data, name: str) -> None:
    assert told(data, software=name) == []


def test_what_is_told_loosens_nothing(data: Data) -> None:
    data["clients"]["portal"]["software"] = "passport-openidconnect"
    portal = Settings.model_validate(data).clients["portal"]
    assert (portal.pkce, portal.nonce, portal.state, portal.iss_in_errors) == ("required",) * 3 + (True,)
