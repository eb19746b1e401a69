"""The folder of keys: made for its owner alone, replaced without losing what is at rest, a former one taken over."""

from __future__ import annotations

import base64
import json
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.fernet import Fernet, MultiFernet
from joserfc.jwk import ECKey

from kit.keys.files import KeysUnusable
from registration.cli import main
from registration.key_folder import KeyFolder, make_keys
from registration.keys import LONGEST_KEPT, PURPOSES, Keys, load_keys
from registration.settings.rules import RulesSettings

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
    made = KeyFolder(folder).rotate(["sealing", "cookie", "client"], NOW)
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
    KeyFolder(folder).rotate(["client"], NOW)
    clock.now = NOW + DAY - 1
    assert keys.client.kid == old
    assert len(keys.published("client")) == 2
    clock.now = NOW + DAY
    assert keys.client.kid != old
    assert keys.public_jwk["kid"] == keys.client.kid
    assert {"kty", "crv", "x", "y", "kid", "use", "alg"} == set(keys.public_jwk)


class TestFormerFolder:
    """A folder of three files, as it was before keys had timetables."""

    @pytest.fixture
    def former(self, tmp_path: Path) -> Path:
        folder = tmp_path / "former"
        folder.mkdir(mode=0o700)
        client = ECKey.generate_key("P-256", auto_kid=True)
        contents = {
            "client.jwk.json": json.dumps(client.as_dict(private=True) | {"kid": client.kid}),
            "sealing.keys": f"{Fernet.generate_key().decode()}\n{Fernet.generate_key().decode()}\n",
            "cookie.keys": f"{'a' * 40}\n{'b' * 64}\n",
        }
        for name, content in contents.items():
            (folder / name).write_text(content)
            (folder / name).chmod(0o600)
        return folder

    def test_everything_that_was_sealed_and_signed_stays_good(self, former: Path, clock: Clock) -> None:
        lines = (former / "sealing.keys").read_text().split()
        kid = json.loads((former / "client.jwk.json").read_text())["kid"]
        sealed = [Fernet(line).encrypt(json.dumps(["draft:x", 1]).encode()).decode() for line in lines]
        assert len(make_keys(former, NOW)) == 8
        keys = load_keys(former, clock)
        assert [keys.unseal("draft:x", value) for value in sealed] == [1, 1]
        assert MultiFernet([Fernet(lines[0])]).decrypt(keys.seal("draft:x", 2).encode())  # the first line seals
        assert keys.cookie == (b"a" * 40, b"b" * 64)  # the last line signs
        assert keys.client.kid == kid
        assert {path.suffix for path in former.iterdir() if not path.name.startswith(".")} == {".json"}
        # Counts of tries go on: they stood under the oldest cookie key.
        digest = next(iter(former.glob("digest-*"))).read_text()
        assert base64.urlsafe_b64encode(b"a" * 40).decode().rstrip("=") in digest

    def test_one_that_cannot_be_read_is_left_as_it_is(self, former: Path) -> None:
        (former / "sealing.keys").write_text("secret-of-mine")
        with pytest.raises(KeysUnusable) as raised:
            make_keys(former, NOW)
        assert "secret-of-mine" not in str(raised.value)
        assert (former / "cookie.keys").exists()
        assert list(former.glob("digest-*")) == []

    def test_one_that_is_open_is_refused(self, former: Path) -> None:
        (former / "cookie.keys").chmod(0o644)
        with pytest.raises(KeysUnusable, match="open to others"):
            make_keys(former, NOW)


def test_the_key_that_the_broker_is_given_is_the_one_that_is_shown_unless_another_is_named(folder: Path) -> None:
    def shown(*purpose: str) -> list[str]:
        done = CliRunner().invoke(main, ["keys", "show-public", *purpose, "--dir", str(folder)])
        return [key["kid"] for key in json.loads(done.output)["keys"]]

    assert shown() == shown("client") != shown("audit-sig")
