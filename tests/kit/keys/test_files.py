"""A file of keys has the mode that was asked for, whatever the umask of who writes it, and is whole or not there."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from kit.keys.files import write_private
from tests.harness.full_disk import full_after


@pytest.fixture(params=[0o000, 0o077])
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.mark.usefixtures("umask")
@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_a_file_has_the_mode_that_was_asked_for(tmp_path: Path, mode: int) -> None:
    write_private(tmp_path / "file", "text", mode)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == mode
    assert (tmp_path / "file").read_text() == "text"


@pytest.mark.parametrize("before", [None, "before"])
def test_on_a_full_disk_the_file_is_named_and_nothing_of_a_secret_is_left(tmp_path: Path, before: str | None) -> None:
    file = tmp_path / "file"
    if before is not None:
        file.write_text(before)
    with full_after(4), pytest.raises(OSError, match="file") as caught:
        write_private(file, "a secret")
    assert caught.value.filename == str(file)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == ({"file": before} if before else {})
