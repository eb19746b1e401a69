"""Archives: for their owner alone, whole or not at all, and refused when something is wrong with them."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import tarfile
from pathlib import Path
from typing import Any

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


def linked(name: str, to: str, kind: bytes = tarfile.SYMTYPE) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, to
    return info, b""


def plain(name: str, content: bytes = b"a") -> tuple[tarfile.TarInfo, bytes]:
    return tarfile.TarInfo(name), content


ODD: dict[str, list[tuple[tarfile.TarInfo, bytes]]] = {
    "above": [plain("../outside")],
    "above, from within": [plain("keys/../../outside")],
    "absolute": [plain("/tmp/outside-of-the-archive")],
    "a link to what is outside": [linked("keys", ".."), plain("keys/outside")],
    "a link to what is absolute": [linked("keys/a", "/etc/hostname")],
    "a link within": [plain("keys/b"), linked("keys/a", "b")],
    "a hard link within": [plain("keys/b"), linked("keys/a", "keys/b", tarfile.LNKTYPE)],
    "a pipe": [linked("keys/a", "", tarfile.FIFOTYPE)],
    "a device": [linked("keys/a", "", tarfile.CHRTYPE)],
    "a member twice": [plain("keys/a", b"other"), plain("keys/a")],
    "a member twice, by another way": [plain("keys/a", b"other"), plain("./keys//a")],
    "what it is of, twice": [plain("keys/a"), about(kind="registration keys")],
    "a file and a folder": [plain("keys"), plain("keys/a")],
    "a folder and a file": [plain("keys/a"), plain("keys")],
    "nothing": [plain("")],
}


@pytest.mark.parametrize("row", ODD)
def test_what_no_archive_of_ours_holds_is_refused_whatever_its_digests_say(tmp_path: Path, row: str) -> None:
    members = [about(), *ODD[row]]
    sums = {}
    for info, content in members:  # what would be found of it, if it were unpacked as it is
        followed = b"a" if info.type in {tarfile.SYMTYPE, tarfile.LNKTYPE} else content
        sums[info.name.removeprefix("./").replace("//", "/")] = hashlib.sha256(followed).hexdigest()
    file = tar_of(tmp_path / "x.tar.gz", *members, plain("digests.json", json.dumps(sums).encode()))
    inside = tmp_path / "inside"
    inside.mkdir()
    with pytest.raises(ArchiveUnusable), unpacked(file, inside):
        pass
    assert not (tmp_path / "outside").exists()
    assert not Path("/tmp/outside-of-the-archive").exists()
    assert list(inside.iterdir()) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"format": 2},
        {"format": "1"},
        {"format": None},
        {"kind": None},
        {"kind": "keys\x1b[2J"},
        {"made": 7},
        {"made": "today\n"},
        {"facts": None},
        {"facts": ["revision"]},
        {"facts": {"revision": 1}},
    ],
)
def test_one_that_says_of_itself_what_none_of_ours_says_is_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    info, content = about(**changes)
    digests = {"about.json": hashlib.sha256(content).hexdigest()}
    file = tar_of(tmp_path / "x.tar.gz", (info, content), plain("digests.json", json.dumps(digests).encode()))
    for look in (lambda: kind_of(file), lambda: unpacked(file).__enter__()):
        with pytest.raises(
            ArchiveUnusable, match="newer version" if changes == {"format": 2} else "no archive of ours"
        ):
            look()


@pytest.mark.parametrize("content", [b"[]", b"7", b"null", b"{}", b"{", b'{"format": 1}'])
def test_one_that_says_nothing_of_itself_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tar_of(tmp_path / "x.tar.gz", plain("about.json", content), plain("digests.json", b"{}"))
    with pytest.raises(ArchiveUnusable):
        kind_of(file)


@pytest.mark.parametrize("digests", [b"[]", b"null", b"{", b"7"])
def test_one_whose_digests_are_none_is_refused(tmp_path: Path, digests: bytes) -> None:
    file = tar_of(tmp_path / "x.tar.gz", about(), plain("keys/a"), plain("digests.json", digests))
    with pytest.raises(ArchiveUnusable), unpacked(file):
        pass


def test_what_is_unpacked_is_for_its_owner_alone(tmp_path: Path) -> None:
    info, content = plain("keys/a")
    info.mode, info.uid, info.gid = 0o6777, 1, 1
    first = about()
    sums = {name: hashlib.sha256(text).hexdigest() for name, text in (("about.json", first[1]), ("keys/a", content))}
    file = tar_of(tmp_path / "x.tar.gz", first, (info, content), plain("digests.json", json.dumps(sums).encode()))
    with unpacked(file) as found:
        state = (found.folder / "keys" / "a").stat()
        assert (state.st_mode & 0o7777, state.st_uid) == (0o600, os.getuid())
        assert (found.folder / "keys").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("share", range(1, 20))
def test_one_that_was_cut_short_anywhere_is_refused(archive: Path, share: int) -> None:
    whole = archive.read_bytes()
    tar = gzip.decompress(whole).rstrip(b"\0")
    for cut in (whole[: len(whole) * share // 25], gzip.compress(tar[: len(tar) * share // 20])):
        archive.write_bytes(cut)
        with pytest.raises(ArchiveUnusable), unpacked(archive):
            pass


@pytest.mark.parametrize("after", [512, 1024, 1536, 2048, 9728])
def test_one_that_ends_between_two_members_is_refused(archive: Path, after: int) -> None:
    archive.write_bytes(gzip.compress(gzip.decompress(archive.read_bytes())[:after]))
    with pytest.raises(ArchiveUnusable), unpacked(archive):
        pass


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    for content in (b"", b"text", gzip.compress(b"text"), tar_of(tmp_path / "y", about(format=2)).read_bytes()):
        (tmp_path / "x.tar.gz").write_bytes(content)
        with pytest.raises(ArchiveUnusable):
            kind_of(tmp_path / "x.tar.gz")
    with pytest.raises(FileNotFoundError):
        kind_of(tmp_path / "none")
