"""The files in config/: each loads, and the production example names every key there is."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import tomli_w
from pydantic import BaseModel

from broker.chooser.notices import Notices
from broker.pages.rendering import FOLDER
from broker.settings import ConfigurationError, Settings, load_settings
from kit.client_authentication.secret import hash_secret, new_secret
from kit.pages.look import read_look
from kit.settings.file import read_toml
from providers.registry import PROVIDERS

CONFIG = Path(__file__).parents[3] / "config"
PRODUCTION = CONFIG / "production.example.toml"


@pytest.fixture
def state(tmp_path: Path, entity_statement_of: Callable[..., str], client_jwk: dict[str, Any]) -> Path:
    """A state folder as the demo's runner makes it."""
    folder = tmp_path / "entity-statements"
    folder.mkdir()
    for place in ("shared/telia", "shared/isb", "shared/ftn", "alandsbanken/ftn", "mobile-certificate/ftn"):
        suffix = "/entity" if place.endswith("telia") else ""
        statement = entity_statement_of(f"http://127.0.0.1:8002/{place}{suffix}")
        (folder / f"{place.replace('/', '-')}.jwt").write_text(statement)
    for client in ("portal", "registration", "online-service"):
        (tmp_path / f"{client}.jwks.json").write_text(json.dumps({"keys": [client_jwk]}))
    return tmp_path


def test_in_the_demo_all_eleven_providers_are_open(state: Path) -> None:
    settings = load_settings(CONFIG / "demo.toml", {"TUNNUS_STATE_DIR": str(state)})
    assert {name for name, provider in settings.providers.items() if provider.status == "open"} == set(PROVIDERS)
    assert settings.connection_of("telia").selectors["lokaltapiola"] == "mock-lokaltapiola"
    assert settings.clients["portal"].id_token_alg == "ES256"
    assert Notices(settings.notices.file, settings.connections).of("isb").consent is not None
    look = read_look(FOLDER, settings.brand, settings.texts)
    assert set(look.accessibility) == {"fi", "sv", "en"}


def test_the_demo_fits_containers_by_environment_alone(state: Path) -> None:
    environ = {
        "TUNNUS_STATE_DIR": str(state),
        "TUNNUS_INSECURE_HTTP": "true",
        "TUNNUS_HOST": "0.0.0.0",
        "MOCK_BASE_URL": "http://127.0.0.1:8002",
        "MOCK_BACK_URL": "http://mock-idp:8002",
    }
    connection = load_settings(CONFIG / "demo.toml", environ).connection_of("isb")
    assert connection.authorization_endpoint == "http://127.0.0.1:8002/shared/isb/authorize"
    assert connection.token_endpoint == "http://mock-idp:8002/shared/isb/token"


def test_the_test_configuration_loads(state: Path) -> None:
    settings = load_settings(CONFIG / "test.toml", {"TUNNUS_STATE_DIR": str(state)})
    assert settings.connections["bank-list"].selects == "none"


def test_the_production_example_has_nothing_wrong_but_what_must_be_filled_in() -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(PRODUCTION, {})
    kinds = ("is not set", "placeholder", "not there", "cannot be read")
    others = [problem for problem in caught.value.problems if not any(kind in problem.wrong for kind in kinds)]
    assert others == []


def test_the_production_example_loads_once_it_is_filled_in(
    tmp_path: Path, entity_statement_of: Callable[..., str], client_jwk: dict[str, Any], bank_jwk: dict[str, Any]
) -> None:
    filled = PRODUCTION.read_text().replace(".example", ".energia.fi").replace("9 000 0000", "20 123 4567")
    for name in ("Esimerkkienergia", "Exempelenergi", "Example Energy"):
        filled = filled.replace(name, "Sisuenergia")
    (tmp_path / "production.toml").write_text(filled)
    (tmp_path / "entity-statements").mkdir()
    (tmp_path / "clients").mkdir()
    (tmp_path / "entity-statements/telia.jwt").write_text(entity_statement_of("https://tunnistus.telia.fi"))
    (tmp_path / "entity-statements/op.jwt").write_text(entity_statement_of("https://isb.op.fi"))
    (tmp_path / "alandsbanken.jwks.json").write_text(json.dumps({"keys": [bank_jwk]}))
    (tmp_path / "clients/registration.jwks.json").write_text(json.dumps({"keys": [client_jwk]}))
    environ = {
        "TUNNUS_STORE_URL": "rediss://store.internal:6379",
        "TELIA_CLIENT_ID": "energy",
        "OP_CLIENT_ID": "energy",
        "ALANDSBANKEN_CLIENT_ID": "energy",
        "REPORTS_SECRET_HASH": hash_secret(new_secret()),
    }
    settings = load_settings(tmp_path / "production.toml", environ)
    assert settings.environment == "production"
    assert set(settings.providers) == set(PROVIDERS)
    for name in ("handelsbanken", "lokaltapiola"):
        assert (settings.providers[name].status, settings.providers[name].successor) == ("closed", "s-banken")


def test_the_production_example_names_every_key() -> None:
    named = set(_named_keys(PRODUCTION.read_text()))
    missing = [path for path in _model_keys(Settings) if path not in named]
    assert missing == []


def test_the_production_example_names_no_key_that_there_is_not() -> None:
    known = set(_model_keys(Settings))
    assert [path for path in _named_keys(PRODUCTION.read_text()) if path not in known] == []


def test_only_documented_hosts_of_banks_stand_in_the_production_example() -> None:
    hosts = set(re.findall(r"https?://([^/\"\s$]+)", PRODUCTION.read_text()))
    documented = {"tunnistus.telia.fi", "isb.op.fi", "ftn.ficora.fi", "proxy.internal:3128", "collector.internal:4318"}
    assert {host for host in hosts if not host.endswith(".example")} == documented


def _model_keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Every key of a model as a path; `*` for ids that the operator chooses."""
    for name, field in model.model_fields.items():
        path = f"{prefix}{name}"
        inner = _inner_models(field.annotation)
        if not inner or {"fi", "sv", "en"} <= set(inner[0].model_fields):
            yield path
            continue
        star = ".*" if "dict[" in str(field.annotation) else ""
        yield from _model_keys(inner[0], f"{path}{star}.")


def _inner_models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _inner_models(part)]


def _named_keys(text: str) -> Iterator[str]:
    """Every key that a TOML text names, also where it is commented out."""
    section = ""
    for line in text.splitlines():
        line = line.removeprefix("# ")
        if header := re.match(r"\[+([a-z0-9_.\-]+)\]+", line):
            section = re.sub(r"^(connections|providers|clients)\.[^.]+", r"\1.*", header[1]) + "."
        elif key := re.match(r"([a-z_\-]+) = (.*)", line):
            if section == "providers.":
                yield from (f"providers.*.{name}" for name in re.findall(r"(\w+) =", key[2]))
            elif key[2].startswith(("{ phone", "{ accent")):
                yield from (f"{section}{key[1]}.{name}" for name in re.findall(r"(\w+) =", key[2]))
            else:
                yield f"{section}{key[1]}"


def test_a_key_that_the_example_does_not_name_is_noticed() -> None:
    without = PRODUCTION.read_text().replace("clock_skew", "clock_askew")
    assert "connections.*.clock_skew" not in set(_named_keys(without))
    assert "connections.*.clock_skew" in set(_model_keys(Settings))


def test_the_files_are_plain_toml() -> None:
    for path in CONFIG.glob("*.toml"):
        assert tomli_w.dumps(read_toml(path))
