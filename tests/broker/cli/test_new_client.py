"""`tunnus clients new` gives a section that the configuration takes, as the page of docs/clients has it."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from click.testing import CliRunner, Result

from broker.cli import main
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
    pages = {page.stem for page in DOCS.glob("*.md")} - {"README", "spring-resource-server", "aspnet-core"}
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
