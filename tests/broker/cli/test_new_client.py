"""`tunnus clients new` gives a section that the configuration takes, as the page of docs/clients has it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from click.testing import CliRunner, Result

from broker.cli import main
from broker.settings import load_settings
from broker.settings.models import ClientSettings
from broker.settings.software import KNOWN, Software
from kit.client_authentication.secret import is_secret
from tests.peers.clients.pages import APP, DOCS, ClientPage

ANSWERS = {"id": "my-app", "name": "Sähkö", "address": f"{APP}/", "software": "authlib", "sector": "my-company"}


def new(**changed: str) -> Result:
    options = [part for name, value in (ANSWERS | changed).items() for part in (f"--{name.replace('_', '-')}", value)]
    return CliRunner().invoke(main, ["clients", "new", *options])


def section(said: str) -> dict[str, Any]:
    """The one client of the printed section, which is for the configuration, up to the empty line."""
    (client,) = tomllib.loads(said.partition("\n\n")[0])["clients"].values()
    return dict(client)


@pytest.mark.parametrize("software", KNOWN, ids=lambda software: software.name)
def test_the_section_is_the_one_of_the_page(software: Software) -> None:
    made = section(new(software=software.name).output)
    assert ClientSettings.model_validate(made).software == software.name
    (told,) = ClientPage.read(software.page).clients(APP, "").values()
    ours = {"name", "secret_hash", "software"}
    assert {key: made[key] for key in made.keys() - ours} == {key: told[key] for key in told.keys() - ours}


def test_every_page_has_its_software() -> None:
    pages = {page.stem for page in DOCS.glob("*.md")} - {"README", "spring-resource-server", "aspnet-core", "keycloak"}
    assert pages == {software.page for software in KNOWN}


def test_the_secret_is_shown_once_and_the_section_has_its_hash() -> None:
    said = new().output
    (secret,) = (line.split()[1] for line in said.splitlines() if line.startswith("client_secret "))
    assert said.count(secret) == 1
    assert is_secret(secret, section(said)["secret_hash"])


def test_it_asks_for_what_no_option_tells() -> None:
    done = CliRunner().invoke(main, ["clients", "new"], input="\n".join(ANSWERS.values()) + "\n")
    assert section(done.output[done.output.index("[clients") :])["redirect_uris"] == [f"{APP}/callback"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"address": "app.example.fi"}, "clients.my-app.redirect_uris[0]"),
        ({"redirect_uri": f"{APP}/callback#part"}, "clients.my-app.redirect_uris[0]"),
        ({"id": "My app"}, "clients"),
        ({"sector": "tab\tin it"}, "clients.my-app.sector"),
    ],
)
def test_what_the_configuration_would_not_take_is_said_at_once(changed: dict[str, str], said: str) -> None:
    done = new(**changed)
    assert (done.exit_code, said in done.stderr, "client_secret " in done.output) == (1, True, False)


@pytest.fixture
def config(tmp_path: Path, data: dict[str, Any]) -> Path:
    path = tmp_path / "tunnus.toml"
    path.write_text(tomli_w.dumps(data | {"clients_from": "clients.d"}))
    (tmp_path / "clients.d").mkdir()
    return path


def written(config: Path, **changed: str) -> Result:
    options = [part for name, value in (ANSWERS | changed).items() for part in (f"--{name}", value)]
    return CliRunner().invoke(main, ["clients", "new", *options, "--write", "--config", str(config)])


def test_it_writes_a_file_that_the_configuration_takes(config: Path) -> None:
    said = written(config)
    file = config.parent / "clients.d" / "my-app.toml"
    assert said.output.startswith(f"# Written to {file}\n")
    assert [path.name for path in file.parent.iterdir()] == ["my-app.toml"]
    (secret,) = (line.split()[1] for line in said.output.splitlines() if line.startswith("client_secret "))
    assert secret not in file.read_text()
    assert is_secret(secret, str(load_settings(config).clients["my-app"].secret_hash))
    assert "2 clients" in CliRunner().invoke(main, ["check", "--config", str(config)]).output


def test_nothing_that_is_there_is_written_over(config: Path) -> None:
    folder = config.parent / "clients.d"
    (folder / "my-app.toml").write_text("")
    for name in ("portal", "my-app"):
        said = written(config, id=name)
        assert (said.exit_code, "is there already" in said.stderr) == (1, True)
    assert [(file.name, file.read_text()) for file in folder.iterdir()] == [("my-app.toml", "")]


def test_what_the_whole_configuration_refuses_is_not_written(config: Path) -> None:
    said = written(config, address="http://app.example.fi")
    assert (said.exit_code, "clients.my-app.redirect_uris[0]" in said.stderr) == (1, True)
    assert list(config.parent.glob("clients.d/*")) == []


def test_without_a_folder_it_says_so(config: Path) -> None:
    (config.parent / "clients.d").rmdir()
    (config.parent / "clients.d").write_text("")
    assert "needs a folder" in written(config).stderr
