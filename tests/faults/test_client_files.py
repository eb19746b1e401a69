"""A process that serves takes a new client from a file, while people identify for the others."""

from __future__ import annotations

import time
import tomllib

import pytest
import requests
import tomli_w

from tests.harness.broker import System
from tests.harness.broker_process.process import BrokerProcess
from tests.harness.process import START_SECONDS, STEP

pytestmark = pytest.mark.drill


def test_a_running_broker_takes_a_new_client(system: System) -> None:
    broker = BrokerProcess(system)
    folder = system.folder / "clients.d"
    folder.mkdir()
    config = tomllib.loads(broker._config.read_text()) | {"clients_from": "clients.d"}
    broker._config.write_text(tomli_w.dumps(config))
    broker.start()
    redirect_uri = "https://new.example.fi/callback"
    query = {"client_id": "new", "redirect_uri": redirect_uri, "response_type": "code"}

    def answer() -> int:
        url = f"{broker.client.issuer}/authorize"
        return requests.get(url, params=query, allow_redirects=False, timeout=30).status_code

    assert answer() == 400
    portal = config["clients"]["portal"]
    new = portal | {"redirect_uris": [redirect_uri], "home_uri": "https://new.example.fi/"}
    (folder / "new.toml").write_text(tomli_w.dumps({"clients": {"new": new}}))
    deadline = time.monotonic() + START_SECONDS
    while answer() != 303:
        assert time.monotonic() < deadline, "the client is not taken"
        time.sleep(STEP)
    system.mock.next("nordea", persona=system.adult()["id"])
    browser = broker.browser()
    assert browser.token(browser.start(idp_hint="nordea"))["idp"] == "nordea"
    assert broker.stop() == 0
