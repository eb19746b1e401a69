"""What goes into the archives of a service: its folder of keys, and its configuration with every file that it names."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from kit.backup.archive import ArchiveUnusable, archive_name, write_archive
from kit.folders import files_in_all
from kit.keys.files import USED, exclusive
from kit.keys.sets import KeysOfFile

KEYS, CONFIGURATION, ELSEWHERE = "keys", "configuration", "elsewhere"


def back_up_keys(
    to: Path, kind: str, keys: Path, config: Path, settings: BaseModel, but: set[Path], now: float
) -> Path:
    """Write the archive of a service's keys and configuration; return it.

    to: a folder. kind: of the archive. but: files and folders that the settings name and that are no configuration.
    now: seconds since the epoch. Raises OSError.
    """
    file = to / archive_name(kind, now)
    # No command changes the folder meanwhile; where it cannot be written, none of this machine can.
    with exclusive(keys) if os.access(keys, os.W_OK) else nullcontext():
        members = [*_keys(keys), *_configuration(config, settings, but | {keys})]
        write_archive(file, kind, members, now)
    return file


def restore_keys(folder: Path, keys: Path) -> int:
    """Move the keys of an unpacked archive to their folder, which must not hold any; return how many there are.

    Raises ArchiveUnusable, OSError.
    """
    source = folder / KEYS
    if not source.is_dir():
        raise ArchiveUnusable("the backup holds no keys: name another one")
    refuse_filled(keys, "keys")
    keys.mkdir(mode=0o700, exist_ok=True)
    files = sorted(source.iterdir())
    for file in files:
        file.replace(keys / file.name)
    return len([file for file in files if file.suffix == ".json"])


def refuse_filled(folder: Path, what: str) -> None:
    """Refuse to restore into a folder that holds something. Raises ArchiveUnusable."""
    if folder.is_dir() and any(not path.name.startswith(".") for path in folder.iterdir()):
        raise ArchiveUnusable(f"{folder}: has {what} in it: move it away first (mv {folder} {folder}.before)")


def make_folder(to: Path) -> None:
    """Make the folder of backups for its owner alone, if it is not there. Raises OSError."""
    to.mkdir(mode=0o700, parents=True, exist_ok=True)


def files_below(folder: Path, prefix: str) -> Iterator[tuple[str, Path]]:
    """Every file in a folder and below it, by the name it has in an archive; none whose name begins with a dot."""
    for path in files_in_all(folder):
        if not path.name.startswith("."):
            yield f"{prefix}/{path.relative_to(folder)}", path


def _keys(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.iterdir()):
        if path.is_file() and (not path.name.startswith(".") or path.name == USED):
            yield f"{KEYS}/{path.name}", path


def _configuration(config: Path, settings: BaseModel, but: set[Path]) -> Iterator[tuple[str, Path]]:
    base = config.absolute().parent
    left_out = {_plain(path) for path in but}
    named = {_plain(config), *(_plain(path) for path in _paths(settings))}
    wanted = [path for path in named if not any(path == other or other in path.parents for other in left_out)]
    files = {file for path in wanted for file in (files_in_all(path) if path.is_dir() else [path]) if file.is_file()}
    for file in sorted(files):
        inside = file.is_relative_to(base)
        yield f"{CONFIGURATION}/{file.relative_to(base) if inside else f'{ELSEWHERE}{file}'}", file


def _plain(path: Path) -> Path:
    return Path(os.path.abspath(path))


def _paths(value: Any) -> Iterator[Path]:
    """Every path in settings."""
    if isinstance(value, Path):
        yield value
    elif isinstance(value, KeysOfFile):
        yield value.path
    elif isinstance(value, BaseModel):
        yield from _paths(vars(value))  # `dict` would call a member that is named `keys`
    elif isinstance(value, Mapping):
        yield from _paths(list(value.values()))
    elif isinstance(value, Iterable) and not isinstance(value, str | bytes):
        for one in value:
            yield from _paths(one)
