"""A connection goes where its pinned entity statement says, or `tunnus doctor` tells of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from click.testing import CliRunner

from broker.cli import main
from broker.keys import KeyRing
from broker.operations.checks import check_pinned_metadata
from broker.settings import Settings
from providers.engine.entity_statement import STATEMENT_TYPE
from tests.broker.conftest import NOW

STATED = {
    "issuer": "https://own.bank.fi",
    "authorization_endpoint": "https://own.bank.fi/authorize",
    "token_endpoint": "https://own.bank.fi/token",
    "signed_jwks_uri": "https://own.bank.fi/signed-jwks",
}
Pinned = Callable[[Any], Settings]


@pytest.fixture
def pinned(data: dict[str, Any], tmp_path: Path, made_keys: Path) -> Pinned:
    """The settings with a statement of some metadata pinned for the connection `own`."""
    keys, file = KeyRing(made_keys, lambda: NOW + 1), tmp_path / "own.jwt"

    def pin(metadata: Any) -> Settings:
        now, entity_id = int(time.time()), "https://own.bank.fi"
        claims = {"iss": entity_id, "sub": entity_id, "iat": now, "exp": now + 86_400 * 365}
        jwks = {"keys": keys.public_set("entity")}
        file.write_text(keys.sign("entity", {**claims, "jwks": jwks, "metadata": metadata}, typ=STATEMENT_TYPE))
        own = data["connections"]["own"]
        own.pop("jwks", None)
        own |= {"entity_statement": str(file), "signed_jwks_uri": STATED["signed_jwks_uri"]}
        return Settings.model_validate(data)

    return pin


@pytest.mark.parametrize(
    "metadata",
    [
        {"openid_provider": STATED},
        {},
        None,
        {"openid_provider": None},
        {"openid_provider": ["x"]},
        {"openid_provider": dict.fromkeys(STATED, 7)},
        {"openid_relying_party": {"issuer": "https://other.bank.fi"}},
    ],
)
def test_a_statement_that_says_the_same_or_nothing_is_well(pinned: Pinned, metadata: Any) -> None:
    assert list(check_pinned_metadata(pinned(metadata), int(time.time()))) == []


@pytest.mark.parametrize("key", STATED)
def test_another_address_than_the_statements_is_told_with_file_key_and_mend(pinned: Pinned, key: str) -> None:
    settings = pinned({"openid_provider": {**STATED, key: "https://other.bank.fi/x"}})
    (check,) = check_pinned_metadata(settings, int(time.time()))
    assert (check.name, check.state) == (f"{key} of own", "failed" if key == "issuer" else "warning")
    for part in (f"connections.own.{key}", STATED[key], "own.jwt", "'https://other.bank.fi/x'"):
        assert part in check.said
    assert check.mend


def test_what_a_statement_says_is_shown_bounded_and_on_one_line(pinned: Pinned) -> None:
    settings = pinned({"openid_provider": {"issuer": "https://other.bank.fi/\n\x1b[2J" + "x" * 10_000}})
    (check,) = check_pinned_metadata(settings, int(time.time()))
    assert check.said.isprintable()
    assert len(check.said) < 1000


def test_the_doctor_tells_of_it(pinned: Pinned, data: dict[str, Any], tmp_path: Path) -> None:
    pinned({"openid_provider": {**STATED, "token_endpoint": "https://other.bank.fi/token"}})
    config = tmp_path / "tunnus.toml"
    config.write_text(tomli_w.dumps(data))
    done = CliRunner().invoke(main, ["doctor", "--config", str(config)])
    assert "warning  token_endpoint of own: connections.own.token_endpoint is https://own.bank.fi/token" in done.output
