"""One file of the trail while it is written: its chain, and how much of it is on the disk."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from broker.audit.chain import BEGINNING, line_of


class Place(NamedTuple):
    """Where a record stands. attempt: of its file, which is another after a cut."""

    attempt: int
    seq: int


class File:
    """One file and its chain; every method needs the trail's lock."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self.descriptor = descriptor
        self.synced = 0
        self.synced_head = BEGINNING
        self.attempt = 0
        self.writing = False
        self.broken = False
        self._length = 0
        self._seq = 0
        self._head = BEGINNING
        self._waiting: list[bytes] = []

    def add(self, now: float, event: str, fields: dict[str, str | int]) -> Place:
        """Chain a record and let it wait for the disk; return its place."""
        self._seq += 1
        line, self._head = line_of(self._seq, self._head, now, event, fields)
        self._waiting.append(line + b"\n")
        return Place(self.attempt, self._seq)

    def begin_write(self) -> tuple[bytes, int, str]:
        """Everything that waits, the number of its last record and that one's hash."""
        lines, self._waiting = b"".join(self._waiting), []
        self.writing = True
        return lines, self._seq, self._head

    def written(self, length: int, upto: int, head: str) -> None:
        """Note that so many bytes more are on the disk, up to that record."""
        self._length += length
        self.synced, self.synced_head = upto, head

    def cut(self) -> None:
        """Go back to the last record that is on the disk; those that waited have failed. Raises OSError."""
        self.attempt += 1
        self._waiting.clear()
        self._seq, self._head = self.synced, self.synced_head
        os.ftruncate(self.descriptor, self._length)
