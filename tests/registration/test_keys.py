"""The folder of keys: made for its owner alone, and refused with the name of the file that is wrong."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from joserfc.jwk import ECKey

from registration.keys import CLIENT, COOKIE, SEALING, KeysUnusable, load_keys, make_keys

FILES = (CLIENT, SEALING, COOKIE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_keys(tmp_path / "keys")
    return tmp_path / "keys"


def refusal(folder: Path) -> str:
    with pytest.raises(KeysUnusable) as raised:
        load_keys(folder)
    return str(raised.value)


def test_what_is_made_is_for_its_owner_alone_and_can_be_loaded(folder: Path) -> None:
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.iterdir())}
    assert modes == {"keys": 0o700} | dict.fromkeys(FILES, 0o600)
    keys = load_keys(folder)
    assert keys.unseal("x", keys.seal("x", [1])) == [1]


def test_keys_that_are_there_stay(folder: Path) -> None:
    before = {name: (folder / name).read_text() for name in FILES}
    (folder / SEALING).unlink()
    assert make_keys(folder) == [folder / SEALING]
    assert {name: (folder / name).read_text() == text for name, text in before.items()} == {
        CLIENT: True,
        SEALING: False,
        COOKIE: True,
    }


@pytest.mark.parametrize("mode", [0o750, 0o705, 0o710])
def test_a_folder_that_others_can_get_at_is_refused_with_its_mend(folder: Path, mode: int) -> None:
    folder.chmod(mode)
    said = refusal(folder)
    assert f"  {folder}\n      is open to others than its owner (mode {mode:04o})" in said
    assert said.endswith(f"chmod 700 {folder}")


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("mode", [0o640, 0o604])
def test_a_file_that_others_can_read_is_refused_with_its_mend(folder: Path, name: str, mode: int) -> None:
    (folder / name).chmod(mode)
    said = refusal(folder)
    assert f"  {folder / name}\n      is open" in said
    assert said.endswith(f"chmod 600 {folder / name}")


def test_everything_that_is_open_is_named_at_once(folder: Path) -> None:
    for path in (folder, *folder.iterdir()):
        path.chmod(0o755)
    assert refusal(folder).startswith(f"{folder}: 4 problems")


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named_with_the_command_that_makes_it(folder: Path, name: str) -> None:
    (folder / name).unlink()
    said = refusal(folder)
    assert said.startswith(f"{folder / name}: 1 problem")
    assert said.endswith(f"tunnus-registration keys init --dir {folder}")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (CLIENT, b"secret-of-mine"),
        (CLIENT, b""),
        (CLIENT, b"[1]"),
        (CLIENT, b'"secret-of-mine"'),
        (CLIENT, b'{"kty":"RSA"}'),
        (CLIENT, b'{"kty":"EC","crv":"P-256","x":"secret-of-mine","y":"a"}'),
        (CLIENT, b"\xff\xfe"),
        (CLIENT, json.dumps(ECKey.generate_key("P-256", auto_kid=True).as_dict(private=False)).encode()),
        (CLIENT, json.dumps(ECKey.generate_key("P-384", {"kid": "a"}).as_dict(private=True)).encode()),
        (CLIENT, json.dumps(ECKey.generate_key("P-256").as_dict(private=True)).encode()),
        (SEALING, b"secret-of-mine"),
        (SEALING, b"\n \n"),
        (SEALING, b"\xff"),
        (COOKIE, b"secret-of-mine"),
        (COOKIE, b"a" * 31),
        (COOKIE, b"a" * 32 + b"\n" + b"b" * 31),
        (COOKIE, b""),
        (COOKIE, b"\xff" * 40),
    ],
)
def test_a_broken_file_is_named_and_nothing_of_it_is_shown(folder: Path, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content)
    said = refusal(folder)
    assert said.startswith(f"{folder / name}: 1 problem")
    assert said.endswith("restore it from its backup")
    assert "secret-of-mine" not in said


def test_a_cookie_key_of_32_characters_is_enough(folder: Path) -> None:
    (folder / COOKIE).write_text("a" * 32 + "\n")
    assert load_keys(folder).cookie == ("a" * 32,)
