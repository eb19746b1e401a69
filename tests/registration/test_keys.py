"""The folder of keys: made for its owner alone, replaced without losing what is at rest."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner

from kit.keys.files import KeysUnusable
from kit.keys.rotation import Rotation
from registration.cli import main
from registration.keys import LONGEST_KEPT, PURPOSES, Keys, load_keys
from registration.settings.rules import RulesSettings
from tests.harness.registration_keys import make_keys

NOW = 1_790_000_000
DAY = 86_400


class Clock:
    """Time that a test moves."""

    now = float(NOW)

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_keys(tmp_path / "keys", NOW)
    return tmp_path / "keys"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(folder: Path, clock: Clock) -> Keys:
    return load_keys(folder, clock)


def refusal(folder: Path) -> str:
    with pytest.raises(KeysUnusable) as raised:
        load_keys(folder)
    return str(raised.value)


def test_what_is_made_is_for_its_owner_alone_and_can_be_loaded(folder: Path, keys: Keys) -> None:
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert (stat.S_IMODE(folder.stat().st_mode), set(modes.values())) == (0o700, {0o600})
    assert {name.rsplit("-", 1)[0][:6] for name in modes} >= {"client", "sealin", "cookie", "digest"}
    assert keys.unseal("draft:x", keys.seal("draft:x", [1])) == [1]
    assert keys.unseal("draft:y", keys.seal("draft:x", [1])) is None


def test_keys_that_are_there_stay(folder: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert make_keys(folder, NOW + 1) == []
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize("purpose", [name for name, purpose in PURPOSES.items() if purpose.needed])
def test_a_missing_key_is_named_with_the_command_that_makes_it(folder: Path, purpose: str) -> None:
    next(iter(folder.glob(f"{purpose}-*"))).unlink()
    said = refusal(folder)
    assert f"has no key in use for {purpose}" in said
    assert said.endswith(f"tunnus-registration keys init --dir {folder}")


def test_everything_that_is_open_is_named_at_once(folder: Path) -> None:
    for path in folder.iterdir():
        path.chmod(0o644)
    assert refusal(folder).startswith(f"{folder}: 6 problems")


def test_what_was_sealed_and_signed_stays_good_for_as_long_as_it_may_be_kept(
    folder: Path, keys: Keys, clock: Clock
) -> None:
    sealed, signing, digest = keys.seal("draft:x", "draft"), keys.cookie[-1], keys.keyed_digest("someone")
    made = Rotation(folder, PURPOSES).rotate(["sealing", "cookie", "client"], NOW)
    assert len(made) == 3
    clock.now = NOW + 40
    assert keys.cookie[-1] == signing
    assert len(keys.cookie) == 2  # the next one verifies before it signs, whoever signs first
    clock.now = NOW + DAY
    assert keys.cookie[-1] != signing
    assert signing in keys.cookie
    assert keys.seal("draft:x", 1) != sealed
    clock.now += LONGEST_KEPT - DAY
    assert keys.unseal("draft:x", sealed) == "draft"
    clock.now += 2 * DAY
    assert keys.unseal("draft:x", sealed) is None
    assert signing not in keys.cookie
    assert keys.keyed_digest("someone") == digest


def test_nothing_is_kept_longer_than_its_key() -> None:
    with pytest.raises(ValueError, match="draft"):
        RulesSettings(draft=LONGEST_KEPT + 1)


def test_the_client_key_is_published_before_it_is_used(folder: Path, keys: Keys, clock: Clock) -> None:
    old = keys.client.kid
    Rotation(folder, PURPOSES).rotate(["client"], NOW)
    clock.now = NOW + DAY - 1
    assert keys.client.kid == old
    assert len(keys.published("client")) == 2
    clock.now = NOW + DAY
    assert keys.client.kid != old
    assert keys.public_jwk["kid"] == keys.client.kid
    assert {"kty", "crv", "x", "y", "kid", "use", "alg"} == set(keys.public_jwk)


def test_the_key_that_the_broker_is_given_is_the_one_that_is_shown_unless_another_is_named(folder: Path) -> None:
    def shown(*purpose: str) -> list[str]:
        done = CliRunner().invoke(main, ["keys", "show-public", *purpose, "--dir", str(folder)])
        return [key["kid"] for key in json.loads(done.output)["keys"]]

    assert shown() == shown("client") != shown("audit-sig")
