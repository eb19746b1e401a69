"""A whole login of a client that publishes its keys and rotates them, by https, while the broker runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from broker.app import create_app
from broker.oidc.fetched_keys import AGAIN
from broker.settings import Settings
from demo.portal.client_keys import ClientKeys
from demo.runner.client import Client
from demo.runner.processes import free_port
from tests.harness.broker import PORTAL, Broker, System
from tests.harness.browser import Browser
from tests.harness.certificates import certificate, context
from tests.harness.engine.bank_server import Peer, answer, served


def test_a_login_before_and_after_its_keys_were_rotated(system: System, tmp_path: Path) -> None:
    first, second = ClientKeys.generate(), ClientKeys.generate()
    published = [first.public_jwk]

    def script(peer: Peer) -> None:
        while peer.read_request():
            peer.send(answer(json.dumps({"keys": published}).encode()))

    pem, port = certificate(tmp_path, "127.0.0.1"), free_port()
    issuer = f"http://127.0.0.1:{port}"
    config = system.config("telia", "shared") | {"issuer": issuer, "private_network": True}
    with served(script, context(pem)) as server:
        del config["clients"]["portal"]["jwks"]
        config["clients"]["portal"] |= {"jwks_uri": f"{server.url}/jwks.json", "jwks_ca_bundle": str(pem)}
        system.more_issuers.append((issuer, config))
        app = create_app(Settings.model_validate(config), clock=system.clock)
        system.serve(app, port)

        def identified(keys: ClientKeys) -> str:
            system.mock.next("nordea", persona=system.adult()["id"])
            browser = Browser(Broker(app, Client(issuer, "portal", f"{PORTAL}/callback", keys), config).client)
            return str(browser.token(browser.start(idp_hint="nordea"))["idp"])

        system.clock.offset -= AGAIN  # the client verifies tokens by the time that it really is
        assert identified(first) == "nordea"
        published[:] = [second.public_jwk]
        system.clock.offset += AGAIN
        assert identified(second) == "nordea"
        with pytest.raises(Exception, match="invalid_client"):
            identified(first)
        metrics = app.extensions["tunnus"].operations.test_client().get("/metrics").get_data(as_text=True)
        assert 'tunnus_client_keys_fetched_total{client="portal",outcome="ok"} 2.0' in metrics
        assert len(server.requests) == 2
    system.more_issuers.remove((issuer, config))
