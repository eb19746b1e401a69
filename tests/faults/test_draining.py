"""A service that is asked to end is not ready, serves on, and ends when its time is over or it is asked again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.broker import StoreServer, System
from tests.harness.broker_process.process import BrokerProcess
from tests.harness.process import START_SECONDS, STEP, status_at
from tests.harness.registration import Harness
from tests.harness.registration_process.demo import killable_site
from tests.harness.registration_process.process import RegistrationProcess

LONG = 120
"""Seconds until it accepts nobody any more: longer than a test."""


@pytest.fixture
def registration(
    store_server: StoreServer, broker_keys: Path, bank_keys: Path, sqlite_url: str, tmp_path: Path
) -> Iterator[RegistrationProcess]:
    """Registration, on SQLite."""
    for name in ("system", "registration"):
        (tmp_path / name).mkdir()
    with System(store_server, broker_keys, bank_keys, tmp_path / "system") as system:
        harness = Harness(system, tmp_path / "registration")
        with killable_site(harness, sqlite_url, tmp_path) as site:
            config = site.config | {"server": site.config["server"] | {"drain": LONG}}
            process = RegistrationProcess(config, tmp_path)
            process.start()
            yield process
            process.end()


def test_a_broker_that_is_asked_to_end_serves_on_and_is_not_ready(system: System) -> None:
    broker = BrokerProcess(system, drain=LONG)
    broker.start()
    broker.ask_to_end()
    is_not_ready(broker.operations_port)
    system.mock.next("op", persona=system.adult()["id"])
    browser = broker.browser()
    assert browser.token(browser.start(idp_hint="op"))["idp"] == "op"
    assert broker.stop() == 0
    assert '"closed"' in max(broker.audit.glob("*"), key=lambda file: file.stat().st_mtime).read_text()


def test_registration_that_is_asked_to_end_serves_on_and_is_not_ready(registration: RegistrationProcess) -> None:
    registration.ask_to_end()
    is_not_ready(registration.operations_port)
    assert status_at(registration.port, "/sign-in") == 200
    assert registration.stop() == 0


def is_not_ready(port: int) -> None:
    """Wait until it says so; it lives on."""
    end = time.monotonic() + START_SECONDS
    while status_at(port, "/readyz") != 503:
        assert time.monotonic() < end
        time.sleep(STEP)
    assert status_at(port, "/livez") == 200
