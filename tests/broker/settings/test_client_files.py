"""Clients in files of their own are clients of the configuration, and what is wrong names the file."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from click.testing import CliRunner

from broker.cli import main
from broker.settings import ConfigurationError
from tests.broker.conftest import Data
from tests.harness.broker_settings import load


@pytest.fixture
def folder(data: Data, tmp_path: Path) -> Path:
    data["clients_from"] = "clients.d"
    (tmp_path / "clients.d").mkdir()
    return tmp_path / "clients.d"


def write(file: Path, **clients: Any) -> None:
    file.write_text(tomli_w.dumps({"clients": clients}))


def report(data: Data, tmp_path: Path) -> str:
    with pytest.raises(ConfigurationError) as error:
        load(data, tmp_path)
    return str(error.value)


def test_they_may_be_all_there_are_in_a_folder_or_a_file(data: Data, folder: Path, tmp_path: Path) -> None:
    portal = data.pop("clients")["portal"]
    write(folder / "one.toml", one=portal)
    write(folder / "two.toml", two=portal, three=portal)
    write(folder / ".unfinished.toml", four=portal)
    (folder / "README.md").write_text("not read")
    assert set(load(data, tmp_path).clients) == {"one", "two", "three"}
    data["clients_from"] = "clients.d/two.toml"
    assert set(load(data, tmp_path).clients) == {"two", "three"}


def test_paths_count_from_the_file_and_the_environment_is_put_in(data: Data, folder: Path, tmp_path: Path) -> None:
    portal = deepcopy(data["clients"]["portal"])
    (folder / "portal.jwks.json").write_text(json.dumps({"keys": portal["jwks"]}))
    write(folder / "one.toml", one=portal | {"jwks": "portal.jwks.json", "sector": "${SECTOR}"})
    assert load(data, tmp_path, SECTOR="from-outside").clients["one"].sector == "from-outside"


def test_each_problem_is_told_with_its_file(data: Data, folder: Path, tmp_path: Path) -> None:
    portal = data["clients"]["portal"]
    write(folder / "a.toml", one=portal | {"home_uri": "http://plain.energy.fi/"}, portal=portal)
    write(folder / "b.toml", one=portal, two=portal | {"scopes": ["profile"]})
    (folder / "c.toml").write_text("[clients")
    (folder / "d.toml").write_text('issuer = "https://id.energy.fi"')
    said = report(data, tmp_path)
    assert "6 problems" in said
    for file, what in (
        ("a.toml", "clients.one.home_uri"),
        ("a.toml", "clients.portal\n      stands in the configuration too"),
        ("b.toml", "clients.one\n      stands in a.toml too"),
        ("b.toml", "clients.two\n      scopes lacks openid"),
        ("c.toml", "(the file)\n      is not TOML"),
        ("d.toml", "issuer\n      is not a key of this table"),
    ):
        assert f"{folder / file}: {what}" in said, said
    for command in ("check", "doctor"):
        done = CliRunner().invoke(main, [command, "--config", str(tmp_path / "tunnus.toml")])
        assert (done.exit_code, "b.toml: clients.two" in done.output) == (1, True), command


def test_a_place_that_is_not_there_is_told(data: Data, folder: Path, tmp_path: Path) -> None:
    folder.rmdir()
    assert "clients_from" in report(data, tmp_path)
    del data["clients"]
    assert "clients_from" in report(data, tmp_path)


@pytest.mark.parametrize(("key", "value"), [("clients_from", 7), ("clients", "portal"), ("clients", {})])
def test_what_is_of_another_kind_is_told(data: Data, folder: Path, tmp_path: Path, key: str, value: Any) -> None:
    data[key] = value
    assert key in report(data, tmp_path)


def test_production_looks_at_them_too(production: Data, tmp_path: Path) -> None:
    production["clients_from"] = "clients.toml"
    write(tmp_path / "clients.toml", one=production["clients"]["portal"] | {"home_uri": "https://localhost/"})
    assert f"{tmp_path / 'clients.toml'}: clients.one.home_uri" in report(production, tmp_path)
