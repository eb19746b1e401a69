"""Customer service's configuration: the files in config/, what is refused, and the command."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from click.testing import CliRunner

from customer_service.cli import main
from customer_service.settings import Settings, load_settings
from kit.settings.report import ConfigurationError, dotted
from tests.harness.registration import ROOT

EXAMPLE, DEMO = (ROOT / "config" / f"customer-service.{name}.toml" for name in ("example", "demo"))


@pytest.fixture
def example() -> dict[str, Any]:
    """The example's content, filled in."""
    filled = EXAMPLE.read_text().replace("example.com", "energia.fi").replace("9 000 0000", "20 123 4567")
    for name in ("Esimerkkienergia", "Exempelenergi", "Example Energy"):
        filled = filled.replace(name, "Sisuenergia")
    return tomllib.loads(filled)


def load(folder: Path, data: Mapping[str, Any]) -> Settings:
    (folder / "customer-service.toml").write_text(tomli_w.dumps(data))
    return load_settings(folder / "customer-service.toml", {})


def refused(folder: Path, data: Mapping[str, Any]) -> set[str]:
    """The keys that are told."""
    with pytest.raises(ConfigurationError) as caught:
        load(folder, data)
    return {dotted(problem.key) for problem in caught.value.problems}


def test_the_example_is_whole_and_names_what_must_be_filled_in(tmp_path: Path, example: dict[str, Any]) -> None:
    assert load(tmp_path, example).secure
    assert refused(tmp_path, tomllib.loads(EXAMPLE.read_text())) == {
        "url", "sign_in.issuer", "registration.url", "brand.name.fi", "brand.name.sv", "brand.name.en",
        "brand.customer_service.phone", "brand.customer_service.email",
    }  # fmt: skip


def test_the_example_names_every_key() -> None:
    written = set(re.findall(r"^(?:# ?)?\s*([a-z_]+) = ", EXAMPLE.read_text(), re.MULTILINE))
    for model in (Settings, *(field.annotation for field in Settings.model_fields.values())):
        if isinstance(model, type) and model.__module__ == Settings.__module__:
            tables = {name for name, field in model.model_fields.items() if hasattr(field.annotation, "model_fields")}
            assert set(model.model_fields) - tables <= written, model


def test_the_demos_configuration_is_right() -> None:
    assert load_settings(DEMO, {}).sign_in.longest == 28_800


@pytest.mark.parametrize(
    ("table", "change", "key"),
    [
        ("sign_in", {"roles": {}}, "sign_in.roles"),
        ("sign_in", {"client_secret": "x"}, "sign_in"),
        ("sign_in", {"auth_method": "client_secret_basic"}, "sign_in"),
        ("sign_in", {"scopes": ["profile"]}, "sign_in"),
        ("sign_in", {"longest": 28_801}, "sign_in.longest"),
        ("sign_in", {"longest": 600, "idle": 900}, "sign_in.idle"),
        ("sign_in", {"id_token_algs": ["HS256"]}, "sign_in.id_token_algs[0]"),
        ("registration", {"url": "https://registration.energia.fi/path"}, "registration.url"),
        ("registration", {"back_url": "http://registration.energia.fi"}, "registration.back_url"),
        ("sign_in", {"issuer": "http://login.energia.fi"}, "sign_in.issuer"),
        ("broker", {"operations_urls": ["http://broker.energia.fi"]}, "broker.operations_urls[0]"),
    ],
)
def test_what_is_wrong_is_refused(
    tmp_path: Path, example: dict[str, Any], table: str, change: dict[str, Any], key: str
) -> None:
    assert key in refused(tmp_path, example | {table: example[table] | change})


def test_production_has_no_shortcuts(tmp_path: Path, example: dict[str, Any]) -> None:
    assert refused(tmp_path, example | {"insecure_http": True}) == {"insecure_http"}
    server = example["server"] | {"trusted_proxies": 0}
    assert refused(tmp_path, example | {"server": server}) == {"server.trusted_proxies"}


def test_production_has_no_secret_of_an_example(tmp_path: Path, example: dict[str, Any]) -> None:
    secret = {"auth_method": "client_secret_basic", "client_secret": "changeme"}
    assert refused(tmp_path, example | {"sign_in": example["sign_in"] | secret}) == {"sign_in.client_secret"}
    load(tmp_path, example | {"sign_in": example["sign_in"] | secret | {"client_secret": "a long and random one"}})


def test_inside_a_company_the_provider_and_registration_may_be_on_private_addresses(
    tmp_path: Path, example: dict[str, Any]
) -> None:
    inside = example | {"registration": example["registration"] | {"back_url": "http://10.0.0.7:8001"}}
    assert refused(tmp_path, inside) == {"registration.back_url"}
    load(tmp_path, inside | {"private_network": True, "url": "https://service.internal"})


def test_the_command_makes_keys_and_checks(tmp_path: Path, example: dict[str, Any]) -> None:
    run = CliRunner().invoke
    data = example | {"keys": {"dir": str(tmp_path / "keys")}}
    load(tmp_path, data)
    config = ["--config", str(tmp_path / "customer-service.toml")]
    failed = run(main, ["check", *config])
    assert (failed.exit_code, "keys" in failed.output) == (1, True)
    assert run(main, ["keys", "init", "--dir", str(tmp_path / "keys")]).exit_code == 0
    assert run(main, ["check", *config]).output == "all is well\n"
    shown = run(main, ["keys", "show-public", "--dir", str(tmp_path / "keys")]).output
    assert '"kty": "EC"' in shown
    assert '"d"' not in shown
