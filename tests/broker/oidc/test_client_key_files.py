"""A client's next key is taken from its file while the broker runs; a set that the client could not use is not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey

from broker.oidc import OpenIDProvider
from broker.settings import Settings
from kit.keys.files import write_private
from tests.broker.conftest import NOW, Data
from tests.harness.keys import Clock
from tests.harness.memory_store import MemoryStore
from tests.harness.openid_provider import KeyDouble


def jwk(kid: str, use: str = "sig") -> dict[str, Any]:
    """A client's public key."""
    return {**ECKey.generate_key("P-256").as_dict(private=False), "kid": kid, "use": use}


@pytest.fixture
def kids(data: Data, tmp_path: Path) -> Callable[..., set[str | None]]:
    """Writes keys into the client's file and says whose signatures are taken half a minute later."""
    file, clock = tmp_path / "portal.jwks.json", Clock(NOW)
    file.write_text(json.dumps({"keys": [jwk("first")]}))
    data["clients"]["portal"]["jwks"] = str(file)
    settings = Settings.model_validate(data)
    op = OpenIDProvider(settings, KeyDouble(), MemoryStore(clock), clock, lambda **_: None)

    def after(*keys: dict[str, Any]) -> set[str | None]:
        write_private(file, json.dumps({"keys": list(keys)}))
        clock.now += 30
        op.server.parts.authenticator._look_again()
        return {key.kid for key in op.clients["portal"].signing_keys}

    return after


def test_a_changed_file_is_taken_without_a_restart(kids: Callable[..., set[str | None]]) -> None:
    assert kids(jwk("first"), jwk("second")) == {"first", "second"}
    assert kids(jwk("second")) == {"second"}


def test_a_set_that_would_lock_the_client_out_leaves_the_last_one(kids: Callable[..., set[str | None]]) -> None:
    assert kids(jwk("other", use="enc")) == {"first"}
