"""An archive: a compressed tar of mode 0600 that says of what it is, and holds the SHA-256 of each file in it.

The digests tell damage, not tampering: who can write an archive can write them too.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import IO, Any

FORMAT = 1
_ABOUT, _DIGESTS = "about.json", "digests.json"
_BLOCK = 1 << 20


class ArchiveUnusable(Exception):
    """A file is no archive of ours, is damaged, or is of another kind; the text says which, and the mend."""


@dataclass(frozen=True, slots=True)
class Unpacked:
    """An archive's content. made: when, in UTC. facts: what its maker said of it. folder: where its files stand."""

    made: str
    facts: Mapping[str, str]
    folder: Path


def archive_name(kind: str, now: float) -> str:
    """What a new archive is called. kind: such as `broker keys`. now: seconds since the epoch."""
    return f"{kind.replace(' ', '-')}-{datetime.fromtimestamp(now, UTC):%Y%m%dT%H%M%SZ}.tar.gz"


def write_archive(
    file: Path, kind: str, members: Iterable[tuple[str, Path]], now: float, facts: Mapping[str, str] | None = None
) -> None:
    """Write an archive whole or not at all; one that is there stays. members: name and file of each.

    A file that grows meanwhile is kept as long as it was when it was opened. now: seconds. Raises OSError.
    """
    made = datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds")
    about = {"format": FORMAT, "kind": kind, "made": made, "facts": dict(facts or {})}
    unfinished = file.with_name(f".{file.name}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as opened:
            with tarfile.open(fileobj=opened, mode="w:gz") as tar:
                digests = {_ABOUT: _add_json(tar, _ABOUT, about)}
                digests |= {name: _add_file(tar, name, source) for name, source in members}
                _add_json(tar, _DIGESTS, digests)
            opened.flush()
            os.fsync(opened.fileno())
        os.link(unfinished, file)  # unlike a rename, it refuses one that is there
    except OSError as error:
        raise OSError(error.errno, error.strerror, error.filename or str(file)) from error
    finally:
        unfinished.unlink()


def kind_of(file: Path) -> str:
    """Of what an archive is. Raises ArchiveUnusable."""
    with _readable(file), tarfile.open(file, "r:gz") as tar:
        return str(_about(file, tar)["kind"])


def extract(tar: tarfile.TarFile, folder: Path) -> None:
    """Unpack an archive's plain files into a folder, for their owner alone, each once and none outside of it.

    By ourselves, as Python's own filter (PEP 706) takes links within the folder and a member twice, and Python before
    3.11.4, as Debian 12 has it, has none. Raises tarfile.TarError.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for member in tar:
        name = PurePosixPath(member.name)
        if name.is_absolute() or ".." in name.parts or not member.isreg() or member.issparse():
            raise tarfile.TarError("a member is no plain file of the folder")
        content, place = tar.extractfile(member), folder / name
        try:
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
            raise tarfile.TarError("a member stands twice") from error
        with os.fdopen(descriptor, "wb") as opened:
            shutil.copyfileobj(content or BytesIO(), opened)


@contextmanager
def unpacked(file: Path, beside: Path | None = None) -> Iterator[Unpacked]:
    """The content of an archive in a folder of its own, every digest compared; it goes at the end.

    beside: make that folder there, so that files can be moved instead of copied. Raises ArchiveUnusable.
    """
    with tempfile.TemporaryDirectory(prefix=".restore-", dir=beside) as made:  # mode 0700
        folder = Path(made)
        with _readable(file), tarfile.open(file, "r:gz") as tar:
            about = _about(file, tar)
            extract(tar, folder)
            digests = json.loads((folder / _DIGESTS).read_bytes()) if (folder / _DIGESTS).exists() else None
        (folder / _DIGESTS).unlink(missing_ok=True)
        found = {str(path.relative_to(folder)): _digest(path) for path in folder.rglob("*") if path.is_file()}
        if found != digests:
            raise ArchiveUnusable(f"{file}: is damaged: take another backup")
        (folder / _ABOUT).unlink()
        yield Unpacked(about["made"], about["facts"], folder)


@contextmanager
def _readable(file: Path) -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, EOFError, zlib.error, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # it cannot be read, and the system says why
        raise ArchiveUnusable(f"{file}: is no archive of ours, or is damaged: take another backup") from error


def _about(file: Path, tar: tarfile.TarFile) -> dict[str, Any]:
    first = tar.next()
    content = tar.extractfile(first) if first is not None and first.name == _ABOUT else None
    if content is None:
        raise ArchiveUnusable(f"{file}: is no archive of ours: name one that backup has made")
    about: dict[str, Any] = json.load(content)
    if about["format"] > FORMAT:
        raise ArchiveUnusable(f"{file}: was made by a newer version: restore it by that version")
    said = [about["kind"], about["made"], *about["facts"].values()]
    if not all(isinstance(text, str) and text.isprintable() for text in said):
        raise ValueError("it says what no archive of ours says")
    return about


def _add_json(tar: tarfile.TarFile, name: str, value: Any) -> str:
    content = json.dumps(value, indent=1).encode()
    info = tarfile.TarInfo(name)
    info.mode, info.size = 0o600, len(content)
    tar.addfile(info, BytesIO(content))
    return hashlib.sha256(content).hexdigest()


def _add_file(tar: tarfile.TarFile, name: str, source: Path) -> str:
    with source.open("rb") as opened:
        state = os.fstat(opened.fileno())
        info = tarfile.TarInfo(name)
        info.mode, info.size, info.mtime = 0o600, state.st_size, int(state.st_mtime)
        reader = _Hashing(opened)
        tar.addfile(info, reader)
    return reader.digest.hexdigest()


class _Hashing:
    """A file that is read, and the digest of what was."""

    def __init__(self, opened: IO[bytes]) -> None:
        self._opened = opened
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        content = self._opened.read(size)
        self.digest.update(content)
        return content


def _digest(path: Path) -> str:
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
