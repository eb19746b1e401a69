"""Folders of keys to change, and rings over them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from joserfc.jwk import RSAKey

from broker.keys import KeyRing
from kit.keys.rotation import new_key
from tests.harness.keys import Clock


@pytest.fixture
def full(made_keys: Path, tmp_path: Path) -> Path:
    """A folder with a key for every purpose, to change."""
    return Path(shutil.copytree(made_keys, tmp_path / "keys"))


@pytest.fixture
def folder(full: Path) -> Path:
    """The same without RSA keys, which take long to parse."""
    for path in full.glob("*.json"):
        if json.loads(path.read_text())["jwk"]["kty"] == "RSA":
            path.unlink()
    return full


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ring(folder: Path, clock: Clock) -> KeyRing:
    """A ring over a folder that the test may change."""
    return KeyRing(folder, clock)


@pytest.fixture(scope="session")
def whole(made_keys: Path) -> KeyRing:
    """A ring over every key there is; nobody changes its folder."""
    return KeyRing(made_keys, Clock())


@pytest.fixture(scope="session")
def spare_rsa() -> RSAKey:
    """One more encryption key."""
    key = new_key("RSA-OAEP")
    assert isinstance(key, RSAKey)
    return key
