"""Clients in files of their own: what a running broker takes, what it keeps as it was, and how it says so."""

from __future__ import annotations

import json
import logging
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from joserfc.jwk import RSAKey

from broker.app import Parts, create_app
from broker.log_fields import FIELDS
from broker.oidc.clients import Client
from kit.keys.files import write_private
from kit.logs import JsonFormatter
from tests.broker.conftest import Data, texts
from tests.harness.broker_settings import load
from tests.harness.keys import Clock


class Running:
    """A running broker with a folder of clients."""

    def __init__(self, data: Data, folder: Path, clock: Clock) -> None:
        self.folder, self.clock = folder / "clients.d", clock
        self.section: dict[str, Any] = deepcopy(data["clients"]["portal"]) | {"name": texts("New")}
        self.app = create_app(load(data, folder), clock=clock)
        self.parts: Parts = self.app.extensions["tunnus"]

    def write(self, client: str, file: str | None = None, **changed: Any) -> None:
        sections = {client: {key: value for key, value in (self.section | changed).items() if value is not None}}
        write_private(self.folder / f"{file or client}.toml", tomli_w.dumps({"clients": sections}))

    def looked(self) -> dict[str, Client]:
        self.parts.client_files.look_again()
        return self.parts.flow.op.clients

    def says(self) -> list[str]:
        """What `/readyz` warns of."""
        checks = self.parts.operations.test_client().get("/readyz").get_json()["checks"]
        return [check["said"] for check in checks if check["name"] == "client files" and check["state"] != "ok"]


@pytest.fixture
def clock() -> Clock:
    return Clock(1_790_000_000)


@pytest.fixture
def running(data: Data, made_keys: Path, tmp_path: Path, clock: Clock, valkey_url: str) -> Running:
    data |= {"keys": {"dir": str(made_keys)}, "store": {"url": valkey_url}, "clients_from": "clients.d"}
    (tmp_path / "clients.d").mkdir()
    held = deepcopy(data["clients"]["portal"]) | {"name": texts("Held"), "sector": "of-its-own"}
    (tmp_path / "clients.d" / "held.toml").write_text(tomli_w.dumps({"clients": {"held": held}}))
    return Running(data, tmp_path, clock)


def authorize(running: Running, client_id: str, redirect_uri: str) -> tuple[int, str]:
    query = {"client_id": client_id, "redirect_uri": redirect_uri, "response_type": "token"}
    answer = running.app.test_client().get("/authorize", query_string=query)
    return answer.status_code, answer.headers.get("Location", "")


def test_those_that_are_there_at_the_start_are_clients_like_any(running: Running) -> None:
    assert set(running.looked()) == {"portal", "held"}
    assert running.looked()["held"].sector == "of-its-own"
    assert running.says() == []


def test_a_new_client_is_taken_without_a_restart(running: Running, caplog: pytest.LogCaptureFixture) -> None:
    uri = "https://new.energy.fi/callback"
    assert authorize(running, "new", uri)[0] == 400
    running.write("new", redirect_uris=[uri], home_uri="https://new.energy.fi/")
    with caplog.at_level(logging.INFO):
        assert "new" in running.looked()
    line = json.loads(JsonFormatter(FIELDS).format(caplog.records[-1]))
    assert (line["message"], line["client"]) == ("client_taken", "new")
    status, location = authorize(running, "new", uri)
    assert (status, location.startswith(f"{uri}?error=")) == (303, True)
    assert running.parts.flow.op.sections["new"].home_uri == "https://new.energy.fi/"


def test_a_changed_address_key_and_name_are_taken(running: Running) -> None:
    uri, key = "https://other.energy.fi/callback", deepcopy(running.section["jwks"][0]) | {"kid": "the-next"}
    running.write("held", sector="of-its-own", redirect_uris=[uri], jwks=[key], name=texts("Renamed"))
    held = running.looked()["held"]
    assert (held.redirect_uris, [one.kid for one in held.signing_keys]) == ((uri,), ["the-next"])
    assert running.parts.flow.op.sections["held"].name.en == "Renamed en"
    assert authorize(running, "held", "https://portal.energy.fi/callback")[0] == 400, "the former address"


def test_a_published_set_is_fetched_from_where_it_is_now(running: Running) -> None:
    for uri in ("https://one.energy.fi/jwks", "https://two.energy.fi/jwks"):
        running.write("held", sector="of-its-own", jwks=None, jwks_uri=uri)
        running.looked()
        first = running.parts.flow.op.registered.fetched["held"]
        running.write("held", sector="of-its-own", jwks=None, jwks_uri=uri, show_step=True)
        running.looked()
        assert running.parts.flow.op.registered.fetched["held"] is first, "what was fetched is kept"
    running.write("held", sector="of-its-own")
    running.looked()
    assert "held" not in running.parts.flow.op.registered.fetched


