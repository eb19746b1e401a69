"""Archives: for their owner alone, whole or not at all, and refused when something is wrong with them."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from pathlib import Path

import pytest

from kit.backup.archive import ArchiveUnusable, archive_name, kind_of, unpacked, write_archive
from tests.harness.full_disk import full_after

NOW = 1_790_000_000
KIND = "broker keys"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    file = tmp_path / "a-file"
    file.write_text("content\n" * 1000)
    return file


@pytest.fixture
def archive(tmp_path: Path, source: Path) -> Path:
    made = tmp_path / archive_name(KIND, NOW)
    write_archive(made, KIND, [("keys/a-file", source)], NOW, {"revision": "1"})
    return made


def tar_of(file: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    """An archive that somebody else has made."""
    with tarfile.open(file, "w:gz") as tar:
        for info, content in members:
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return file


def about(**changes: object) -> tuple[tarfile.TarInfo, bytes]:
    content = {"format": 1, "kind": KIND, "made": "2026-11-29", "facts": {}} | changes
    return tarfile.TarInfo("about.json"), json.dumps(content).encode()


def test_what_was_put_in_comes_out(archive: Path, source: Path) -> None:
    assert archive.name == "broker-keys-20260921T141320Z.tar.gz"
    assert archive.stat().st_mode & 0o777 == 0o600
    assert kind_of(archive) == KIND
    with unpacked(archive) as found:
        assert (found.made, found.facts) == ("2026-09-21T14:13:20+00:00", {"revision": "1"})
        assert [path.name for path in found.folder.iterdir()] == ["keys"]
        assert (found.folder / "keys" / "a-file").read_text() == source.read_text()
        assert found.folder.stat().st_mode & 0o777 == 0o700
    assert not found.folder.exists()


def test_on_a_full_disk_it_is_named_and_nothing_of_it_is_left(tmp_path: Path, source: Path) -> None:
    made = tmp_path / "made.tar.gz"
    with full_after(100), pytest.raises(OSError, match="made") as caught:
        write_archive(made, KIND, [("keys/a-file", source)], NOW)
    assert caught.value.filename == str(made)
    assert list(tmp_path.iterdir()) == [source]


def test_one_that_is_there_stays(archive: Path, source: Path) -> None:
    before = archive.read_bytes()
    with pytest.raises(FileExistsError):
        write_archive(archive, KIND, [("x", source)], NOW)
    assert archive.read_bytes() == before


def test_one_that_cannot_be_finished_is_not_there(tmp_path: Path, source: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_archive(tmp_path / "new.tar.gz", KIND, [("x", source), ("y", tmp_path / "none")], NOW)
    assert {path.name for path in tmp_path.iterdir()} == {"a-file"}


def test_a_file_that_grows_is_kept_as_long_as_it_was(tmp_path: Path, source: Path) -> None:
    growing = source.open("a")

    class Members:
        """Names a file, and lets it grow once it was opened, as another process would."""

        def __iter__(self):  # type: ignore[no-untyped-def]
            yield "a", source
            growing.write("more\n")
            growing.flush()
            yield "b", source

    write_archive(tmp_path / "new.tar.gz", KIND, Members(), NOW)
    growing.close()
    with unpacked(tmp_path / "new.tar.gz") as found:
        assert len((found.folder / "b").read_text()) == len((found.folder / "a").read_text()) + 5


@pytest.mark.parametrize("part", [0, 0.1, 0.3, 0.5, 0.7])
def test_a_damaged_one_is_refused(archive: Path, part: float) -> None:
    content = bytearray(archive.read_bytes())
    content[int(part * len(content))] ^= 0xFF
    archive.write_bytes(content)
    with pytest.raises(ArchiveUnusable), unpacked(archive):
        pass


def test_a_short_one_is_refused(archive: Path) -> None:
    archive.write_bytes(archive.read_bytes()[:-100])
    with pytest.raises(ArchiveUnusable), unpacked(archive):
        pass


def test_one_whose_content_is_not_what_its_digests_say_is_refused(tmp_path: Path) -> None:
    digests = tarfile.TarInfo("digests.json"), json.dumps({"a": "0" * 64}).encode()
    file = tar_of(tmp_path / "x.tar.gz", about(), (tarfile.TarInfo("a"), b"a"), digests)
    with pytest.raises(ArchiveUnusable, match="damaged"), unpacked(file):
        pass


@pytest.mark.parametrize("name", ["../outside", "/tmp/outside-of-the-archive"])
@pytest.mark.parametrize("python", ["this one", "before 3.11.4"])
def test_nothing_is_written_outside(tmp_path: Path, name: str, python: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if python != "this one":
        monkeypatch.delattr(tarfile, "data_filter", raising=False)
    digests = tarfile.TarInfo("digests.json"), b"{}"
    file = tar_of(tmp_path / "x.tar.gz", about(), (tarfile.TarInfo(name), b"a"), digests)
    with pytest.raises(ArchiveUnusable), unpacked(file, tmp_path):
        pass
    assert not (tmp_path / "outside").exists()


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    for content in (b"", b"text", gzip.compress(b"text"), tar_of(tmp_path / "y", about(format=2)).read_bytes()):
        (tmp_path / "x.tar.gz").write_bytes(content)
        with pytest.raises(ArchiveUnusable):
            kind_of(tmp_path / "x.tar.gz")
    with pytest.raises(FileNotFoundError):
        kind_of(tmp_path / "none")
