"""The report: every problem at once, each with its mend, and no secret."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from broker.settings import ConfigurationError, Settings, load_settings
from tests.harness.broker_settings import Data, Problems, load, set_at


def test_every_problem_stands_in_one_report(data: Data, problems_in: Problems) -> None:
    data["server"] = {"port": "many"}
    data["brand"]["surprise"] = 1
    data["connections"]["own"]["dialect"] = "saml"
    data["providers"]["aktia"]["connection"] = "nowhere"
    data["providers"]["unheard-of"] = {"connection": "shared"}
    data["assurance"]["accepted"] = ["http://ftn.ficora.fi/2017/loa2"]
    data["clients"]["portal"]["redirect_uris"] = ["http://portal.energy.fi/"]
    data["keys"] = {"dir": "${NOT_SET_ANYWHERE}"}
    assert set(problems_in(data)) == {
        "server.port",
        "brand.surprise",
        "connections.own.dialect",
        "providers.aktia.connection",
        "providers.unheard-of",
        "assurance.accepted[0]",
        "clients.portal.redirect_uris[0]",
        "keys.dir",
    }


def test_the_report_shows_values_and_mends_but_no_secret(data: Data, tmp_path: Path) -> None:
    data["issuer"] = "http://id.energy.fi"
    data["store"]["url"] = "memcached://:hunter2@10.0.0.1"
    data["clients"]["portal"]["secret_hash"] = "hunter2"
    data["connections"]["own"]["proxy"] = "socks://me:hunter2@proxy.energy.fi"
    data["password"] = "hunter2"
    with pytest.raises(ConfigurationError) as caught:
        load(data, tmp_path)
    report = str(caught.value)
    assert "hunter2" not in report
    assert f"{tmp_path / 'tunnus.toml'}: 5 problems" in report
    assert 'issuer = "http://id.energy.fi"' in report
    assert "mend: use https" in report


@pytest.mark.parametrize(
    ("path", "value", "mend"),
    [
        ("server/prot", 1, 'did you mean "port"?'),
        ("clients/portal/redirect_uri", "https://x.fi/", 'did you mean "redirect_uris"?'),
        ("connections/own/signed-jwks-uri", "https://x.fi/", 'did you mean "signed_jwks_uri"?'),
        ("brand/customer_service/colour", "1", "mend its spelling"),
        ("log", {"level": "WARN"}, 'did you mean "WARNING"?'),
        ("environment", "prodution", 'did you mean "production"?'),
        ("providers/nordae", {"connection": "own"}, 'did you mean "nordea"?'),
        ("providers/aktia/connection", "shard", 'did you mean "shared"?'),
        ("chooser/order", ["aktai"], 'did you mean "aktia"?'),
        ("assurance/accepted/0", "http://ftn.ficora.fi/2017/loatest", 'did you mean "http://ftn.ficora.fi/2017/loat'),
        ("store/url", "valkey://127.0.0.1", "write redis://"),
        ("store/url", "valkeys://127.0.0.1", "write rediss://"),
        ("server/port", "http", "in digits"),
        ("clients/portal/secret_hash", "plain", "never the secret itself"),
    ],
)
def test_the_report_says_what_was_meant(data: Data, tmp_path: Path, path: str, value: Any, mend: str) -> None:
    set_at(data, path, value)
    with pytest.raises(ConfigurationError) as caught:
        load(data, tmp_path)
    assert mend in str(caught.value)


def test_a_private_key_in_the_configuration_is_never_shown(data: Data, tmp_path: Path, client_jwk: Data) -> None:
    data["clients"]["portal"]["jwks"] = [client_jwk | {"d": "c2VjcmV0"}]
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate(data)
    assert "c2VjcmV0" not in str(caught.value)
    assert "private or secret key" in str(caught.value)


def test_all_problems_between_tables_stand_in_one_error_without_a_file(data: Data) -> None:
    data["providers"]["aktia"]["connection"] = "nowhere"
    data["chooser"] = {"order": ["nobody"]}
    with pytest.raises(ValidationError, match=r"(?s)providers\.aktia\.connection.*chooser\.order"):
        Settings.model_validate(data)


def test_a_file_that_is_no_toml_or_not_there_is_one_problem(tmp_path: Path) -> None:
    path = tmp_path / "broken.toml"
    path.write_text("issuer = ")
    with pytest.raises(ConfigurationError, match="is not TOML"):
        load_settings(path, {})
    path.write_bytes(b"\xff")
    with pytest.raises(ConfigurationError, match="UTF-8"):
        load_settings(path, {})
    with pytest.raises(ConfigurationError, match="No such file"):
        load_settings(tmp_path / "nowhere.toml", {})
