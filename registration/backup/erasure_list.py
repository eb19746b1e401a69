"""The list of erasures: a file outside the database, so that a restored backup loses again what was erased since.

A line of JSON for each person who was erased and each right that was taken, on the disk before the transaction that
does it is committed. It holds ids of rows and keyed digests, nothing that says who somebody is.
"""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kit.settings.report import ConfigurationError, Problem

FORMAT = 1
"""Of a line. A higher one is a newer version's."""
KEY = ("erasures", "file")


class ErasureNotKept(Exception):
    """The list cannot be written: nothing is erased, as a restore would bring it back unseen."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """What was erased, and when, in seconds since the epoch. account: its id.

    company: the company's key, if only the right in it was taken; account is then its holder's id, or the id of a share
    that was taken. person: `digest_of` a person's `sub`.
    """

    at: int
    account: str | None = None
    company: str | None = None
    person: str | None = None


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
    os.fsync(descriptor)


class ErasureList:
    """The list in a file; None: there is no list, and nothing is kept."""

    def __init__(self, file: Path | None) -> None:
        self.file = file

    def make(self) -> None:
        """Make an empty list if there is none, for its owner alone. Raises OSError."""
        if self.file is not None:
            os.close(os.open(self.file, os.O_WRONLY | os.O_CREAT, 0o600))

    def add(self, erasure: Erasure) -> None:
        """Bring a line to the disk. Raises ErasureNotKept."""
        if self.file is None:
            return
        held = {name: value for name, value in asdict(erasure).items() if value is not None}
        line = json.dumps({"format": FORMAT} | held) + "\n"
        try:
            with os.fdopen(os.open(self.file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "r+b", 0) as opened:
                fcntl.flock(opened, fcntl.LOCK_EX)
                end = opened.seek(0, os.SEEK_END)
                # A line that a crash tore must not tear this one too.
                torn = end > 0 and os.pread(opened.fileno(), 1, end - 1) != b"\n"
                try:
                    _write_all(opened.fileno(), ("\n" if torn else "").encode() + line.encode())
                except OSError:
                    with suppress(OSError):  # half a line would be no erasure to whoever reads the list next
                        opened.truncate(end)
                    raise
        except OSError as error:
            raise ErasureNotKept(error.strerror) from error

    def read(self) -> list[Erasure]:
        """Every erasure. Raises ConfigurationError if there is no such file, or a line of it cannot be read."""
        if self.file is None:
            return []
        try:
            lines = self.file.read_text(encoding="utf-8").splitlines()
        except (OSError, ValueError) as error:
            mend = f"put its latest copy there; if nobody was ever erased: touch {self.file}"
            raise self._unusable(f"{self.file} cannot be read", mend) from error
        return [self._read_line(number, line) for number, line in enumerate(lines, 1) if line]

    def _read_line(self, number: int, line: str) -> Erasure:
        where = f"{self.file} line {number}"
        try:
            value: dict[str, Any] = json.loads(line)
            newer = value.pop("format") > FORMAT
            erasure = Erasure(**value) if not newer else None
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            mend = "restore the list from its copy; remove the line only if a crash has torn it"
            raise self._unusable(f"{where} is no erasure", mend) from error
        if erasure is None:
            raise self._unusable(f"{where} is of a newer version of registration", "give the command by that version")
        return erasure

    def _unusable(self, wrong: str, mend: str) -> ConfigurationError:
        return ConfigurationError(self.file or "", [Problem(KEY, wrong, mend=mend)])
