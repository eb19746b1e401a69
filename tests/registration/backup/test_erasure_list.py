"""The list of erasures: whole lines, read as they were written, and refused where something is wrong with them."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from kit.settings.report import ConfigurationError
from registration.backup.erasure_list import Erasure, ErasureList, ErasureNotKept
from tests.harness.full_disk import full_after

ONE, TWO = Erasure(1, account="a" * 32, person="b" * 64), Erasure(2, account="a" * 32, company="c" * 32)


@pytest.fixture
def erasures(tmp_path: Path) -> ErasureList:
    made = ErasureList(tmp_path / "erasures.jsonl")
    made.make()
    return made


def file_of(erasures: ErasureList) -> Path:
    assert erasures.file is not None
    return erasures.file


def test_what_was_added_is_read(erasures: ErasureList) -> None:
    erasures.add(ONE)
    erasures.make()
    erasures.add(TWO)
    assert erasures.read() == [ONE, TWO]
    assert file_of(erasures).stat().st_mode & 0o777 == 0o600


def test_many_at_once_tear_no_line(erasures: ErasureList) -> None:
    added = [Erasure(number, account="a" * 32) for number in range(40)]
    threads = [threading.Thread(target=erasures.add, args=(one,)) for one in added]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(erasures.read(), key=lambda one: one.at) == added


def test_a_line_after_a_torn_one_stands_for_itself(erasures: ErasureList) -> None:
    erasures.add(ONE)
    file = file_of(erasures)
    file.write_text(file.read_text() + '{"format": 1, "at"')
    erasures.add(TWO)
    with pytest.raises(ConfigurationError, match="line 2 is no erasure"):
        erasures.read()
    lines = file.read_text().splitlines()
    file.write_text("\n".join([lines[0], *lines[2:]]))
    assert erasures.read() == [ONE, TWO]


@pytest.mark.parametrize("line", ["[]", "{}", "1", '{"format": 1, "at": 1, "name": "x"}', '{"at": 1}', "\x00"])
def test_what_is_no_erasure_is_refused(erasures: ErasureList, line: str) -> None:
    file_of(erasures).write_text(line + "\n")
    with pytest.raises(ConfigurationError, match="line 1 is no erasure"):
        erasures.read()


def test_a_line_of_a_newer_version_is_refused_as_such(erasures: ErasureList) -> None:
    file_of(erasures).write_text('{"format": 2, "at": 1, "what": "all"}\n')
    with pytest.raises(ConfigurationError, match="newer version"):
        erasures.read()


def test_a_list_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="touch"):
        ErasureList(tmp_path / "none.jsonl").read()
    with pytest.raises(ErasureNotKept):
        ErasureList(tmp_path / "no folder" / "none.jsonl").add(ONE)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_is_told() -> None:
    with pytest.raises(ErasureNotKept, match="No space left"):
        ErasureList(Path("/dev/full")).add(ONE)


def test_a_disk_that_fills_up_in_a_line_leaves_nothing_of_it(erasures: ErasureList) -> None:
    erasures.add(ONE)
    with full_after(file_of(erasures).stat().st_size + 9), pytest.raises(ErasureNotKept):
        erasures.add(TWO)
    assert erasures.read() == [ONE]
    erasures.add(TWO)
    assert erasures.read() == [ONE, TWO]


def test_without_a_file_nothing_is_kept() -> None:
    none = ErasureList(None)
    none.make()
    none.add(ONE)
    assert none.read() == []