def test_its_file_of_keys_is_watched_too(running: Running, clock: Clock) -> None:
    (key,) = running.section["jwks"]
    file = running.folder / "new.jwks.json"
    file.write_text(json.dumps({"keys": [key]}))
    running.write("new", jwks="new.jwks.json")  # from the folder of its own file
    assert "new" in running.looked()
    write_private(file, json.dumps({"keys": [key | {"kid": "the-next"}]}))
    clock.now += 31
    running.parts.flow.op.registered.look_at_key_files()
    assert [one.kid for one in running.looked()["new"].signing_keys] == ["the-next"]
    assert running.says() == []


MISTAKES = [
    ("new.toml", "[clients.new]\nname = 1\n", "new.toml: clients.new.name"),
    ("new.toml", "[clients.new", "new.toml: (the file) is not TOML"),
    ("new.toml", '[server]\nhost = "0.0.0.0"\n', "new.toml: server is not a key of this table"),
    ("new.toml", '[clients.new]\nsector = "${NOT_SET_ANYWHERE}"\n', "new.toml: clients.new.sector"),
]


@pytest.mark.parametrize(("file", "content", "said"), MISTAKES)
def test_a_mistake_leaves_the_last_good_state_and_is_told(
    running: Running, file: str, content: str, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    running.write("held", sector="of-its-own", redirect_uris=["https://other.energy.fi/callback"])
    (running.folder / file).write_text(content)
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            assert set(running.looked()) == {"portal", "held"}
    assert running.looked()["held"].redirect_uris == ("https://portal.energy.fi/callback",), "nothing else is taken"
    assert said in running.says()[0]
    lines = [json.loads(JsonFormatter(FIELDS).format(record)) for record in caplog.records]
    assert [(line["message"], said in line["problems"]) for line in lines] == [("clients_refused", True)], "told once"
    (running.folder / file).unlink()
    assert running.looked()["held"].redirect_uris == ("https://other.energy.fi/callback",)
    assert running.says() == []


def test_what_the_whole_configuration_refuses_is_a_mistake_too(running: Running) -> None:
    running.write("new", home_uri="http://plain.energy.fi/")
    assert "new" not in running.looked()
    assert "new.toml: clients.new.home_uri" in running.says()[0]
    running.write("new", file="another")
    running.write("new")
    assert "new" not in running.looked()
    assert "stands in another.toml too" in running.says()[0]
    (running.folder / "another.toml").unlink()
    assert "new" in running.looked()


def test_what_is_named_and_comes_later_is_found(running: Running) -> None:
    running.write("new", jwks="new.jwks.json")
    assert "new" not in running.looked()
    (running.folder / "new.jwks.json").write_text(json.dumps({"keys": running.section["jwks"]}))
    assert "new" in running.looked(), "the clients' own file has not changed"


def test_another_sector_needs_a_restart(running: Running) -> None:
    running.write("held", sector="another", redirect_uris=["https://other.energy.fi/callback"])
    running.write("new")
    clients = running.looked()
    assert (clients["held"].sector, "new" in clients) == ("of-its-own", True)
    assert clients["held"].redirect_uris == ("https://portal.energy.fi/callback",), "as it was, as a whole"
    assert "held is used as it was: its sector is another" in running.says()[0]
    running.write("held", sector="of-its-own")
    running.looked()
    assert running.says() == []


def test_another_key_to_encrypt_to_needs_a_restart(
    data: Data, running: Running, client_encryption_jwk: dict[str, Any], clock: Clock
) -> None:
    (signing,) = running.section["jwks"]
    other = {**RSAKey.generate_key(2048).as_dict(private=False), "kid": "client-enc", "use": "enc"}
    file = running.folder / "coded.jwks.json"
    file.write_text(json.dumps({"keys": [signing, client_encryption_jwk]}))
    running.write("coded", jwks="coded.jwks.json", scopes=["openid", "personal_identity_code"])
    before = running.looked()["coded"].encryption_key
    assert before is not None
    write_private(file, json.dumps({"keys": [signing, other]}))
    clock.now += 31
    running.parts.flow.op.registered.look_at_key_files()
    assert running.looked()["coded"].encryption_key == before, "not by its file of keys"
    running.write("coded", jwks=[signing, other], scopes=["openid", "personal_identity_code"])
    assert running.looked()["coded"].encryption_key == before, "not by its section"
    assert "encrypted to is another" in running.says()[0]


def test_a_client_that_is_gone_needs_a_restart(running: Running) -> None:
    (running.folder / "held.toml").rename(running.folder / ".held.toml")
    assert "held" in running.looked()
    assert "held is used as it was: it is in no file any more" in running.says()[0]


def test_a_folder_that_is_gone_leaves_all(running: Running) -> None:
    running.folder.rename(running.folder.with_name("away"))
    assert set(running.looked()) == {"portal", "held"}
    assert "cannot be read" in running.says()[0]


def test_a_client_of_the_configuration_is_not_changed_by_a_file(running: Running) -> None:
    running.write("portal", redirect_uris=["https://other.energy.fi/callback"])
    assert running.looked()["portal"].redirect_uris == ("https://portal.energy.fi/callback",)
    assert "portal is used as it was" in running.says()[0]
