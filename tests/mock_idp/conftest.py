"""One application of mock banks and one small relying party for all tests; every test starts with an empty memory."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mock_idp.app import create_app
from mock_idp.bank import Bank
from mock_idp.config import Config
from tests.harness.relying_party import BASE, NOW, SPNAME, STATEMENT_URL, SmallRelyingParty


@pytest.fixture(scope="session")
def mock_state_dir(bank_keys: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(bank_keys, tmp_path_factory.mktemp("mock_idp") / "state"))


@pytest.fixture(scope="session")
def mock_banks(mock_state_dir: Path) -> SmallRelyingParty:
    rp = SmallRelyingParty(NOW)
    config = Config(
        base_url=BASE,
        state_dir=mock_state_dir,
        relying_party=STATEMENT_URL,
        service_names=frozenset({SPNAME}),
        clock=lambda: rp.now,
        fetch=rp.publish,
    )
    rp.attach(create_app(config))
    return rp


@pytest.fixture
def rp(mock_banks: SmallRelyingParty) -> SmallRelyingParty:
    mock_banks.now = NOW
    mock_banks.instead.clear()
    mock_banks.client.post("/control/reset")
    mock_banks.fetched.clear()
    return mock_banks


@pytest.fixture
def bank(rp: SmallRelyingParty) -> Bank:
    return rp.client.application.extensions["mock_idp"]
