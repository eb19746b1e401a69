"""The folder of key files: read whole, a file parsed again only when it has changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kit.keys.files import KeysUnusable, mode_problem
from kit.keys.key_file import HeldKey, read_key
from kit.keys.timetable import Purpose
from kit.settings.report import Problem

Mark = tuple[int, int, int, int]
"""What changes when a file does: inode, size, times of its content and of its inode (so also its mode)."""


@dataclass(frozen=True)
class Folder:
    """The keys of a folder at one look, by purpose, oldest first. parsed: how many were parsed for it."""

    keys: tuple[HeldKey, ...] = ()
    marks: Mapping[str, Mark] = field(default_factory=dict)
    parsed: int = 0

    def of(self, purpose: str) -> list[HeldKey]:
        """The keys of a purpose, oldest first."""
        return [key for key in self.keys if key.purpose.name == purpose]


def read_folder(path: Path, purposes: Mapping[str, Purpose], known: Folder | None = None) -> Folder:
    """Read a folder of keys; purposes: by name. known: an earlier look, returned itself if nothing has changed.

    Raises KeysUnusable with every problem: who may read it, each file, each timetable, a second pairwise key.
    """
    before = known or Folder()
    marks = _marks(path)
    if known is not None and marks == known.marks:
        return known
    held = {key.file: key for key in before.keys}
    problems: list[Problem] = []
    keys = []
    parsed = 0
    for name, mark in marks.items():
        if name in held and before.marks.get(name) == mark:
            keys.append(held[name])
            continue
        try:
            keys.append(read_key(path / name, purposes))
            parsed += 1
        except KeysUnusable as error:
            problems += error.problems
    keys.sort(key=lambda key: (list(purposes).index(key.purpose.name), key.timetable.use_from, key.kid))
    problems += _timetable_problems(path, keys)
    if problems:
        raise KeysUnusable(path, problems)
    return Folder(tuple(keys), marks, parsed)


def _marks(path: Path) -> dict[str, Mark]:
    try:
        problem = mode_problem(path, folder=True)
        files = sorted(file for file in path.iterdir() if file.suffix == ".json" and not file.name.startswith("."))
        stats = {file.name: file.stat() for file in files}
    except OSError as error:
        mend = f"make the keys with the command keys init; or mend who may read {path}"
        wrong = f"cannot be read: {error.strerror}"
        raise KeysUnusable(path, [Problem((str(path),), wrong, mend=mend)]) from error
    if problem is not None:
        raise KeysUnusable(path, [problem])
    return {name: (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns) for name, found in stats.items()}


def _timetable_problems(path: Path, keys: list[HeldKey]) -> Iterator[Problem]:
    seen: set[tuple[str, str]] = set()
    for key in keys:
        kind = (key.purpose.name, key.alg)
        where = (str(path / key.file),)
        for wrong in key.timetable.problems(key.purpose, first=kind not in seen):
            yield Problem(where, wrong, mend="lengthen its timetable")
        if kind in seen and not key.purpose.rotates:
            mend = f"keep the one that is in the backup; two give people two identities at {path}"
            yield Problem(where, f"is a second {key.purpose.name} key", mend=mend)
        seen.add(kind)
