"""One running stack for all tests of the demo."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.serving import make_server

from demo.online_service.api import RegistrationApi
from demo.online_service.app import create_app
from demo.online_service.state import OnlineService, Places
from demo.portal.client_keys import ClientKeys
from demo.runner.configs import broker_config
from demo.runner.mock_banks import MockBanks
from demo.runner.profiles import with_profiles
from demo.runner.stack import Stack
from tests.demo.running import CONTRACT, running_stack
from tests.harness.online_service import ISSUER, ONLINE, REGISTRATION, SECRET, Peers


@pytest.fixture(scope="session")
def stack(stack_state: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Valkey, the mock banks and a broker, which knows a client of each profile, too."""
    with running_stack(tmp_path_factory.mktemp("demo"), stack_state) as running:
        running.start_broker(with_profiles(broker_config(*CONTRACT, running.places), running.client))
        yield running


@pytest.fixture
def mock(stack: Stack) -> MockBanks:
    """The mock banks, forgetful of other tests."""
    banks = MockBanks(stack.places.mock)
    banks.reset()
    return banks


@pytest.fixture
def peers() -> Iterator[Peers]:
    peers = Peers()
    server = make_server("127.0.0.1", 0, peers.app(), threaded=True)
    peers.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield peers
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def service(peers: Peers) -> OnlineService:
    places = Places(ONLINE, ISSUER, REGISTRATION, back=peers.url)
    return OnlineService(places, RegistrationApi(peers.url, "online-service", SECRET), ClientKeys.generate(), "k" * 40)


@pytest.fixture
def browser(service: OnlineService) -> FlaskClient:
    return create_app(service).test_client()
